#include "positions.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace palimpsest::crdt::internal {

void Positions::begin(List list) { roots_[list] = new_node(true, list); }

void Positions::add(List list, BlockIndex item, std::uint32_t units) {
  settle();
  NodeIndex node = roots_.at(list);
  while (!nodes_[node].is_leaf) node = nodes_[node].child[nodes_[node].count - 1U];
  insert(node, nodes_[node].count, item, units);
}

std::uint64_t Positions::units(List list) const {
  settle();
  return total(nodes_[roots_.at(list)]);
}

Positions::Place Positions::find(List list, std::uint64_t index) const {
  settle();
  NodeIndex node = roots_.at(list);
  while (true) {
    const Node& at = nodes_[node];
    std::size_t slot = 0;
    while (at.units[slot] < index) {
      index -= at.units[slot++];
      PALIMPSEST_ASSERT(slot < at.count);
    }
    if (at.is_leaf) return {at.child[slot], static_cast<std::uint32_t>(index)};
    node = at.child[slot];
  }
}

std::uint64_t Positions::index_of(BlockIndex item) const {
  settle();
  std::uint64_t index = 0;
  std::uint32_t child = item;
  for (NodeIndex node = leaf_of(item); node != kNoNode; child = node, node = nodes_[node].parent) {
    const Node& at = nodes_[node];
    const auto units = at.units.begin();
    index = std::accumulate(units, units + static_cast<std::ptrdiff_t>(slot_of(at, child)), index);
  }
  return index;
}

bool Positions::precedes(BlockIndex left, BlockIndex right) const {
  NodeIndex left_node = leaf_of(left);
  NodeIndex right_node = leaf_of(right);
  std::uint32_t left_child = left;
  std::uint32_t right_child = right;
  while (left_node != right_node) {
    left_child = std::exchange(left_node, nodes_[left_node].parent);
    right_child = std::exchange(right_node, nodes_[right_node].parent);
  }
  return slot_of(nodes_[left_node], left_child) < slot_of(nodes_[right_node], right_child);
}

std::vector<BlockIndex> Positions::marks_before(BlockIndex item, const ReadMark& read) const {
  effects_.resize(nodes_.size());
  struct Step {
    NodeIndex node;
    std::size_t slot;
  };
  std::vector<Step> path;
  std::uint32_t child = item;
  for (NodeIndex node = leaf_of(item); node != kNoNode; child = node, node = nodes_[node].parent) {
    path.push_back({node, slot_of(nodes_[node], child)});
  }
  MarkEffects sum;
  for (auto step = path.rbegin(); step != path.rend(); ++step) {
    add_effects(sum, nodes_[step->node], step->slot, read);
  }
  std::vector<MarkEffects::Effect> in_force;
  std::copy_if(sum.effects().begin(), sum.effects().end(), std::back_inserter(in_force),
               [](const MarkEffects::Effect& effect) { return !effect.ends; });
  std::sort(in_force.begin(), in_force.end(),
            [&](const auto& left, const auto& right) { return precedes(left.begin, right.begin); });
  std::vector<BlockIndex> marks;
  marks.reserve(in_force.size());
  for (const MarkEffects::Effect& effect : in_force) marks.push_back(effect.last);
  return marks;
}

// Of what stands in the first `slots` slots of the node.
void Positions::add_effects(MarkEffects& sum, const Node& node, std::size_t slots,
                            const ReadMark& read) const {
  for (std::size_t i = 0; i < slots; ++i) {
    const std::uint32_t child = node.child[i];
    if (!node.is_leaf) {
      sum.add(effects_of(child, read));
    } else if (const auto mark = read(child)) {
      sum.add_mark(child, mark->key, mark->ends);
    }
  }
}

const MarkEffects& Positions::effects_of(NodeIndex index, const ReadMark& read) const {
  Node& node = nodes_[index];
  if (!node.knows_effects) {
    effects_[index] = {};
    add_effects(effects_[index], node, node.count, read);
    node.knows_effects = true;
  }
  return effects_[index];
}

