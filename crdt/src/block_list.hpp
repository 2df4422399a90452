#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "crdt/error.hpp"
#include "crdt/id.hpp"

namespace palimpsest::crdt::internal {

using BlockIndex = std::uint32_t;

// The blocks of one client in the order of their clocks, which follow each other without a gap:
// chunks of at most kChunkSize entries, found by the clock of their first.
//
// Invariant: no chunk is empty; an entry's offset is its clock less its chunk's, and fits 32 bits.
// Cost:      find() O(log n), O(1) near the last one found; push_back() O(1); insert and erase
//            O(kChunkSize + n / kChunkSize).
class BlockList {
 public:
  // Where a block stands. Valid until the list changes.
  struct Place {
    std::uint32_t chunk = 0;
    std::uint32_t slot = 0;

    friend bool operator==(Place, Place) = default;
  };

  bool empty() const { return chunks_.empty(); }
  std::size_t size() const { return size_; }
  // The clock behind the last block, 0 when there is none.
  Clock clock() const { return clock_; }

  Place begin() const { return {0, 0}; }
  Place end() const { return {static_cast<std::uint32_t>(chunks_.size()), 0}; }
  Place last() const {
    return {static_cast<std::uint32_t>(chunks_.size() - 1),
            static_cast<std::uint32_t>(chunks_.back().entries.size() - 1)};
  }
  Place next(Place place) const {
    return ++place.slot < chunks_[place.chunk].entries.size() ? place : Place{place.chunk + 1, 0};
  }
  // Of a place that is not the first.
  Place previous(Place place) const {
    if (place.slot > 0) return {place.chunk, place.slot - 1};
    return {place.chunk - 1,
            static_cast<std::uint32_t>(chunks_[place.chunk - 1].entries.size() - 1)};
  }

  BlockIndex operator[](Place place) const {
    return chunks_[place.chunk].entries[place.slot].block;
  }
  BlockIndex back() const { return chunks_.back().entries.back().block; }
  Clock clock_at(Place place) const {
    const Chunk& chunk = chunks_[place.chunk];
    return chunk.base + chunk.entries[place.slot].offset;
  }

  // How many blocks there are from this place on. O(n / kChunkSize) in those.
  std::size_t count_from(Place place) const;

  // The place of the block that holds `clock`, which is below clock().
  Place find(Clock clock) const {
    PALIMPSEST_ASSERT(clock < clock_);
    if (holds(hint_, clock)) return hint_;
    if (hint_.chunk < chunks_.size() && holds({hint_.chunk, hint_.slot + 1}, clock)) {
      ++hint_.slot;
      return hint_;
    }
    return hint_ = search(clock);
  }

  // Appends a block that begins at clock().
  void push_back(BlockIndex block, std::uint32_t length);
  // Fills an empty list with the blocks `first` to `end`, which end at `clock`.
  template <class ClockOf>
  void assign(BlockIndex first, BlockIndex end, Clock clock, ClockOf&& clock_of);
  // The last block has become longer.
  void extend(std::uint32_t length) { clock_ += length; }
  // Puts `block`, which begins at `clock`, behind the block at `place`; answers its place.
  Place insert_after(Place place, Clock clock, BlockIndex block);
  // The block at `place`, not the first, begins at `clock` now: somewhere in itself or in the block
  // before it.
  void move_start(Place place, Clock clock);
  // Takes out `count` blocks behind the one at `place`, which stays valid.
  void erase_after(Place place, std::size_t count);
  // Visits the blocks behind the one at `place`, first to last: `join(left, right)` says whether
  // `right` has become a part of `left`, the last one that stayed. Such blocks are taken out.
  // Answers whether the very first was one.
  template <class Join>
  bool join_behind(Place place, Join&& join);
  // Replaces the block at `place` by another that begins at the same clock.
  void replace(Place place, BlockIndex block) {
    chunks_[place.chunk].entries[place.slot].block = block;
  }

  std::size_t memory_bytes() const;

 private:
  static constexpr std::size_t kChunkSize = 256;
  // A block is not longer than 2^31, so one that begins within this of its chunk's first can be cut
  // anywhere and the offset of the right part still fits 32 bits.
  static constexpr Clock kChunkSpan = Clock{1} << 31;

  struct Entry {
    std::uint32_t offset = 0;
    BlockIndex block = 0;
  };
  struct Chunk {
    Clock base = 0;
    std::vector<Entry> entries;
  };

  bool holds(Place place, Clock clock) const {
    if (place.chunk >= chunks_.size()) return false;
    const Chunk& chunk = chunks_[place.chunk];
    if (place.slot >= chunk.entries.size() || clock < chunk.base + chunk.entries[place.slot].offset)
      return false;
    if (place.slot + 1 < chunk.entries.size())
      return clock < chunk.base + chunk.entries[place.slot + 1].offset;
    return place.chunk + 1 == chunks_.size() || clock < chunks_[place.chunk + 1].base;
  }
  Place search(Clock clock) const;
  void move_base_to_first(Chunk& chunk);
  void drop_empty_chunks(std::size_t first);
  void join_next_chunk(std::size_t c);

  std::vector<Chunk> chunks_;
  std::size_t size_ = 0;
  Clock clock_ = 0;
  mutable Place hint_;  // of the last one found; checked before it is believed
};

template <class ClockOf>
void BlockList::assign(BlockIndex first, BlockIndex end, Clock clock, ClockOf&& clock_of) {
  PALIMPSEST_ASSERT(empty());
  const std::size_t count = end - first;
  chunks_.reserve((count + kChunkSize - 1) / kChunkSize);
  for (BlockIndex block = first; block < end;) {
    Chunk& chunk = chunks_.emplace_back();
    chunk.base = clock_of(block);
    chunk.entries.resize(std::min<std::size_t>(end - block, kChunkSize));
    std::size_t taken = 0;
    for (Entry& entry : chunk.entries) {
      const Clock offset = clock_of(block) - chunk.base;
      if (offset > kChunkSpan) break;
      entry = {static_cast<std::uint32_t>(offset), block++};
      ++taken;
    }
    chunk.entries.resize(taken);
  }
  size_ = count;
  clock_ = clock;
}

template <class Join>
bool BlockList::join_behind(Place place, Join&& join) {
  BlockIndex left = (*this)[place];
  bool first = true;
  bool first_joined = false;
  bool emptied = false;
  for (std::size_t c = place.chunk; c < chunks_.size(); ++c) {
    std::vector<Entry>& entries = chunks_[c].entries;
    std::size_t kept = c == place.chunk ? place.slot + 1 : 0;
    for (std::size_t i = kept; i < entries.size(); ++i) {
      if (join(left, entries[i].block)) {
        first_joined = first_joined || first;
      } else {
        left = entries[i].block;
        entries[kept++] = entries[i];
      }
      first = false;
    }
    if (kept == entries.size()) continue;
    size_ -= entries.size() - kept;
    entries.resize(kept);
    emptied = emptied || kept == 0;
    if (kept > 0) move_base_to_first(chunks_[c]);
  }
  if (emptied) drop_empty_chunks(place.chunk);
  return first_joined;
}

}  // namespace palimpsest::crdt::internal
