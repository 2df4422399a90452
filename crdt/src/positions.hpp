#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "block_list.hpp"
#include "mark_effects.hpp"

namespace palimpsest::crdt::internal {

// Which item stands at an index of a list, and at which index an item stands: for each list that
// was asked for, an order-statistic B+ tree over its items (Bayer and McCreight 1972, with the
// visible units of each subtree counted; deleted items are in it with none). A document nobody asks
// for an index has no tree and pays one comparison a change.
//
// Of a text with formatting the nodes also know what the marks in them do. That is found out when
// somebody asks, and again for the nodes that a mark has come to or gone from.
//
// Invariant: a tree holds the items of its list in order, each with its visible units; every leaf
//            is at the same depth.
// Units:     what the list counts: UTF-16 units of text, elements.
// Cost:      find(), index_of(), precedes() and every change O(log n); build() O(n); what marks do
//            O(log n) for each key that is set with formatting in the list.
class Positions {
 public:
  using List = std::uint32_t;  // the TypeIndex of a list

  bool empty() const { return roots_.empty(); }
  bool has(List list) const { return roots_.contains(list); }

  // Starts the tree of a list that has none; add() then gives it the items, first to last.
  void begin(List list);
  void add(List list, BlockIndex item, std::uint32_t units);

  std::uint64_t units(List list) const;
  // The item that holds the unit before `index`, and how many of its units stand before `index`;
  // 0 < index <= units(list).
  struct Place {
    BlockIndex item;
    std::uint32_t units;
  };
  Place find(List list, std::uint64_t index) const;
  // How many units stand before an item of a list that has a tree.
  std::uint64_t index_of(BlockIndex item) const;
  // Which of two items of such a list stands first.
  bool precedes(BlockIndex left, BlockIndex right) const;

  // How the list's marks are read: of an item that is one, and not deleted, its key and whether it
  // ends what was in force.
  struct Mark {
    std::uint32_t key;
    bool ends;
  };
  using ReadMark = std::function<std::optional<Mark>(BlockIndex)>;
  // The marks whose formatting is in force where the item begins, by where that was begun.
  std::vector<BlockIndex> marks_before(BlockIndex item, const ReadMark& read) const;

  // What happens to an item of any list; those without a tree are passed over. `left` is the item
  // that it stands behind, kNowhere at the start of its list.
  static constexpr BlockIndex kNowhere = 0xFFFFFFFF;
  void inserted(List list, BlockIndex left, BlockIndex item, std::uint32_t units);
  void resized(BlockIndex item, std::uint32_t units);
  void removed(BlockIndex item);
  // The item is a mark that is new, or deleted. Other items have no say in formatting.
  void mark_changed(BlockIndex item) { forget_effects(leaf_of(item)); }

  // All items of a list with their units, first to last. For check_invariants().
  using Entry = Place;
  std::vector<Entry> entries(List list) const;
  std::vector<List> lists() const;
  std::size_t memory_bytes() const;

 private:
  using NodeIndex = std::uint32_t;
  static constexpr NodeIndex kNoNode = 0xFFFFFFFF;
  static constexpr std::size_t kFanOut = 32;

  struct Node {
    NodeIndex parent = kNoNode;
    std::uint16_t count = 0;
    bool is_leaf = true;
    bool knows_effects = false;  // of its marks; then so do all below
    List list = 0;
    std::array<std::uint32_t, kFanOut> child;  // items in a leaf, else nodes
    std::array<std::uint32_t, kFanOut> units;
  };

  NodeIndex leaf_of(BlockIndex item) const {
    return item < leaf_of_.size() ? leaf_of_[item] : kNoNode;
  }
  // Typing on makes one item longer and longer: the last one is told to the tree when something
  // else is asked or told.
  void settle() const;
  void set_leaf(BlockIndex item, NodeIndex leaf);
  NodeIndex new_node(bool is_leaf, List list);
  std::size_t slot_of(const Node& node, std::uint32_t child) const;
  std::uint64_t total(const Node& node) const;
  void insert(NodeIndex node, std::size_t slot, std::uint32_t child, std::uint32_t units);
  NodeIndex split(NodeIndex node);
  void add_units(NodeIndex node, std::uint32_t difference) const;
  void erase(NodeIndex node, std::size_t slot);
  void adopt(NodeIndex parent, std::uint32_t child);
  void forget_effects(NodeIndex node);
  const MarkEffects& effects_of(NodeIndex node, const ReadMark& read) const;
  void add_effects(MarkEffects& sum, const Node& node, std::size_t slots,
                   const ReadMark& read) const;

  mutable std::vector<Node> nodes_;
  std::vector<NodeIndex> free_nodes_;
  std::vector<NodeIndex> leaf_of_;  // by item
  std::unordered_map<List, NodeIndex> roots_;
  mutable std::vector<MarkEffects> effects_;  // by node, of those that know them
  mutable BlockIndex resized_ = kNowhere;     // not told yet: that it has so many units now
  mutable std::uint32_t resized_units_ = 0;
};

}  // namespace palimpsest::crdt::internal