void Positions::forget_effects(NodeIndex node) {
  for (; node != kNoNode && nodes_[node].knows_effects; node = nodes_[node].parent) {
    nodes_[node].knows_effects = false;
  }
}

void Positions::inserted(List list, BlockIndex left, BlockIndex item, std::uint32_t units) {
  settle();
  if (left != kNowhere) {
    const NodeIndex leaf = leaf_of(left);
    if (leaf != kNoNode) insert(leaf, slot_of(nodes_[leaf], left) + 1, item, units);
    return;
  }
  const auto root = roots_.find(list);
  if (root == roots_.end()) return;
  NodeIndex node = root->second;
  while (!nodes_[node].is_leaf) node = nodes_[node].child[0];
  insert(node, 0, item, units);
}

void Positions::resized(BlockIndex item, std::uint32_t units) {
  if (item != resized_) {
    settle();
    if (leaf_of(item) == kNoNode) return;
    resized_ = item;
  }
  resized_units_ = units;
}

void Positions::settle() const {
  if (resized_ == kNowhere) return;
  const NodeIndex leaf = leaf_of(resized_);
  std::uint32_t& known = nodes_[leaf].units[slot_of(nodes_[leaf], resized_)];
  const std::uint32_t difference = resized_units_ - known;  // modulo 2^32
  known = resized_units_;
  resized_ = kNowhere;
  add_units(leaf, difference);
}

void Positions::removed(BlockIndex item) {
  settle();
  const NodeIndex leaf = leaf_of(item);
  if (leaf == kNoNode) return;
  leaf_of_[item] = kNoNode;
  const std::size_t slot = slot_of(nodes_[leaf], item);
  const std::uint32_t units = nodes_[leaf].units[slot];
  nodes_[leaf].units[slot] = 0;
  if (units != 0) add_units(leaf, 0U - units);
  erase(leaf, slot);
}

std::vector<Positions::Entry> Positions::entries(List list) const {
  settle();
  std::vector<Entry> found;
  std::vector<std::pair<NodeIndex, std::size_t>> path{{roots_.at(list), 0}};
  while (!path.empty()) {
    auto& [node, slot] = path.back();
    const Node& at = nodes_[node];
    if (slot == at.count) {
      path.pop_back();
    } else if (at.is_leaf) {
      found.push_back({at.child[slot], at.units[slot]});
      ++slot;
    } else {
      const NodeIndex child = at.child[slot];
      PALIMPSEST_ASSERT(nodes_[child].parent == node && total(nodes_[child]) == at.units[slot]);
      ++slot;
      path.emplace_back(child, 0);
    }
  }
  return found;
}

std::vector<Positions::List> Positions::lists() const {
  std::vector<List> lists;
  for (const auto& [list, root] : roots_) lists.push_back(list);
  return lists;
}

std::size_t Positions::memory_bytes() const {
  std::size_t bytes = effects_.capacity() * sizeof(MarkEffects);
  for (const MarkEffects& effects : effects_) bytes += effects.memory_bytes();
  return bytes + nodes_.capacity() * sizeof(Node) + leaf_of_.capacity() * sizeof(NodeIndex);
}

void Positions::set_leaf(BlockIndex item, NodeIndex leaf) {
  if (item >= leaf_of_.size()) {
    leaf_of_.resize(std::max<std::size_t>(item + std::size_t{1}, leaf_of_.size() * 3 / 2), kNoNode);
  }
  leaf_of_[item] = leaf;
}

Positions::NodeIndex Positions::new_node(bool is_leaf, List list) {
  NodeIndex index = 0;
  if (free_nodes_.empty()) {
    index = static_cast<NodeIndex>(nodes_.size());
    nodes_.emplace_back();
  } else {
    index = free_nodes_.back();
    free_nodes_.pop_back();
    nodes_[index] = Node{};
  }
  nodes_[index].is_leaf = is_leaf;
  nodes_[index].list = list;
  return index;
}

