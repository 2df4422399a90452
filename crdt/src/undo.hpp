#pragma once

#include <map>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "crdt/change_set.hpp"
#include "write.hpp"

namespace palimpsest::crdt::internal {

// Takes the effect of a set of changes back, within a change of ours (Yjs: popStackItem in
// UndoManager and redoItem). Four steps: cut items at the ends of the ranges; see which to delete
// and which to bring back; bring back, each as a copy beside its original; delete.
//
// Cost: O(log n) per item of the ranges, and once the length of each list whose type is deleted
//       and comes back.
class Undoing {
 public:
  Undoing(Writing& writing, const ChangeSet& changes);
  Undone run();

 private:
  using Visited = std::vector<BlockIndex>;
  // A deleted type that comes back: where its items stood, and the copies there are of them.
  struct Revival {
    std::unordered_map<BlockIndex, std::size_t> ranks;
    std::map<std::size_t, BlockIndex> copies;
  };
  struct Neighbours {
    BlockIndex left = kNone;
    BlockIndex right = kNone;
  };

  void cut(const DeleteSet& set);
  Visited items_of(const DeleteSet& set) const;
  void bring_back(BlockIndex item);
  bool bring_back_one(BlockIndex item);
  std::optional<TypeIndex> new_home_of(BlockIndex item) const;
  Neighbours place_in_list(BlockIndex item, TypeIndex home);
  std::optional<BlockIndex> place_in_map(BlockIndex item, TypeIndex home);
  BlockIndex copy(BlockIndex item, TypeIndex home, Neighbours place);
  BlockIndex find_earlier_copy(BlockIndex item) const;
  bool same_content(const Block& a, const Block& b) const;
  Revival& revival_of(TypeIndex type);

  Writing& writing_;
  Core& core_;
  DeleteSet inserted_;
  DeleteSet deleted_;
  std::unordered_set<BlockIndex> to_bring_back_;
  std::unordered_map<BlockIndex, BlockIndex> copies_;  // of items brought back
  std::unordered_set<BlockIndex> kept_;                // copies that an earlier undo has made
  std::unordered_map<TypeIndex, Revival> revivals_;
  Undone undone_;
};

}  // namespace palimpsest::crdt::internal
