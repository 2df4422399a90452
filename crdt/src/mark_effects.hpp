#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "block_list.hpp"

namespace palimpsest::crdt::internal {

// What the formatting marks of a stretch of a text do together: for each key that they set, the
// last of them, and which of them began what is in force behind the stretch. Stretches that follow
// each other add up, so that a tree over the text can know this for each of its nodes.
//
// Cost: a mark O(log n) in keys, and O(n) for one of a new key; a stretch so much for each key in
// it.
class MarkEffects {
 public:
  struct Effect {
    std::uint32_t key;
    BlockIndex begin;  // the first mark that set the key since it was ended last
    BlockIndex last;
    bool ends;    // the last one ends what was in force
    bool resets;  // and so does one of them
  };

  void add_mark(BlockIndex mark, std::uint32_t key, bool ends) {
    add({.key = key, .begin = mark, .last = mark, .ends = ends, .resets = ends});
  }
  // What the stretch behind this one does.
  void add(const MarkEffects& behind) {
    for (const Effect& effect : behind.effects_) add(effect);
  }

  // By key.
  const std::vector<Effect>& effects() const { return effects_; }
  std::size_t memory_bytes() const { return effects_.capacity() * sizeof(Effect); }

 private:
  void add(const Effect& behind) {
    const auto at =
        std::lower_bound(effects_.begin(), effects_.end(), behind.key,
                         [](const Effect& effect, std::uint32_t key) { return effect.key < key; });
    if (at == effects_.end() || at->key != behind.key) {
      effects_.insert(at, behind);
      return;
    }
    const bool begins_behind = at->ends || behind.resets;
    at->begin = begins_behind ? behind.begin : at->begin;
    at->last = behind.last;
    at->resets = at->resets || behind.resets;
    at->ends = behind.ends;
  }

  std::vector<Effect> effects_;
};

}  // namespace palimpsest::crdt::internal
