#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "block_list.hpp"
#include "crdt/id.hpp"

namespace palimpsest::crdt::internal {

struct Block;
struct Core;

// Items with one origin in one list, siblings, in the order of the list: for places at which so
// many were written at the same time that YATA's conflict scan, which passes all of them, would
// cost the square of their number. Only such places are kept here.
//
// What the scan looks for can be asked of the siblings alone, since what hangs on one stands
// directly behind it: it stops at the first sibling of the same right origin by a client that is
// not lower, or at the right origin itself, and its answer stands behind the last sibling before
// that by a lower client. Of the same right origin siblings stand in the order of their clients.
//
// Invariant: a group holds all siblings of its origin.
// Cost:      place() O(log n + n / kChunkSize); insert and erase O(kChunkSize + n / kChunkSize).
class Siblings {
 public:
  // Items of one list (or of one map entry's) with one origin.
  struct Key {
    std::uint32_t parent;
    bool in_map;
    std::uint32_t origin_client;  // kNone: no origin
    Clock origin_clock;

    friend auto operator<=>(const Key&, const Key&) = default;
  };
  static Key key_of(const Block& item);

  class Group;
  // Where an item is to go: `behind` a sibling and what hangs on it, or directly behind the origin
  // where there is none.
  struct Spot {
    std::optional<BlockIndex> behind;
    std::optional<BlockIndex> next;  // the sibling that follows
  };

  Siblings();
  Siblings(Siblings&&) noexcept;
  Siblings& operator=(Siblings&&) noexcept;
  ~Siblings();

  bool empty() const { return groups_.empty(); }
  // Null where the place is none of those that are kept.
  Group* find(const Key& key) const;
  // Starts a group; the siblings that are there are added from the first to the last.
  Group& begin(const Key& key);

  // `right` stands right of the item; `inside` says whether it hangs on, or is, which sibling.
  struct Limit {
    std::optional<BlockIndex> sibling;  // the last one that counts, or nothing
    bool included = false;              // else those before it count
  };
  Spot place(const Core& core, const Group& group, const Block& item, Limit limit) const;

  // `behind` is the sibling before it, if there is one.
  void insert(const Core& core, Group& group, std::optional<BlockIndex> behind, BlockIndex item);
  // Of any item; most are in no group.
  void erase(const Core& core, BlockIndex item);

  // Which sibling an item was found to hang on, if that is remembered. Forgotten when an index may
  // come to mean another item.
  std::optional<BlockIndex> remembered(const Group& group, BlockIndex item) const;
  void remember(Group& group, BlockIndex item, BlockIndex sibling);
  void forget();

  std::size_t memory_bytes() const;

 private:
  struct Chunk;
  struct Member;

  std::map<Key, std::unique_ptr<Group>> groups_;
  std::unordered_map<BlockIndex, Member> members_;
};

}  // namespace palimpsest::crdt::internal
