#include "siblings.hpp"

#include <algorithm>

#include "core.hpp"

namespace palimpsest::crdt::internal {
namespace {

constexpr std::size_t kChunkSize = 128;

}  // namespace

struct Siblings::Chunk {
  std::size_t index = 0;  // in its group
  std::vector<BlockIndex> items;
  ClientId lowest = ~ClientId{0};  // of their clients
};

struct Siblings::Member {
  Group* group;
  Chunk* chunk;
};

class Siblings::Group {
 public:
  // Of those with one right origin, by client; of one client the last one that was added, which
  // stands before the others, comes first.
  struct Peer {
    ClientIndex right_origin_client;
    Clock right_origin_clock;
    ClientId client;

    friend auto operator<=>(const Peer&, const Peer&) = default;
  };

  std::vector<std::unique_ptr<Chunk>> chunks;  // none is empty
  std::multimap<Peer, BlockIndex> peers;
  std::unordered_map<BlockIndex, BlockIndex> hangs_on;
};

namespace {

struct Rank {
  std::size_t chunk;
  std::size_t slot;

  friend auto operator<=>(const Rank&, const Rank&) = default;
};

}  // namespace

Siblings::Siblings() = default;
Siblings::Siblings(Siblings&&) noexcept = default;
Siblings& Siblings::operator=(Siblings&&) noexcept = default;
Siblings::~Siblings() = default;

Siblings::Key Siblings::key_of(const Block& item) {
  return {item.parent, item.in_map, item.origin_client,
          item.origin_client == kNone ? 0 : item.origin_clock};
}

Siblings::Group* Siblings::find(const Key& key) const {
  const auto found = groups_.find(key);
  return found == groups_.end() ? nullptr : found->second.get();
}

Siblings::Group& Siblings::begin(const Key& key) {
  return *(groups_[key] = std::make_unique<Group>());
}

Siblings::Spot Siblings::place(const Core& core, const Group& group, const Block& item,
                               Limit limit) const {
  const auto rank_of = [&](BlockIndex sibling) {
    const Chunk& chunk = *members_.at(sibling).chunk;
    const auto found = std::find(chunk.items.begin(), chunk.items.end(), sibling);
    return Rank{chunk.index, static_cast<std::size_t>(found - chunk.items.begin())};
  };
  const ClientId client = core.clients[item.client].id;
  Rank stop{group.chunks.size(), 0};
  if (limit.sibling) {
    stop = rank_of(*limit.sibling);
    if (limit.included) ++stop.slot;
  }
  const Group::Peer peer{item.right_origin_client,
                         item.right_origin_client == kNone ? 0 : item.right_origin_clock, client};
  const auto not_lower = group.peers.lower_bound(peer);
  if (not_lower != group.peers.end() &&
      not_lower->first.right_origin_client == peer.right_origin_client &&
      not_lower->first.right_origin_clock == peer.right_origin_clock) {
    stop = std::min(stop, rank_of(not_lower->second));
  }

  // The last one before `stop` by a lower client.
  Spot spot;
  Rank next{0, 0};
  for (std::size_t c = std::min(stop.chunk + 1, group.chunks.size()); c-- > 0 && !spot.behind;) {
    const Chunk& chunk = *group.chunks[c];
    if (chunk.lowest >= client) continue;
    for (std::size_t i = c == stop.chunk ? stop.slot : chunk.items.size(); i-- > 0;) {
      if (core.clients[core.blocks[chunk.items[i]].client].id < client) {
        spot.behind = chunk.items[i];
        next = {c, i + 1};
        break;
      }
    }
  }
  if (next.chunk < group.chunks.size() && next.slot == group.chunks[next.chunk]->items.size()) {
    next = {next.chunk + 1, 0};
  }
  if (next.chunk < group.chunks.size()) spot.next = group.chunks[next.chunk]->items[next.slot];
  return spot;
}

void Siblings::insert(const Core& core, Group& group, std::optional<BlockIndex> behind,
                      BlockIndex item) {
  const Block& block = core.blocks[item];
  const ClientId client = core.clients[block.client].id;
  const Group::Peer peer{block.right_origin_client,
                         block.right_origin_client == kNone ? 0 : block.right_origin_clock, client};
  group.peers.emplace_hint(group.peers.lower_bound(peer), peer, item);

  if (group.chunks.empty()) group.chunks.push_back(std::make_unique<Chunk>());
  Chunk* chunk = behind ? members_.at(*behind).chunk : group.chunks.front().get();
  const auto place = behind ? std::find(chunk->items.begin(), chunk->items.end(), *behind) + 1
                            : chunk->items.begin();
  chunk->items.insert(place, item);
  chunk->lowest = std::min(chunk->lowest, client);
  members_[item] = {&group, chunk};
  if (chunk->items.size() < kChunkSize) return;

  auto upper = std::make_unique<Chunk>();
  const auto middle = chunk->items.begin() + kChunkSize / 2;
  upper->items.assign(middle, chunk->items.end());
  chunk->items.erase(middle, chunk->items.end());
  for (const BlockIndex moved : upper->items) members_.at(moved).chunk = upper.get();
  for (Chunk* half : {chunk, upper.get()}) {
    half->lowest = ~ClientId{0};
    for (const BlockIndex one : half->items) {
      half->lowest = std::min(half->lowest, core.clients[core.blocks[one].client].id);
    }
  }
  group.chunks.insert(group.chunks.begin() + static_cast<std::ptrdiff_t>(chunk->index) + 1,
                      std::move(upper));
  for (std::size_t i = chunk->index; i < group.chunks.size(); ++i) group.chunks[i]->index = i;
}

void Siblings::erase(const Core& core, BlockIndex item) {
  const auto member = members_.find(item);
  if (member == members_.end()) return;
  const auto [group, chunk] = member->second;
  members_.erase(member);

  const Block& block = core.blocks[item];
  const Group::Peer peer{block.right_origin_client,
                         block.right_origin_client == kNone ? 0 : block.right_origin_clock,
                         core.clients[block.client].id};
  auto [first, last] = group->peers.equal_range(peer);
  while (first != last && first->second != item) ++first;
  PALIMPSEST_ASSERT(first != last);
  group->peers.erase(first);

  chunk->items.erase(std::find(chunk->items.begin(), chunk->items.end(), item));
  if (!chunk->items.empty()) return;  // `lowest` stays: at worst it is looked at once in vain
  group->chunks.erase(group->chunks.begin() + static_cast<std::ptrdiff_t>(chunk->index));
  for (std::size_t i = 0; i < group->chunks.size(); ++i) group->chunks[i]->index = i;
  if (group->chunks.empty()) groups_.erase(key_of(block));
}

std::optional<BlockIndex> Siblings::remembered(const Group& group, BlockIndex item) const {
  const auto found = group.hangs_on.find(item);
  return found == group.hangs_on.end() ? std::nullopt : std::optional(found->second);
}

void Siblings::remember(Group& group, BlockIndex item, BlockIndex sibling) {
  group.hangs_on[item] = sibling;
}

void Siblings::forget() {
  for (auto& [key, group] : groups_) group->hangs_on.clear();
}

std::size_t Siblings::memory_bytes() const {
  constexpr std::size_t kBytesEach = 128;  // in a chunk, a tree and a table
  return members_.size() * kBytesEach;
}

}  // namespace palimpsest::crdt::internal
