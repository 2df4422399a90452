#include <limits>

#include "core.hpp"

namespace palimpsest::crdt::internal {
namespace {

bool same_origin(const Block& a, const Block& b) {
  return a.origin_client == b.origin_client &&
         (a.origin_client == kNone || a.origin_clock == b.origin_clock);
}

bool same_right_origin(const Block& a, const Block& b) {
  return a.right_origin_client == b.right_origin_client &&
         (a.right_origin_client == kNone || a.right_origin_clock == b.right_origin_clock);
}

// The items that a conflict scan has passed, in the order in which it did. Nearly always few.
class Passed {
 public:
  void add(BlockIndex item) {
    if (order_.size() < kFew) {
      order_.push_back(item);
      return;
    }
    if (place_.empty()) {
      for (std::size_t i = 0; i < order_.size(); ++i) place_.emplace(order_[i], i);
    }
    place_.emplace(item, order_.size());
    order_.push_back(item);
  }

  // Where in the order; nullopt for one not passed.
  std::optional<std::size_t> find(BlockIndex item) const {
    if (!place_.empty()) {
      const auto known = place_.find(item);
      return known == place_.end() ? std::nullopt : std::optional(known->second);
    }
    for (std::size_t i = order_.size(); i-- > 0;) {
      if (order_[i] == item) return i;
    }
    return std::nullopt;
  }

  std::size_t size() const { return order_.size(); }

 private:
  static constexpr std::size_t kFew = 16;

