#include "block_list.hpp"

#include <algorithm>

namespace palimpsest::crdt::internal {
void BlockList::push_back(BlockIndex block, std::uint32_t length) {
  if (chunks_.empty() || chunks_.back().entries.size() == kChunkSize ||
      clock_ - chunks_.back().base > kChunkSpan) {
    const bool is_long = !chunks_.empty();
    Chunk& chunk = chunks_.emplace_back();
    chunk.base = clock_;
    if (is_long) chunk.entries.reserve(kChunkSize);
  }
  Chunk& chunk = chunks_.back();
  chunk.entries.push_back({static_cast<std::uint32_t>(clock_ - chunk.base), block});
  clock_ += length;
  ++size_;
}

BlockList::Place BlockList::insert_after(Place place, Clock clock, BlockIndex block) {
  if (chunks_[place.chunk].entries.size() == kChunkSize) {
    constexpr std::size_t kHalf = kChunkSize / 2;
    chunks_.insert(chunks_.begin() + place.chunk + 1, Chunk{});
    std::vector<Entry>& lower = chunks_[place.chunk].entries;
    Chunk& upper = chunks_[place.chunk + 1];
    upper.base = chunks_[place.chunk].base;
    upper.entries.reserve(kChunkSize);
    upper.entries.assign(lower.begin() + kHalf, lower.end());
    lower.resize(kHalf);
    move_base_to_first(upper);
    if (place.slot >= kHalf)
      place = {place.chunk + 1, place.slot - static_cast<std::uint32_t>(kHalf)};
  }
  Chunk& chunk = chunks_[place.chunk];
  chunk.entries.insert(chunk.entries.begin() + place.slot + 1,
                       {static_cast<std::uint32_t>(clock - chunk.base), block});
  ++size_;
  return {place.chunk, place.slot + 1};
}

void BlockList::move_start(Place place, Clock clock) {
  Chunk& chunk = chunks_[place.chunk];
  if (place.slot > 0) {
    chunk.entries[place.slot].offset = static_cast<std::uint32_t>(clock - chunk.base);
    return;
  }
  // The distance to the others changes with the base; modulo 2^32 also where it becomes longer.
  const auto by = static_cast<std::uint32_t>(clock - chunk.base);
  chunk.base = clock;
  for (std::size_t i = 1; i < chunk.entries.size(); ++i) chunk.entries[i].offset -= by;
}

void BlockList::erase_after(Place place, std::size_t count) {
  size_ -= count;
  bool emptied = false;
  std::size_t from = place.slot + 1;
  for (std::size_t c = place.chunk; count > 0; ++c, from = 0) {
    std::vector<Entry>& entries = chunks_[c].entries;
    const std::size_t here = std::min(count, entries.size() - from);
    if (here == 0) continue;
    const auto first = entries.begin() + static_cast<std::ptrdiff_t>(from);
    entries.erase(first, first + static_cast<std::ptrdiff_t>(here));
    count -= here;
    if (entries.empty()) {
      emptied = true;
    } else if (from == 0) {
      move_base_to_first(chunks_[c]);
    }
  }
  if (emptied) drop_empty_chunks(place.chunk);
  join_next_chunk(place.chunk);
}

std::size_t BlockList::count_from(Place place) const {
  std::size_t count = chunks_[place.chunk].entries.size() - place.slot;
  for (std::size_t c = place.chunk + 1; c < chunks_.size(); ++c) count += chunks_[c].entries.size();
  return count;
}

std::size_t BlockList::memory_bytes() const {
  std::size_t bytes = chunks_.capacity() * sizeof(Chunk);
  for (const Chunk& chunk : chunks_) bytes += chunk.entries.capacity() * sizeof(Entry);
  return bytes;
}

BlockList::Place BlockList::search(Clock clock) const {
  std::size_t c = chunks_.size() - 1;
  if (clock < chunks_[c].base) {
    const auto after =
        std::upper_bound(chunks_.begin(), chunks_.end(), clock,
                         [](Clock value, const Chunk& chunk) { return value < chunk.base; });
    c = static_cast<std::size_t>(after - chunks_.begin()) - 1;
  }
  // Halves the entries without a branch to guess: `first` stays at or before the one sought.
  const Chunk& chunk = chunks_[c];
  const Clock offset = clock - chunk.base;
  const Entry* first = chunk.entries.data();
  for (std::size_t count = chunk.entries.size(); count > 1;) {
    const std::size_t half = count / 2;
    first = first[half].offset <= offset ? first + half : first;
    count -= half;
  }
  return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(first - chunk.entries.data())};
}

void BlockList::move_base_to_first(Chunk& chunk) {
  const std::uint32_t by = chunk.entries.front().offset;
  if (by == 0) return;
  chunk.base += by;
  for (Entry& entry : chunk.entries) entry.offset -= by;
}

void BlockList::drop_empty_chunks(std::size_t first) {
  const auto from = chunks_.begin() + static_cast<std::ptrdiff_t>(first);
  chunks_.erase(
      std::remove_if(from, chunks_.end(), [](const Chunk& chunk) { return chunk.entries.empty(); }),
      chunks_.end());
}

// Keeps a list that shrinks from being many chunks with little in each.
void BlockList::join_next_chunk(std::size_t c) {
  if (c + 1 >= chunks_.size()) return;
  std::vector<Entry>& entries = chunks_[c].entries;
  const Chunk& next = chunks_[c + 1];
  const Clock distance = next.base - chunks_[c].base;
  if (entries.size() + next.entries.size() > kChunkSize / 2 || distance > kChunkSpan) return;
  if (distance + next.entries.back().offset > kChunkSpan) return;
  for (const Entry& entry : next.entries) {
    entries.push_back({static_cast<std::uint32_t>(distance + entry.offset), entry.block});
  }
  chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(c) + 1);
}

}  // namespace palimpsest::crdt::internal
