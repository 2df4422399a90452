#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "block_list.hpp"
#include "core.hpp"
#include "crdt/id.hpp"
#include "scratch.hpp"

namespace palimpsest::crdt::internal {

// Which block holds a clock, of blocks that come in the order of their clocks and stand side by
// side in the pool: a bit for each clock, set where a block ends, and for every kStretch of them
// how many blocks end before (Jacobson 1989, rank).
//
// Cost: 8 bytes for kStretch clocks, at most kNotesPerBlock times as many as blocks, so that long
//       blocks cannot make it large; add() and every question O(1).
class Guide {
 public:
  // Of one client.
  struct Range {
    std::size_t begin = 0;
    BlockIndex first = 0;  // in the pool
    Clock covered = 0;     // clocks below; stays where it is once they take too many notes
  };

  // That the pool gets so many blocks in all.
  void make_room(std::size_t blocks) { notes_.make_room(used_, (blocks + 2) * kNotesPerBlock); }
  Range begin(BlockIndex first) {
    notes_[used_] = 0;
    return {used_, first};
  }
  // `block` reaches from `begin` to `end`, behind all others of the range.
  [[gnu::always_inline]] void add(Range& range, BlockIndex block, Clock begin, Clock end) {
    const Clock further = end / kStretch - begin / kStretch;
    if (range.covered != begin || further > kFew) return add_long(range, block, begin, end);
    Note* const here = &notes_[range.begin + static_cast<std::size_t>(begin / kStretch)];
    for (std::size_t i = 1; i <= kFew; ++i) here[i] = Note{block - range.first} << 32;
    here[further] |= Note{1} << end % kStretch;
    range.covered = end;
  }
  void finish(const Range& range) {
    used_ = range.begin + static_cast<std::size_t>(range.covered / kStretch) + 1;
  }

  // The block that ends with a clock that is covered; kNone where none does.
  [[gnu::always_inline]] BlockIndex ending_with(const Range& range, Clock clock) const {
    const Clock end = clock + 1;
    const Note note = notes_[range.begin + static_cast<std::size_t>(end / kStretch)];
    const auto bit = std::uint32_t{1} << end % kStretch;
    const auto ends = static_cast<std::uint32_t>(note);
    if ((ends & bit) == 0) return kNone;
    return range.first + static_cast<BlockIndex>(note >> 32) + count_bits(ends & (bit - 1));
  }
  // The block that holds a clock that is covered.
  BlockIndex holding(const Range& range, Clock clock) const {
    const Note note = notes_[range.begin + static_cast<std::size_t>(clock / kStretch)];
    const auto up_to = (std::uint64_t{2} << clock % kStretch) - 1;
    return range.first + static_cast<BlockIndex>(note >> 32) +
           count_bits(static_cast<std::uint32_t>(note & up_to));
  }

 private:
  using Note = std::uint64_t;  // bits of ends, and above them how many ends there are before

  // The processors we build for need not have an instruction for it.
  static std::uint32_t count_bits(std::uint32_t bits) {
    bits -= bits >> 1 & 0x55555555;
    bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
    return ((bits + (bits >> 4)) & 0x0F0F0F0F) * 0x01010101 >> 24;
  }
  // The notes of a long block are paid for by all blocks up to it. To make up for them later would
  // lead far away from the block.
  [[gnu::noinline]] void add_long(Range& range, BlockIndex block, Clock begin, Clock end) {
    const std::uint64_t wanted = range.begin + end / kStretch;
    if (range.covered != begin || wanted >= (block + std::uint64_t{1}) * kNotesPerBlock) return;
    const std::size_t from = range.begin + static_cast<std::size_t>(begin / kStretch);
    std::fill(&notes_[from] + 1, &notes_[static_cast<std::size_t>(wanted)] + 1,
              Note{block - range.first} << 32);
    notes_[static_cast<std::size_t>(wanted)] |= Note{1} << end % kStretch;
    range.covered = end;
  }

  static constexpr std::uint32_t kStretch = 32;
  static constexpr std::size_t kNotesPerBlock = 4;
  static constexpr std::uint32_t kFew = 3;

  Scratch<Note> notes_;
  std::size_t used_ = 0;
};

}  // namespace palimpsest::crdt::internal