  std::vector<BlockIndex> order_;
  std::unordered_map<BlockIndex, std::size_t> place_;
};

}  // namespace

ClientId Core::find_neighbours(ClientIndex client, const BlockView& view,
                               Neighbours& neighbours) const {
  const auto is_missing = [&](Id id, ClientIndex& index) {
    index = clients[client].id == id.client ? client : find_client(id.client);
    return index != client && (index == kNone || id.clock >= clock_of(index));
  };
  if (view.has_origin && is_missing(view.origin, neighbours.origin)) return view.origin.client;
  if (view.has_right_origin && is_missing(view.right_origin, neighbours.right_origin)) {
    return view.right_origin.client;
  }
  if (view.has_parent_id && is_missing(view.parent_id, neighbours.parent)) {
    return view.parent_id.client;
  }
  return kNobody;
}

BlockIndex Core::first_of_list(const Block& item) const {
  return item.in_map ? slots[item.parent].first : types[item.parent].start;
}

// YATA's conflict scan (Yjs INTERNALS, "List items"). Starts right of our origin and ends at our
// right origin, `item.right`; answers the item to stand behind, kNone for the start of the list,
// and how many it passed.
std::pair<BlockIndex, std::size_t> Core::find_left_neighbour(const Block& item) const {
  Passed passed;
  std::size_t undecided = 0;  // from here on in `passed`, those that may still end up on our right
  BlockIndex left = item.left;

  BlockIndex other_index = left != kNone ? blocks[left].right : first_of_list(item);
  while (other_index != kNone && other_index != item.right) {
    const Block& other = blocks[other_index];
    passed.add(other_index);
    if (same_origin(item, other)) {
      if (clients[other.client].id < clients[item.client].id) {
        left = other_index;
        undecided = passed.size();
      } else if (same_right_origin(item, other)) {
        break;
      }
      // else its side depends on what follows
    } else if (other.origin_client != kNone) {
      const auto origin = passed.find(block_at(other.origin_client, other.origin_clock));
      if (!origin) break;  // it hangs left of us: done
      if (*origin < undecided) {
        left = other_index;
        undecided = passed.size();
      }
    } else {
      break;
    }
    other_index = other.right;
  }
  return {left, passed.size()};
}

// Collects the siblings of an item that is not linked in yet.
Siblings::Group& Core::collect_siblings(const Block& item) {
  Siblings::Group& group = siblings.begin(Siblings::key_of(item));
  Passed passed;
  std::optional<BlockIndex> last;
  BlockIndex other_index = item.left != kNone ? blocks[item.left].right : first_of_list(item);
  for (; other_index != kNone; other_index = blocks[other_index].right) {
    const Block& other = blocks[other_index];
    if (same_origin(item, other)) {
      siblings.insert(*this, group, last, other_index);
      last = other_index;
    } else if (other.origin_client == kNone ||
               !passed.find(block_at(other.origin_client, other.origin_clock))) {
      break;
    }
    passed.add(other_index);
  }
  return group;
}

// Which siblings stand left of the item's right neighbour: climbs from that to the one that it
// hangs on. Nullopt where that is too far.
std::optional<Siblings::Limit> Core::limit_of(const Block& item, Siblings::Group& group) {
  constexpr std::size_t kFarthest = 1000;
  const Siblings::Key key = Siblings::key_of(item);
  std::vector<BlockIndex> passed;
  for (BlockIndex ancestor = item.right; ancestor != kNone;) {
    const Block& block = blocks[ancestor];
    std::optional<BlockIndex> sibling = siblings.remembered(group, ancestor);
    if (Siblings::key_of(block) == key) sibling = ancestor;
    if (sibling) {
      for (const BlockIndex one : passed) siblings.remember(group, one, *sibling);
      return Siblings::Limit{*sibling, *sibling != item.right};
    }
    if (block.origin_client == kNone) break;  // it stands behind all of them
    if (passed.size() == kFarthest) return std::nullopt;
    passed.push_back(ancestor);
    ancestor = block_at(block.origin_client, block.origin_clock);
  }
  return Siblings::Limit{};
}

// The last item that hangs on `sibling`, before `item.right`.
BlockIndex Core::last_hanging_on(BlockIndex sibling, const Block& item) const {
  Passed passed;
  passed.add(sibling);
  BlockIndex last = sibling;
  for (BlockIndex i = blocks[sibling].right; i != kNone && i != item.right; i = blocks[i].right) {
    const Block& other = blocks[i];
    if (other.origin_client == kNone ||
        !passed.find(block_at(other.origin_client, other.origin_clock))) {
      break;
    }
    passed.add(i);
    last = i;
  }
  return last;
}

// Puts the item's place among its siblings into `item.left`; answers the sibling before it.
std::optional<BlockIndex> Core::place_among_siblings(Block& item, Siblings::Group& group) {
  if (const std::optional<Siblings::Limit> limit = limit_of(item, group)) {
    const Siblings::Spot spot = siblings.place(*this, group, item, *limit);
    if (!spot.behind) return std::nullopt;
    if (limit->included && spot.behind == limit->sibling) {
      item.left = blocks[item.right].left;
    } else if (spot.next) {
      item.left = blocks[*spot.next].left;
    } else {
      item.left = last_hanging_on(*spot.behind, item);
    }
    return spot.behind;
  }
  const BlockIndex origin = item.left;
  item.left = find_left_neighbour(item).first;
  const Siblings::Key key = Siblings::key_of(item);
  for (BlockIndex i = item.left; i != origin; i = blocks[i].left) {
    if (Siblings::key_of(blocks[i]) == key) return i;
  }
  return std::nullopt;
}

// Decides the item's place among concurrent ones, then links it in between its neighbours.
void Core::insert_into_list(BlockIndex index) {
  constexpr std::size_t kManySteps = 64;
  Block& item = blocks[index];
  const bool undisturbed = is_undisturbed(item);
  Siblings::Group* group = siblings.empty() ? nullptr : siblings.find(Siblings::key_of(item));
  std::optional<BlockIndex> behind;
  if (!undisturbed && group == nullptr) {
    const auto [left, steps] = find_left_neighbour(item);
    if (steps > kManySteps) {
      group = &collect_siblings(item);
    } else {
      item.left = left;
    }
  }
  if (!undisturbed && group != nullptr) behind = place_among_siblings(item, *group);

  if (item.left != kNone) {
    item.right = blocks[item.left].right;
    blocks[item.left].right = index;
  } else {
    item.right = first_of_list(item);
    (item.in_map ? slots[item.parent].first : types[item.parent].start) = index;
  }
  if (item.right != kNone) {
    blocks[item.right].left = index;
  } else if (item.in_map) {
    slots[item.parent].last = index;
  }
  if (group != nullptr) siblings.insert(*this, *group, behind, index);
  if (!positions.empty() && !item.in_map) {
    positions.inserted(item.parent, item.left, index, item.units());
    if (item.kind == Kind::kFormat) positions.mark_changed(index);
  }
}

TypeIndex Core::add_type(ByteView content) {
  Reader reader(content);
  Type type;
  type.kind = static_cast<TypeKind>(reader.read_var_uint());
  if (!reader.at_end()) type.name = names.intern(reader.read_var_string());
  types.push_back(type);
  return static_cast<TypeIndex>(types.size() - 1);
}

void Core::set_item(TypeIndex type, BlockIndex item) {
  const std::uint16_t depth = types[type_of(blocks[item])].depth;
  types[type].item = item;
  types[type].depth = depth < std::numeric_limits<std::uint16_t>::max()
                          ? static_cast<std::uint16_t>(depth + 1)
                          : depth;
}

void Core::link(Change& change, BlockIndex index) {
  caret.text = kNone;
  insert_into_list(index);
  Block& item = blocks[index];
  const ClientIndex client = item.client;
  const TypeIndex parent = type_of(item);
  // A map entry that has become the current one takes the place of the one before.
  if (item.in_map && item.right == kNone && item.left != kNone) erase(change, item.left);
  if (item.kind == Kind::kDeleted) {
    // There is nothing to collect, and it is tried for joining as every new block is.
    if (change.tracks_types) change.deleted.push_back({client, item.clock, item.length});
    item.deleted = true;
  } else if (item.kind == Kind::kFormat) {
    types[parent].has_formatting = true;
  }
  mark_changed(change, parent);
  const BlockIndex parent_item = types[parent].item;
  if ((parent_item != kNone && blocks[parent_item].deleted) ||
      (item.in_map && item.right != kNone)) {
    erase(change, index);
  }
}

void Core::integrate(Change& change, ClientIndex client, const BlockView& view,
                     const Neighbours& neighbours, std::uint64_t offset) {
  touch(change, client);
  Block item;
  item.client = client;
  item.clock = view.clock + offset;
  item.length = static_cast<std::uint32_t>(view.length - offset);
  item.kind = Kind::kGc;
  item.deleted = true;
  const auto as_gc = [&] {
    item.left = item.right = item.parent = kNone;
    item.origin_client = item.right_origin_client = kNone;
    const BlockIndex index = allocate(item);
    clients[client].blocks.push_back(index, blocks[index].length);
  };
  if (view.kind == Kind::kGc) return as_gc();

  if (view.has_origin) {
    item.origin_client = neighbours.origin;
    item.origin_clock = view.origin.clock;
    const BlockList& theirs = clients[item.origin_client].blocks;
    item.left = theirs.clock() == view.origin.clock + 1
                    ? theirs.back()
                    : clean_end(change, item.origin_client, view.origin.clock);
  }
  if (view.has_right_origin) {
    item.right_origin_client = neighbours.right_origin;
    item.right_origin_clock = view.right_origin.clock;
    // Where nothing was written at the same time it is the next in the list.
    const BlockIndex next = item.left == kNone ? kNone : blocks[item.left].right;
    item.right = next != kNone && blocks[next].client == item.right_origin_client &&
                         blocks[next].clock == view.right_origin.clock
                     ? next
                     : clean_start(change, item.right_origin_client, view.right_origin.clock);
  }
  // What hangs on collected blocks, or in what is no type any more, is collected itself.
  for (const BlockIndex neighbour : {item.left, item.right}) {
    if (neighbour != kNone && !is_item(blocks[neighbour].kind)) return as_gc();
  }
  if (!view.names_parent()) {
    const Block& neighbour = blocks[item.left != kNone ? item.left : item.right];
    item.parent = neighbour.parent;
    item.in_map = neighbour.in_map;
  } else {
    TypeIndex parent;
    if (view.has_parent_id) {
      const Block& parent_item = blocks[block_at(neighbours.parent, view.parent_id.clock)];
      if (parent_item.kind != Kind::kType) return as_gc();
      parent = parent_item.content;
    } else {
      parent = root(view.parent_root);
    }
    item.in_map = view.has_key;
    item.parent = view.has_key ? slot(parent, view.key) : parent;
  }
  if (offset > 0) {
    // The part before it is known already: it hangs on that.
    item.left = clean_end(change, client, item.clock - 1);
    item.origin_client = client;
    item.origin_clock = item.clock - 1;
    const Block& left = blocks[item.left];
    if (!is_item(left.kind) || left.parent != item.parent || left.in_map != item.in_map) {
      return as_gc();
    }
  }

  item.kind = view.kind;
  item.deleted = false;
  if (view.kind == Kind::kType) {
    item.content = add_type(view.content);
  } else if (offset == 0) {
    item.content = store_content(client, view.content);
    item.content_bytes = static_cast<std::uint32_t>(view.content.size());
  } else {
    const ContentCut cut =
        cut_content(view.kind, view.content, static_cast<std::size_t>(view.length),
                    static_cast<std::size_t>(offset));
    Bytes rest;
    if (cut.needs_replacement) rest.assign(kReplacement.begin(), kReplacement.end());
    const ByteView kept = view.content.subspan(cut.right_begin);
    rest.insert(rest.end(), kept.begin(), kept.end());
    item.content = store_content(client, rest);
    item.content_bytes = static_cast<std::uint32_t>(rest.size());
  }
  link(change, add_block(item));
}

// Makes it one of its client's blocks.
BlockIndex Core::add_block(const Block& item) {
  const BlockIndex index = allocate(item);
  clients[item.client].blocks.push_back(index, item.length);
  if (item.kind == Kind::kType) set_item(item.content, index);
  return index;
}

BlockIndex Core::integrate_local(Change& change, Block item) {
  touch(change, item.client);
  const BlockIndex index = add_block(item);
  link(change, index);
  return index;
}

}  // namespace palimpsest::crdt::internal
