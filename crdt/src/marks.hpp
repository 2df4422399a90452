#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "crdt/error.hpp"
#include "crdt/id.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::crdt::internal {

// The first of the notes, which are in the order of their clocks up to `last`, that `is_behind`, as
// are all after it; their number where none is. People at once leave about as many notes as units,
// so it is looked for from where it would be if the notes were evenly spread.
template <class Note, class IsBehind>
std::size_t first_near(const std::vector<Note>& notes, Clock clock, Clock last,
                       IsBehind is_behind) {
  const std::size_t size = notes.size();
  if (size == 0 || clock >= last) return size;
  const double share = static_cast<double>(clock) / static_cast<double>(last);
  const auto guess =
      std::min(size - 1, static_cast<std::size_t>(share * static_cast<double>(size)));
  std::size_t low = guess;   // none before it is, or it is 0
  std::size_t high = guess;  // it is, or it is the end
  for (std::size_t step = 1; low > 0 && is_behind(notes[low - 1]); step *= 2) {
    high = low - 1;
    low = low > step ? low - step : 0;
  }
  for (std::size_t step = 1; high < size && !is_behind(notes[high]); step *= 2) {
    low = high + 1;
    high = size - high > step ? high + step : size;
  }
  const auto first = notes.begin() + static_cast<std::ptrdiff_t>(low);
  const auto behind = notes.begin() + static_cast<std::ptrdiff_t>(high);
  return static_cast<std::size_t>(
      std::partition_point(first, behind, [&](const Note& note) { return !is_behind(note); }) -
      notes.begin());
}

// Which update brought each unit of one client. A client's units come in the order of their clocks,
// so a note says with which update a stretch begins, and whether each unit of it came with the
// update after the one before: so does what is typed by one person alone.
//
// Cost: 16 bytes for a stretch; lookup O(log n).
class InsertionMarks {
 public:
  // The units from the end of what is marked up to `end`.
  void add(Clock end, std::uint32_t seq) {
    const Clock begin = end_;
    if (begin == end) return;
    end_ = end;
    if (!notes_.empty()) {
      Note& last = notes_.back();
      const Clock length = begin - last.clock;
      if (last.step == 0 && last.seq == seq) return;
      const bool can_step = last.step == 1 || length == 1;
      if (can_step && end - begin == 1 && last.seq + length == seq) {
        last.step = 1;
        return;
      }
    }
    notes_.push_back({begin, seq, 0});
  }

  // Visits the units of [begin, end), all marked, as stretches: visit(count, seq of the first,
  // step).
  template <class Visit>
  void for_each(Clock begin, Clock end, Visit&& visit) const {
    PALIMPSEST_ASSERT(end <= end_);
    for (std::size_t i = find(begin); begin < end; ++i) {
      const Note& note = notes_[i];
      const Clock behind = std::min(end, i + 1 < notes_.size() ? notes_[i + 1].clock : end_);
      visit(behind - begin, note.seq_of(begin), note.step);
      begin = behind;
    }
  }

  // How many units had come with updates up to `seq`.
  Clock count_at(std::uint32_t seq) const {
    const auto behind =
        std::upper_bound(notes_.begin(), notes_.end(), seq,
                         [](std::uint32_t at, const Note& note) { return at < note.seq; });
    if (behind == notes_.begin()) return 0;
    const Note& note = *std::prev(behind);
    const Clock end = behind == notes_.end() ? end_ : behind->clock;
    return note.step == 0 ? end : std::min(end, note.clock + (seq - note.seq) + 1);
  }

  Clock end() const { return end_; }
  std::size_t memory_bytes() const { return notes_.capacity() * sizeof(Note); }

  // weave_form.cpp. read() throws DecodeError; no mark is of an update behind `last_seq`.
  void write(Writer& writer) const;
  static InsertionMarks read(Reader& reader, std::uint32_t last_seq);

 private:
  struct Note {
    Clock clock;
    std::uint32_t seq;  // rising from one to the next
    std::uint32_t step;

    std::uint32_t seq_of(Clock at) const {
      return seq + step * static_cast<std::uint32_t>(at - clock);
    }
  };

  std::size_t find(Clock clock) const {
    return first_near(notes_, clock, end_,
                      [clock](const Note& note) { return note.clock > clock; }) -
           1;
  }

  std::vector<Note> notes_;
  Clock end_ = 0;
};