std::size_t Positions::slot_of(const Node& node, std::uint32_t child) const {
  const auto end = node.child.begin() + node.count;
  const auto found = std::find(node.child.begin(), end, child);
  PALIMPSEST_ASSERT(found != end);
  return static_cast<std::size_t>(found - node.child.begin());
}

std::uint64_t Positions::total(const Node& node) const {
  return std::accumulate(node.units.begin(), node.units.begin() + node.count, std::uint64_t{0});
}

// Puts a child into a node that has room afterwards, whatever that takes.
void Positions::insert(NodeIndex node, std::size_t slot, std::uint32_t child, std::uint32_t units) {
  if (nodes_[node].count == kFanOut) {
    const NodeIndex right = split(node);
    if (slot > nodes_[node].count) {
      slot -= nodes_[node].count;
      node = right;
    }
  }
  Node& at = nodes_[node];
  const auto shift = [&](std::array<std::uint32_t, kFanOut>& values, std::uint32_t value) {
    std::copy_backward(values.begin() + static_cast<std::ptrdiff_t>(slot),
                       values.begin() + at.count, values.begin() + at.count + 1);
    values[slot] = value;
  };
  shift(at.child, child);
  shift(at.units, units);
  ++at.count;
  adopt(node, child);
  if (units != 0) add_units(node, units);
}

void Positions::adopt(NodeIndex parent, std::uint32_t child) {
  if (nodes_[parent].is_leaf) {
    set_leaf(child, parent);
  } else {
    nodes_[child].parent = parent;
  }
}

// Cuts a full node in two; answers the right one.
Positions::NodeIndex Positions::split(NodeIndex node) {
  if (nodes_[node].parent == kNoNode) {
    const List list = nodes_[node].list;
    const NodeIndex root = new_node(false, list);
    nodes_[root].child[0] = node;
    nodes_[root].units[0] = static_cast<std::uint32_t>(total(nodes_[node]));
    nodes_[root].count = 1;
    nodes_[node].parent = root;
    roots_[list] = root;
  }
  forget_effects(node);
  const NodeIndex right = new_node(nodes_[node].is_leaf, nodes_[node].list);
  Node& from = nodes_[node];
  Node& to = nodes_[right];
  constexpr std::size_t kKept = kFanOut / 2;
  std::copy(from.child.begin() + kKept, from.child.end(), to.child.begin());
  std::copy(from.units.begin() + kKept, from.units.end(), to.units.begin());
  to.count = kFanOut - kKept;
  from.count = kKept;
  for (std::size_t i = 0; i < to.count; ++i) adopt(right, to.child[i]);

  const auto moved = static_cast<std::uint32_t>(total(to));
  const NodeIndex parent = from.parent;
  const std::size_t slot = slot_of(nodes_[parent], node);
  // The parent as a whole has as many units as before.
  nodes_[parent].units[slot] -= moved;
  add_units(parent, 0U - moved);
  insert(parent, slot + 1, right, moved);
  return right;
}

// The node has so many units more, modulo 2^32: tells those above it.
void Positions::add_units(NodeIndex node, std::uint32_t difference) const {
  while (nodes_[node].parent != kNoNode) {
    const NodeIndex parent = nodes_[node].parent;
    nodes_[parent].units[slot_of(nodes_[parent], node)] += difference;
    node = parent;
  }
}

void Positions::erase(NodeIndex node, std::size_t slot) {
  Node& at = nodes_[node];
  const auto shift = [&](std::array<std::uint32_t, kFanOut>& values) {
    std::copy(values.begin() + static_cast<std::ptrdiff_t>(slot) + 1, values.begin() + at.count,
              values.begin() + static_cast<std::ptrdiff_t>(slot));
  };
  shift(at.child);
  shift(at.units);
  --at.count;
  if (at.count > 0) return;
  if (at.parent == kNoNode) {
    at.is_leaf = true;
    return;
  }
  const NodeIndex parent = at.parent;
  free_nodes_.push_back(node);
  erase(parent, slot_of(nodes_[parent], node));
}

}  // namespace palimpsest::crdt::internal
