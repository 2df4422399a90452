#include <algorithm>
#include <utility>

#include "core.hpp"

namespace palimpsest::crdt::internal {
namespace {

// Of a character that UTF-8 writes in four bytes: one that UTF-16 writes as a pair.
char32_t code_point(ByteView utf8) {
  return char32_t{utf8[0] & 0x07U} << 18 | char32_t{utf8[1] & 0x3FU} << 12 |
         char32_t{utf8[2] & 0x3FU} << 6 | char32_t{utf8[3] & 0x3FU};
}

}  // namespace

Change& Core::begin() {
  change_.epoch = ++epoch;
  change_.clients.clear();
  change_.deleted.clear();
  change_.erased.clear();
  change_.split.clear();
  change_.torn.clear();
  change_.typed = {};
  change_.typed_bytes = 0;
  if (!change_.changed_types.empty()) change_.changed_types.clear();
  change_.tracks_types = false;
  return change_;
}

void Core::touch(Change& change, ClientIndex client) {
  Client& own = clients[client];
  if (own.epoch == change.epoch) return;
  own.epoch = change.epoch;
  own.clock_before = clock_of(client);
  if (change.typed.length > 0 && change.typed.client == client) {
    own.clock_before = change.typed.clock;
  }
  change.clients.push_back(client);
}

Clock Core::clock_before(const Change& change, ClientIndex client) const {
  const Client& own = clients[client];
  return own.epoch == change.epoch ? own.clock_before : clock_of(client);
}

void Core::mark_changed(Change& change, TypeIndex type) {
  if (!change.tracks_types) return;
  const BlockIndex item = types[type].item;
  if (item == kNone ||
      (!blocks[item].deleted && blocks[item].clock < clock_before(change, blocks[item].client))) {
    change.changed_types.insert(type);
  }
}

BlockList::Place Core::split(Change& change, ClientIndex client, BlockList::Place place,
                             std::uint64_t units) {
  const BlockIndex left_index = clients[client].blocks[place];
  PALIMPSEST_ASSERT(units > 0 && units < blocks[left_index].length);
  const BlockIndex right_index = allocate(blocks[left_index]);
  Block& left = blocks[left_index];
  Block& right = blocks[right_index];

  right.clock = left.clock + units;
  right.length = static_cast<std::uint32_t>(left.length - units);
  right.origin_client = client;
  right.origin_clock = right.clock - 1;
  right.left = left_index;
  if (left.content_bytes > 0) {
    const ContentCut cut = cut_content(left.kind, content_of(left), left.length, units);
    right.content = static_cast<std::uint32_t>(left.content + cut.right_begin);
    right.content_bytes = static_cast<std::uint32_t>(left.content_bytes - cut.right_begin);
    left.content_bytes = static_cast<std::uint32_t>(cut.left_bytes);
    if (cut.needs_replacement) {
      // Both halves of the torn character become U+FFFD. Its four bytes hold the left one; the
      // right part moves to the end, behind the other.
      Bytes& content = clients[client].content;
      const auto pair = ByteView(content).subspan(left.content + left.content_bytes, 4);
      change.torn.push_back({client, right.clock - 1, code_point(pair)});
      std::copy(kReplacement.begin(), kReplacement.end(),
                content.begin() + left.content + left.content_bytes);
      left.content_bytes += static_cast<std::uint32_t>(kReplacement.size());
      clients[client].dead_bytes += right.content_bytes + 1;
      const ByteView rest = content_of(right);
      Bytes moved(kReplacement.begin(), kReplacement.end());
      moved.insert(moved.end(), rest.begin(), rest.end());
      right.content = store_content(client, moved);
      right.content_bytes = static_cast<std::uint32_t>(moved.size());
    }
  }
  left.length = static_cast<std::uint32_t>(units);
  left.right = right_index;
  if (right.right != kNone) {
    blocks[right.right].left = right_index;
  } else if (right.in_map) {
    slots[right.parent].last = right_index;
  }
  if (!positions.empty() && !right.in_map) {
    positions.resized(left_index, left.units());
    positions.inserted(right.parent, left_index, right_index, right.units());
  }
  if (!siblings.empty()) {
    if (auto* group = siblings.find(Siblings::key_of(right))) {
      siblings.insert(*this, *group, std::nullopt, right_index);
    }
  }
  change.split.push_back({client, right.clock});
  return clients[client].blocks.insert_after(place, right.clock, right_index);
}

BlockIndex Core::clean_start(Change& change, ClientIndex client, Clock clock) {
  const BlockList::Place place = clients[client].blocks.find(clock);
  const BlockIndex index = clients[client].blocks[place];
  const Block& block = blocks[index];
  if (block.clock == clock || !is_item(block.kind)) return index;
  return clients[client].blocks[split(change, client, place, clock - block.clock)];
}

BlockIndex Core::clean_end(Change& change, ClientIndex client, Clock clock) {
  const BlockList::Place place = clients[client].blocks.find(clock);
  const BlockIndex index = clients[client].blocks[place];
  const Block& block = blocks[index];
  if (block.end() != clock + 1 && is_item(block.kind)) {
    split(change, client, place, clock + 1 - block.clock);
  }
  return index;
}

// Deletes the item and, where it carries a type, everything in it (Yjs: Item.delete and
// ContentType.delete), with a stack of its own: documents may be nested deeper than ours. The
// order is that of Yjs' recursion, since it decides in which order `split` is tried again.
void Core::erase(Change& change, BlockIndex item) {
  struct Level {
    TypeIndex type;
    BlockIndex child;  // the next to visit, then
    SlotIndex slot;    // the next whose entry to visit
  };
  std::vector<Level> levels;
  caret.text = kNone;
  const auto mark = [&](BlockIndex index) {
    Block& block = blocks[index];
    block.deleted = true;
    if (!positions.empty()) {
      positions.resized(index, 0);
      if (block.kind == Kind::kFormat) positions.mark_changed(index);
    }
    change.deleted.push_back({block.client, block.clock, block.length});
    mark_changed(change, type_of(block));
    if (block.kind == Kind::kType) {
      const Type& type = types[block.content];
      levels.push_back({block.content, type.start, type.first_slot});
    }
  };
  if (blocks[item].deleted) return;
  mark(item);
  while (!levels.empty()) {
    Level& level = levels.back();
    BlockIndex child = kNone;
    if (level.child != kNone) {
      child = std::exchange(level.child, blocks[level.child].right);
    } else if (level.slot != kNone) {
      child = slots[level.slot].last;
      level.slot = slots[level.slot].next;
    } else {
      if (change.tracks_types) change.changed_types.erase(level.type);
      levels.pop_back();
    }
    if (child == kNone) continue;
    const Block& block = blocks[child];
    if (!block.deleted) {
      mark(child);
    } else if (block.clock < clock_before(change, block.client)) {
      // It will be collected with its parent, and no deletion of this change leads to it.
      change.split.push_back({block.client, block.clock});
    }
  }
}

// Drops the content of a deleted item; everything inside a type that it carries becomes GC blocks
// (Yjs: Item.gc and ContentType.gc).
void Core::collect(BlockIndex item) {
  std::vector<BlockIndex> waiting;
  const auto empty = [&](Block& block) {
    if (block.kind != Kind::kType) {
      drop_content(block);
      return;
    }
    Type& type = types[block.content];
    for (BlockIndex child = type.start; child != kNone; child = blocks[child].right) {
      waiting.push_back(child);
    }
    for (SlotIndex s = type.first_slot; s != kNone; s = slots[s].next) {
      for (BlockIndex child = slots[s].last; child != kNone; child = blocks[child].left) {
        waiting.push_back(child);
      }
      slot_index_.erase(std::uint64_t{block.content} << 32 | slots[s].key);
    }
    type.start = kNone;
    type.first_slot = type.last_slot = kNone;
    block.content = 0;
  };

  PALIMPSEST_ASSERT(blocks[item].deleted);
  empty(blocks[item]);
  blocks[item].kind = Kind::kDeleted;
  while (!waiting.empty()) {
    const BlockIndex index = waiting.back();
    waiting.pop_back();
    Block& block = blocks[index];
    PALIMPSEST_ASSERT(block.deleted);
    empty(block);
    if (!positions.empty()) positions.removed(index);
    if (!siblings.empty()) {
      siblings.erase(*this, index);
      siblings.forget();
    }
    const Block gc{
        .clock = block.clock, .client = block.client, .length = block.length, .deleted = true};
    block = gc;
  }
}

void Core::collect_deleted(const Change& change) {
  for (auto span = change.deleted.rbegin(); span != change.deleted.rend(); ++span) {
    for_each_block(span->client, span->clock, span->clock + span->length, [&](BlockIndex index) {
      if (is_item(blocks[index].kind) && blocks[index].deleted) collect(index);
    });
  }
}

// Joins two neighbours in the blocks of one client into the left one, where Yjs would (mergeWith).
bool Core::try_merge(BlockIndex left_index, BlockIndex right_index) {
  Block& left = blocks[left_index];
  Block& right = blocks[right_index];
  if (left.kind != right.kind || left.deleted != right.deleted || !is_mergeable(left.kind) ||
      std::uint64_t{left.length} + right.length > kMaxBlockLength) {
    return false;
  }
  if (left.kind != Kind::kGc) {
    if (left.right != right_index || !joins_across(left, right)) return false;
    if (right.content_bytes > 0) {
      if (left.content + left.content_bytes != right.content) {
        Bytes joined(content_of(left).begin(), content_of(left).end());
        joined.insert(joined.end(), content_of(right).begin(), content_of(right).end());
        clients[left.client].dead_bytes += left.content_bytes + right.content_bytes;
        left.content = store_content(left.client, joined);
      }
      left.content_bytes += right.content_bytes;
    }
    if (right.right != kNone) {
      blocks[right.right].left = left_index;
    } else if (right.in_map) {
      slots[right.parent].last = left_index;
    }
    left.right = right.right;
    if (!positions.empty()) positions.removed(right_index);
    if (!siblings.empty()) siblings.erase(*this, right_index);
  }
  left.length += right.length;
  if (!positions.empty()) positions.resized(left_index, left.units());
  release(right_index);
  return true;
}

// Joins the block at `place`, and those before it, to their left while that is possible.
Core::Joined Core::merge_with_lefts(ClientIndex client, BlockList::Place place) {
  BlockList& own = clients[client].blocks;
  Joined joined{place, 0};
  while (joined.place != own.begin()) {
    const BlockList::Place left = own.previous(joined.place);
    if (!try_merge(own[left], own[joined.place])) break;
    joined = {left, joined.count + 1};
  }
  if (joined.count > 0) own.erase_after(joined.place, joined.count);
  return joined;
}

void Core::merge_deleted(const Change& change) {
  for (auto span = change.deleted.rbegin(); span != change.deleted.rend(); ++span) {
    const BlockList& own = clients[span->client].blocks;
    BlockList::Place place = own.find(span->clock + span->length - 1);
    if (const BlockList::Place behind = own.next(place); behind != own.end()) place = behind;
    while (place != own.begin() && own.clock_at(place) >= span->clock) {
      place = merge_with_lefts(span->client, place).place;
      if (place == own.begin()) break;
      place = own.previous(place);
    }
  }
}

void Core::merge_new_blocks(const Change& change) {
  for (const ClientIndex client : change.clients) {
    BlockList& own = clients[client].blocks;
    if (own.clock() == clients[client].clock_before) continue;
    BlockList::Place first = own.find(clients[client].clock_before);
    if (first == own.begin()) first = own.next(first);
    if (first == own.end()) continue;
    const BlockList::Place known = own.previous(first);
    const bool joined_known = own.join_behind(
        known, [&](BlockIndex left, BlockIndex right) { return try_merge(left, right); });
    // As Yjs, which goes from right to left and on while it can.
    if (joined_known) merge_with_lefts(client, known);
  }
}

void Core::merge_split_blocks(const Change& change) {
  for (auto point = change.split.rbegin(); point != change.split.rend(); ++point) {
    const BlockList& own = clients[point->client].blocks;
    const BlockList::Place place = own.find(point->clock);
    const BlockList::Place behind = own.next(place);
    if (behind != own.end() && merge_with_lefts(point->client, behind).count > 1) continue;
    merge_with_lefts(point->client, place);
  }
}

void Core::compact_content(ClientIndex client) {
  constexpr std::size_t kWorthwhileBytes = 4096;
  Client& own = clients[client];
  if (own.dead_bytes < kWorthwhileBytes || own.dead_bytes < own.content.size() / 2) return;
  Bytes content;
  content.reserve(own.content.size() - std::min(own.dead_bytes, own.content.size()));
  for_each_block(client, 0, own.blocks.clock(), [&](BlockIndex index) {
    Block& block = blocks[index];
    if (block.content_bytes == 0) return;
    const ByteView bytes = content_of(block);
    block.content = static_cast<std::uint32_t>(content.size());
    content.insert(content.end(), bytes.begin(), bytes.end());
  });
  own.content = std::move(content);
  own.dead_bytes = 0;
}

namespace {

// Sorts each client's spans and joins those that touch. The clients stay in the order in which
// something of theirs was first deleted, in which formatting is cleaned up.
void normalize(std::vector<Change::Span>& spans) {
  if (spans.size() < 2) return;
  const bool one_client = std::all_of(spans.begin(), spans.end(), [&](const Change::Span& span) {
    return span.client == spans.front().client;
  });
  std::unordered_map<ClientIndex, std::size_t> ranks;
  if (!one_client) {
    for (const Change::Span& span : spans) ranks.try_emplace(span.client, ranks.size());
  }
  const auto precedes = [&](const Change::Span& a, const Change::Span& b) {
    return a.client != b.client ? ranks.at(a.client) < ranks.at(b.client) : a.clock < b.clock;
  };
  if (!std::is_sorted(spans.begin(), spans.end(), precedes)) {
    std::sort(spans.begin(), spans.end(), precedes);
  }
  std::size_t kept = 0;
  for (const Change::Span& span : spans) {
    if (kept > 0 && spans[kept - 1].client == span.client &&
        spans[kept - 1].clock + spans[kept - 1].length >= span.clock) {
      const Clock end =
          std::max(spans[kept - 1].clock + spans[kept - 1].length, span.clock + span.length);
      spans[kept - 1].length = end - spans[kept - 1].clock;
    } else {
      spans[kept++] = span;
    }
  }
  spans.resize(kept);
}

}  // namespace

void Core::tidy(Change& change) {
  normalize(change.deleted);
  if (options.gc) collect_deleted(change);
  merge_deleted(change);
  merge_new_blocks(change);
  merge_split_blocks(change);
}

bool Core::changed_formatted_text(const Change& change) const {
  return std::any_of(change.changed_types.begin(), change.changed_types.end(), [&](TypeIndex type) {
    const Type& changed = types[type];
    return changed.has_formatting &&
           (changed.kind == TypeKind::kText || changed.kind == TypeKind::kXmlText) &&
           !blocks[changed.item].deleted;
  });
}

void Core::end(Change& change, bool remote) {
  Change cleanup;
  if (change.tracks_types && remote) {
    normalize(change.deleted);
    cleanup.epoch = ++epoch;
    if (changed_formatted_text(change)) clean_formatting(change, cleanup);
  }
  tidy(change);
  if (!cleanup.deleted.empty() || !cleanup.split.empty()) tidy(cleanup);
  for (const Change::Span& span : change.deleted) compact_content(span.client);
  for (const Change::Span& span : cleanup.deleted) compact_content(span.client);
}

}  // namespace palimpsest::crdt::internal
