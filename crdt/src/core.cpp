#include "core.hpp"

#include <algorithm>
#include <limits>

namespace palimpsest::crdt::internal {

namespace {

// For `count` more elements: exactly so many where there are as many already, so that a document
// that was loaded takes no more than it needs, and half as many again where it grows.
template <class Elements>
void make_room(Elements& elements, std::size_t count) {
  const std::size_t wanted = elements.size() + count;
  if (wanted <= elements.capacity()) return;
  elements.reserve(std::max(wanted, elements.capacity() + elements.capacity() / 2));
}

}  // namespace

NameIndex Names::intern(std::string_view name) {
  if (const auto known = index_.find(name); known != index_.end()) return known->second;
  const auto index = static_cast<NameIndex>(strings_.size());
  index_.emplace(strings_.emplace_back(name), index);
  return index;
}

std::optional<NameIndex> Names::find(std::string_view name) const {
  const auto known = index_.find(name);
  return known == index_.end() ? std::nullopt : std::optional(known->second);
}

ClientIndex Core::client_index(ClientId id) {
  if (last_client_ != kNone && clients[last_client_].id == id) return last_client_;
  const auto [entry, is_new] =
      client_index_.try_emplace(id, static_cast<ClientIndex>(clients.size()));
  if (is_new) clients.emplace_back().id = id;
  return last_client_ = entry->second;
}

ClientIndex Core::search_client(ClientId id) const {
  const auto known = client_index_.find(id);
  if (known == client_index_.end()) return kNone;
  return last_client_ = known->second;
}

Clock Core::clock_of_id(ClientId id) const {
  const ClientIndex client = find_client(id);
  return client != kNone ? clock_of(client) : 0;
}

BlockIndex Core::block_at(ClientIndex client, Clock clock) const {
  const BlockList& own = clients[client].blocks;
  return own[own.find(clock)];
}

BlockIndex Core::allocate(Block block) {
  if (free_block_ != kNone) {
    const BlockIndex index = free_block_;
    free_block_ = blocks[index].right;
    blocks[index] = block;
    return index;
  }
  PALIMPSEST_ASSERT(blocks.size() < kNone);
  make_room(blocks, 1);
  blocks.push_back(block);
  return static_cast<BlockIndex>(blocks.size() - 1);
}

void Core::expect(ClientIndex client, std::size_t block_count, std::size_t content_bytes) {
  make_room(blocks, block_count);
  make_room(clients[client].content, content_bytes);
}

void Core::release(BlockIndex block) {
  if (!siblings.empty()) siblings.forget();
  blocks[block] = Block{};
  blocks[block].right = free_block_;
  free_block_ = block;
}

TypeIndex Core::root(std::string_view name) {
  if (last_root_ != kNone && names[types[last_root_].name] == name) return last_root_;
  const NameIndex name_index = names.intern(name);
  const auto [entry, is_new] =
      root_index_.try_emplace(name_index, static_cast<TypeIndex>(types.size()));
  if (is_new) {
    types.emplace_back().name = name_index;
    roots.push_back(entry->second);
  }
  return last_root_ = entry->second;
}

std::optional<TypeIndex> Core::find_root(std::string_view name) const {
  const auto name_index = names.find(name);
  if (!name_index) return std::nullopt;
  const auto known = root_index_.find(*name_index);
  return known == root_index_.end() ? std::nullopt : std::optional(known->second);
}

SlotIndex Core::slot(TypeIndex type, std::string_view key) {
  const NameIndex key_index = names.intern(key);
  const std::uint64_t address = std::uint64_t{type} << 32 | key_index;
  const auto [entry, is_new] =
      slot_index_.try_emplace(address, static_cast<SlotIndex>(slots.size()));
  if (is_new) {
    slots.push_back({type, key_index, kNone, kNone, kNone});
    SlotIndex& last = types[type].last_slot;
    (last == kNone ? types[type].first_slot : slots[last].next) = entry->second;
    last = entry->second;
  }
  return entry->second;
}

std::optional<SlotIndex> Core::find_slot(TypeIndex type, std::string_view key) const {
  const auto key_index = names.find(key);
  if (!key_index) return std::nullopt;
  const auto known = slot_index_.find(std::uint64_t{type} << 32 | *key_index);
  return known == slot_index_.end() ? std::nullopt : std::optional(known->second);
}

const Positions& Core::positions_of(TypeIndex list) {
  if (!positions.has(list)) {
    positions.begin(list);
    for (BlockIndex i = types[list].start; i != kNone; i = blocks[i].right) {
      positions.add(list, i, blocks[i].units());
    }
  }
  return positions;
}

void Core::check_positions() const {
  for (const TypeIndex list : positions.lists()) {
    BlockIndex item = types[list].start;
    for (const Positions::Entry& entry : positions.entries(list)) {
      PALIMPSEST_ASSERT(entry.item == item && entry.units == blocks[item].units());
      item = blocks[item].right;
    }
    PALIMPSEST_ASSERT(item == kNone);
  }
}

std::uint32_t Core::store_content(ClientIndex client, ByteView bytes) {
  Bytes& content = clients[client].content;
  PALIMPSEST_ASSERT(content.size() + bytes.size() <= std::numeric_limits<std::uint32_t>::max());
  const auto offset = static_cast<std::uint32_t>(content.size());
  make_room(content, bytes.size());
  content.insert(content.end(), bytes.begin(), bytes.end());
  return offset;
}

void Core::drop_content(Block& block) {
  clients[block.client].dead_bytes += block.content_bytes;
  block.content = 0;
  block.content_bytes = 0;
}

void Core::check_invariants() const {
  std::vector<bool> is_listed(blocks.size(), false);
  for (std::size_t c = 0; c < clients.size(); ++c) {
    Clock next = 0;
    const BlockList& own = clients[c].blocks;
    for (auto place = own.begin(); place != own.end(); place = own.next(place)) {
      const BlockIndex index = own[place];
      const Block& block = blocks[index];
      PALIMPSEST_ASSERT(own.clock_at(place) == block.clock);
      PALIMPSEST_ASSERT(block.client == c);
      PALIMPSEST_ASSERT(block.clock == next);
      PALIMPSEST_ASSERT(block.length > 0);
      PALIMPSEST_ASSERT(block.kind != Kind::kSkip);
      PALIMPSEST_ASSERT(!is_listed[index]);
      is_listed[index] = true;
      next = block.end();
      if (!is_item(block.kind)) {
        PALIMPSEST_ASSERT(block.deleted);
        continue;
      }
      PALIMPSEST_ASSERT(block.kind != Kind::kDeleted || block.deleted);
      if (block.kind != Kind::kType) {
        PALIMPSEST_ASSERT(block.content + block.content_bytes <= clients[c].content.size());
      }
      if (block.kind == Kind::kString) {
        const ByteView text = content_of(block);
        const std::string_view view(reinterpret_cast<const char*>(text.data()), text.size());
        PALIMPSEST_ASSERT(is_utf8(view) && length_utf16(view) == block.length);
      }
      if (block.left != kNone) {
        PALIMPSEST_ASSERT(blocks[block.left].right == index);
      }
      if (block.right != kNone) {
        PALIMPSEST_ASSERT(blocks[block.right].left == index);
        PALIMPSEST_ASSERT(blocks[block.right].parent == block.parent);
        PALIMPSEST_ASSERT(blocks[block.right].in_map == block.in_map);
      }
      if (block.in_map) {
        const Slot& slot = slots[block.parent];
        PALIMPSEST_ASSERT((block.left == kNone) == (slot.first == index));
        PALIMPSEST_ASSERT((block.right == kNone) == (slot.last == index));
        PALIMPSEST_ASSERT(block.right == kNone || block.deleted);
      } else {
        PALIMPSEST_ASSERT((block.left == kNone) == (types[block.parent].start == index));
      }
      const BlockIndex parent_item = types[type_of(block)].item;
      PALIMPSEST_ASSERT(parent_item == kNone || !blocks[parent_item].deleted || block.deleted);
    }
    PALIMPSEST_ASSERT(own.clock() == next);
  }
  check_positions();
}

std::size_t Core::memory_bytes() const {
  std::size_t bytes = sizeof(Core) + blocks.capacity() * sizeof(Block) +
                      clients.capacity() * sizeof(Client) + types.capacity() * sizeof(Type) +
                      slots.capacity() * sizeof(Slot);
  for (const Client& client : clients) {
    bytes += client.blocks.memory_bytes() + client.content.capacity();
  }
  constexpr std::size_t kHashNodeBytes = 40;
  bytes += (client_index_.size() + slot_index_.size() + root_index_.size()) * kHashNodeBytes;
  bytes += names.size() * (sizeof(std::string) + kHashNodeBytes);
  bytes += positions.memory_bytes() + siblings.memory_bytes();
  if (pending) bytes += pending->memory_bytes();
  return bytes;
}

}  // namespace palimpsest::crdt::internal