// Which update deleted the units of one client that are. Each unit is marked once. Stretches that
// were erased key by key, in either direction, are one note.
//
// Cost: 24 bytes for a note. sort() O(n) and, of what is new, O(n log n); lookup O(log n).
class DeletionMarks {
 public:
  struct Note {
    Clock clock;
    std::uint32_t length;
    std::uint32_t seq;  // of the unit at `clock`
    std::int32_t step;  // from one unit to the next
    std::uint32_t sender;

    Clock end() const { return clock + length; }
    std::uint32_t seq_of(Clock at) const {
      return seq + static_cast<std::uint32_t>(step) * static_cast<std::uint32_t>(at - clock);
    }
    std::uint32_t last_seq() const { return seq_of(end() - 1); }
    // Of a stretch that was erased key by key, what went behind `from` and up to `to`: it begins
    // and ends where. Nothing where it ends before it begins.
    std::pair<Clock, Clock> clocks_between(std::uint32_t from, std::uint32_t to) const {
      const std::uint64_t first = seq;
      if (step == 0) return {clock, first > from && first <= to ? end() : clock};
      if (step > 0) {
        const Clock begin = clock + (from >= first ? from - first + 1 : 0);
        return {begin, std::min<Clock>(end(), to >= first ? clock + (to - first) + 1 : clock)};
      }
      const Clock begin = clock + (first > to ? first - to : 0);
      return {begin, std::min<Clock>(end(), first > from ? clock + (first - from) : clock)};
    }
  };

  void add(Clock clock, std::uint64_t length, std::uint32_t seq, std::uint32_t sender) {
    if (sorted_ < notes_.size() && length == 1 && extend(notes_.back(), clock, seq, sender)) return;
    constexpr std::uint64_t kMost = std::uint64_t{1} << 31;
    for (; length > kMost; length -= kMost, clock += kMost) {
      notes_.push_back({clock, static_cast<std::uint32_t>(kMost), seq, 0, sender});
    }
    notes_.push_back({clock, static_cast<std::uint32_t>(length), seq, 0, sender});
  }

  // By clock; for_each() needs it.
  void sort() {
    const auto precedes = [](const Note& a, const Note& b) { return a.clock < b.clock; };
    const auto middle = notes_.begin() + static_cast<std::ptrdiff_t>(sorted_);
    std::sort(middle, notes_.end(), precedes);
    std::inplace_merge(notes_.begin(), middle, notes_.end(), precedes);
    sorted_ = notes_.size();
  }

  // Visits the marked parts of [begin, end) in order: visit(note, clock, end).
  template <class Visit>
  void for_each(Clock begin, Clock end, Visit&& visit) const {
    const Clock last = notes_.empty() ? 0 : notes_.back().end();
    for (std::size_t i = first_near(notes_, begin, last,
                                    [begin](const Note& note) { return note.end() > begin; });
         i < notes_.size() && notes_[i].clock < end; ++i) {
      visit(notes_[i], std::max(begin, notes_[i].clock), std::min(end, notes_[i].end()));
    }
  }

  const std::vector<Note>& notes() const { return notes_; }
  std::size_t memory_bytes() const { return notes_.capacity() * sizeof(Note); }

  // weave_form.cpp. To be sorted before; `owner` is who mostly deletes here. read() throws
  // DecodeError; no mark is of a clock from `end` on, of an update behind `last_seq`, or by one
  // from `people` on.
  void write(Writer& writer, std::uint32_t owner) const;
  struct Bounds {
    std::uint32_t owner;
    Clock end;
    std::uint32_t last_seq;
    std::uint32_t people;
  };
  static DeletionMarks read(Reader& reader, const Bounds& bounds);

 private:
  static bool extend(Note& last, Clock clock, std::uint32_t seq, std::uint32_t sender) {
    if (last.sender != sender) return false;
    if (clock + 1 == last.clock && seq == last.seq + 1 && (last.length == 1 || last.step == -1)) {
      last = {clock, last.length + 1, seq, -1, sender};
      return true;
    }
    if (clock == last.end() && seq == last.last_seq() + 1 && (last.length == 1 || last.step == 1)) {
      ++last.length;
      last.step = 1;
      return true;
    }
    return false;
  }

  std::vector<Note> notes_;
  std::size_t sorted_ = 0;  // so many from the front are, and stay as they are
};

}  // namespace palimpsest::crdt::internal
