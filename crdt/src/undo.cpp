#include "undo.hpp"

#include <algorithm>

namespace palimpsest::crdt::internal {

Undoing::Undoing(Writing& writing, const ChangeSet& changes)
    : writing_(writing),
      core_(writing.core()),
      inserted_(changes.inserted),
      deleted_(changes.deleted) {
  inserted_.normalize();
  deleted_.normalize();
}

Undone Undoing::run() {
  cut(inserted_);
  cut(deleted_);
  const Visited inserted = items_of(inserted_);
  Visited lost;
  for (const BlockIndex index : items_of(deleted_)) {
    const Block& item = core_.blocks[index];
    const Id id{core_.clients[item.client].id, item.clock};
    if (!item.deleted || inserted_.contains(id)) continue;
    if (!is_item(item.kind) || item.kind == Kind::kDeleted) {
      undone_.collected += item.length;
    } else {
      lost.push_back(index);
    }
  }
  Visited unwanted;
  for (const BlockIndex item : inserted) {
    if (!core_.blocks[item].deleted) unwanted.push_back(item);
  }
  to_bring_back_.insert(lost.begin(), lost.end());
  for (const BlockIndex item : lost) bring_back(item);
  for (auto item = unwanted.rbegin(); item != unwanted.rend(); ++item) {
    if (kept_.contains(*item)) continue;
    undone_.deleted += core_.blocks[*item].length;
    core_.erase(writing_.change_, *item);
  }
  return undone_;
}

// Cuts the items that reach beyond an end of a range of the set.
void Undoing::cut(const DeleteSet& set) {
  for (const auto& [id, ranges] : set.clients()) {
    const ClientIndex client = core_.find_client(id);
    if (client == kNone) continue;
    const Clock known = core_.clock_of(client);
    for (const DeleteSet::Range& range : ranges) {
      if (range.clock >= known) break;
      core_.clean_start(writing_.change_, client, range.clock);
      if (range.end() < known) core_.clean_start(writing_.change_, client, range.end());
    }
  }
}

Undoing::Visited Undoing::items_of(const DeleteSet& set) const {
  Visited items;
  for (const auto& [id, ranges] : set.clients()) {
    const ClientIndex client = core_.find_client(id);
    if (client == kNone) continue;
    const Clock known = core_.clock_of(client);
    for (const DeleteSet::Range& range : ranges) {
      core_.for_each_block(client, std::min(range.clock, known), std::min(range.end(), known),
                           [&](BlockIndex index) { items.push_back(index); });
    }
  }
  return items;
}

// Brings the item back, after the deleted types that it is in.
void Undoing::bring_back(BlockIndex item) {
  Visited chain{item};
  for (;;) {
    const BlockIndex carrier = core_.types[core_.type_of(core_.blocks[chain.back()])].item;
    if (carrier == kNone || !to_bring_back_.contains(carrier) || copies_.contains(carrier)) break;
    chain.push_back(carrier);
  }
  while (!chain.empty() && bring_back_one(chain.back())) chain.pop_back();
}

// False where that cannot be.
bool Undoing::bring_back_one(BlockIndex index) {
  if (copies_.contains(index) || !to_bring_back_.contains(index)) return copies_.contains(index);
  to_bring_back_.erase(index);  // tried once
  const Block item = core_.blocks[index];
  const auto home = new_home_of(index);
  if (!home) {
    undone_.homeless += item.length;
    return false;
  }
  if (const BlockIndex earlier = find_earlier_copy(index); earlier != kNone) {
    copies_.emplace(index, earlier);
    kept_.insert(earlier);
    return true;
  }
  Neighbours place;
  if (item.in_map) {
    const auto left = place_in_map(index, *home);
    if (!left) {
      undone_.superseded += item.length;
      return false;
    }
    place.left = *left;
  } else {
    place = place_in_list(index, *home);
  }
  copies_.emplace(index, copy(index, *home, place));
  undone_.restored += item.length;
  return true;
}

// The type to bring the item back into: the one it was in, or the copy of that; nullopt where it
// is deleted and stays so.
std::optional<TypeIndex> Undoing::new_home_of(BlockIndex item) const {
  const TypeIndex type = core_.type_of(core_.blocks[item]);
  const BlockIndex carrier = core_.types[type].item;
  if (carrier == kNone || !core_.blocks[carrier].deleted) return type;
  const auto copied = copies_.find(carrier);
  if (copied == copies_.end()) return std::nullopt;
  return core_.blocks[copied->second].content;
}

// Directly before the original; in a type that has come back, between the nearest copies of what
// stood left and right.
Undoing::Neighbours Undoing::place_in_list(BlockIndex item, TypeIndex home) {
  const TypeIndex type = core_.type_of(core_.blocks[item]);
  if (type == home) return {core_.blocks[item].left, item};
  const Revival& revival = revival_of(type);
  const auto right = revival.copies.upper_bound(revival.ranks.at(item));
  return {right == revival.copies.begin() ? kNone : std::prev(right)->second,
          right == revival.copies.end() ? kNone : right->second};
}

// The entry to stand behind; nullopt where somebody else has set the key since. kNone where the
// key was never set.
std::optional<BlockIndex> Undoing::place_in_map(BlockIndex item, TypeIndex home) {
  BlockIndex left = item;
  for (;;) {
    const BlockIndex next = core_.blocks[left].right;
    if (next == kNone) break;
    const auto copied = copies_.find(next);
    const Id id{core_.clients[core_.blocks[next].client].id, core_.blocks[next].clock};
    if (copied == copies_.end() && !inserted_.contains(id)) return std::nullopt;
    left = copied != copies_.end() ? copied->second : next;
  }
  if (core_.type_of(core_.blocks[left]) == home) return left;
  const auto slot = core_.find_slot(home, core_.names[core_.slots[core_.blocks[item].parent].key]);
  return slot ? core_.slots[*slot].last : kNone;
}

BlockIndex Undoing::copy(BlockIndex index, TypeIndex home, Neighbours place) {
  const Block item = core_.blocks[index];
  const ByteView content = item.kind == Kind::kType ? ByteView() : core_.content_of(item);
  const Bytes bytes(content.begin(), content.end());  // storing may move the original
  Writing::Content copied{.kind = item.kind, .length = item.length, .bytes = bytes};
  if (item.kind == Kind::kType) {
    const Type& type = core_.types[item.content];
    copied.type.kind = static_cast<SharedType>(type.kind);
    if (type.name != kNone) copied.type.name = core_.names[type.name];
  }
  if (item.in_map) {
    return writing_.set_entry_behind(
        place.left, core_.slot(home, core_.names[core_.slots[item.parent].key]), copied);
  }
  Writing::Position position{.left = place.left, .right = place.right, .attributes = {}};
  const BlockIndex made = writing_.insert(home, position, copied);
  const TypeIndex type = core_.type_of(item);
  if (type != home) {
    Revival& revival = revival_of(type);
    revival.copies.emplace(revival.ranks.at(index), made);
  }
  return made;
}

// A copy that an earlier undo, of this client or of one that only brings back, has put there and
// nobody has changed: made to stand before the item, and equal. kNone where there is none. Others
// may have written the same there, so theirs does not count; types are taken for new ones, since
// what is in them may differ.
BlockIndex Undoing::find_earlier_copy(BlockIndex index) const {
  const Block& item = core_.blocks[index];
  if (item.in_map || item.kind == Kind::kType) return kNone;
  for (BlockIndex i = item.left; i != kNone; i = core_.blocks[i].left) {
    const Block& other = core_.blocks[i];
    if (other.right_origin_client != item.client || other.right_origin_clock != item.clock) break;
    const bool is_ours =
        other.client == writing_.client_ || is_restorer(core_.clients[other.client].id);
    if (is_ours && !other.deleted && other.kind == item.kind && other.length == item.length &&
        same_content(other, item)) {
      return i;
    }
  }
  return kNone;
}

bool Undoing::same_content(const Block& a, const Block& b) const {
  const ByteView left = core_.content_of(a);
  const ByteView right = core_.content_of(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

Undoing::Revival& Undoing::revival_of(TypeIndex type) {
  const auto [entry, is_new] = revivals_.try_emplace(type);
  if (is_new) {
    std::size_t rank = 0;
    for (BlockIndex i = core_.types[type].start; i != kNone; i = core_.blocks[i].right) {
      entry->second.ranks.emplace(i, rank++);
    }
  }
  return entry->second;
}

Undone Writing::undo(const ChangeSet& changes) { return Undoing(*this, changes).run(); }

}  // namespace palimpsest::crdt::internal
