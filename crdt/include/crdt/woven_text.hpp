#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"
#include "crdt/letters.hpp"

namespace palimpsest::crdt {

// The number of an update in its document's log, 1 … 2^32-2. As a moment it means "behind this
// update"; 0 is before all of them.
using Seq = std::uint64_t;

// Everything that was ever written in one text, in document order, each unit with the moments
// between which it stood there. The text at any moment is a filter over it.
//
// Who inserted a unit is told by its client id; who deleted it, by the sender of the update that
// did. A moment behind the last update means that one.
//
// Invariant: a unit's deletion comes behind its insertion; the halves of a surrogate pair share
//            both. A pair that was torn (Yjs then shows U+FFFD for each half) ends there, and what
//            is shown instead begins.
// Home:      a value; any number of threads may read it.
// Units:     UTF-16 code units. An embed or a nested type counts one and shows as U+FFFC, except in
//            text(), which leaves it out as Doc::text() does.
// Cost:      18 bytes a unit; text(), blame(), diff() and encode() O(units), 1–10 ns each.
class WovenText {
 public:
  static constexpr Seq kNever = std::numeric_limits<std::uint32_t>::max();

  std::size_t size() const { return units_.size(); }
  // The last update that is in it.
  Seq last_seq() const { return last_seq_; }

  // The characters at that moment as UTF-8.
  std::string text(Seq at) const;

  // By whom, and with which updates.
  struct Mark {
    ClientId client = 0;
    Seq first = 0;
    Seq last = 0;

    friend bool operator==(const Mark&, const Mark&) = default;
  };

  // Neighbouring units belong to one run where the same client marked them with updates of the same
  // group: `group_of_seq[seq]`. Updates that it does not reach to are all one group.
  using Groups = std::span<const std::uint32_t>;

  // Who wrote what stands there at that moment.
  struct Blame {
    std::string text;
    std::size_t length = 0;
    Mark inserted;
  };
  std::vector<Blame> blame(Seq at, Groups groups = {}) const;

  // What turns the text at `from` into the text at `to`, which may be the earlier one: then what
  // was inserted since is deleted, with the mark of who inserted it, and the other way round.
  struct Change {
    enum class Op { kKeep, kInsert, kDelete };
    Op op = Op::kKeep;
    std::string text;
    std::size_t length = 0;
    Mark mark;  // of what is kept nothing
  };
  std::vector<Change> diff(Seq from, Seq to, Groups groups = {}) const;

  // One place where a phrase once stood.
  struct Occurrence {
    // Whole and without anything between from behind `from` until `until`.
    struct Span {
      Seq from = 0;
      // Who made it whole: the one who wrote its last missing character, or deleted what stood
      // between.
      ClientId completed_by = 0;
      Seq until = kNever;
      ClientId ended_by = 0;  // where it ended

      friend bool operator==(const Span&, const Span&) = default;
    };
    // In order of time; of those that another follows at once with other characters, one.
    std::vector<Span> spans;
    // Who wrote the characters of the first, each once, in the order of the phrase.
    std::vector<ClientId> writers;
    std::size_t unit = 0;  // where: the index of one of its units among all units ever written
  };
  struct Found {
    std::vector<Occurrence> occurrences;  // in document order
    // False where there may be more than was asked for, or looking took too long.
    bool complete = true;
  };
  struct SearchLimits {
    std::size_t occurrences = 1000;
    std::uint64_t steps = 20'000'000;  // some nanoseconds each
    // Where given, characters are compared as Letters::compared says: upper and lower case as one,
    // say.
    const Letters* letters = nullptr;
  };
  // Every place where the phrase (UTF-8, not empty) ever stood, however it came together: written
  // by several people, or only whole between two deletions. Occurrences may overlap.
  //
  // Cost: O(units) of counting, and about a microsecond for each of the phrase's rarest character;
  //       where much comes and goes around those, up to the limit of steps.
  Found search(std::string_view phrase, const SearchLimits& limits) const;
  Found search(std::string_view phrase) const { return search(phrase, SearchLimits{}); }

  // Every word that ever stood here, as its letters stand for others (Letters), in order and each
  // once, but for those that another one begins with. What is longer than Letters::kLongestWord is
  // known by so many units of it. A pair is a word by itself.
  //
  // A word ends when a unit of it goes, when something is put into it or before it, or when what
  // stood before it goes; one that is written on is what the longer one begins with. So the words
  // that stood here when something came or went, just there and just before, are all there were,
  // beside those of today.
  //
  // Cost: for each unit that came or went the units around it, some 50 ns each.
  std::vector<std::string> words(const Letters& letters) const;

  // The units that made the phrase up when the span began, in order.
  std::vector<std::size_t> units_of(const Occurrence& occurrence, const Occurrence::Span& span,
                                    std::string_view phrase) const;

  // Whether the unit stood there at that moment.
  bool shows(std::size_t unit, Seq at) const {
    return inserted_[unit] <= at && at < deleted_[unit];
  }
  // The units around one, as they stood there at that moment: at most so many before it, and it
  // with so many behind it. Whole pairs only.
  struct Around {
    std::u16string units;   // U+FFFC for objects
    std::size_t place = 0;  // of the one that was asked about
  };
  Around around(std::size_t unit, Seq at, std::size_t before, std::size_t behind) const;

  // Where each update worked. O(units) to make, 4 bytes an update.
  class SeqIndex {
   public:
    explicit SeqIndex(const WovenText& text);
    // A unit that it inserted, or else deleted; nullopt for one that did neither here.
    std::optional<std::size_t> unit_of(Seq seq) const;

   private:
    std::vector<std::uint32_t> units_;
  };
  // The line of the last Markdown heading (CommonMark §4.2, "# …") at or before the unit, as the
  // text was at that moment, without its marks; nullopt where there is none nearby.
  std::optional<std::string> heading_before(std::size_t unit, Seq at) const;

  // Units in a row with one author, whose insertions follow each other by a constant step, and
  // likewise deletions: what one person typed on, pasted or erased.
  struct Run {
    std::size_t begin = 0;
    std::size_t end = 0;
    ClientId inserted_by = 0;
    Seq inserted = 0;  // of the first unit
    int inserted_step = 0;
    Seq deleted = kNever;
    int deleted_step = 0;
    ClientId deleted_by = 0;
  };
  std::vector<Run> runs() const;
  // As UTF-8, with U+FFFC for objects.
  std::string characters(std::size_t begin, std::size_t end) const;

  // All of it, for a browser. A grammar stands above the function (woven_text.cpp).
  Bytes encode() const;

 private:
  friend class Weave;
  friend class WovenSearch;
  friend class WovenWords;

  // What stands for an embed or a nested type in `units_`: half a pair, which text never has alone.
  static constexpr char16_t kObject = 0xDC00;
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  // When the units of a stretch stood there, so that stretches can be passed by.
  struct Stretch {
    std::uint32_t first_inserted = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t last_deleted = 0;
  };
  static constexpr std::size_t kStretch = 64;

  void add(char16_t unit, std::uint32_t inserted, std::uint32_t deleted, std::uint32_t client,
           std::uint32_t deleter);
  void reserve(std::size_t units);
  void finish();
  // The nearest unit, from this one on, that stood there at some moment of [begin, end).
  std::size_t next_between(std::size_t unit, Seq begin, Seq end) const;
  // The nearest one before it.
  std::size_t previous_between(std::size_t unit, Seq begin, Seq end) const;
  void append_characters(std::string& utf8, std::size_t unit) const;

  std::vector<char16_t> units_;
  std::vector<std::uint32_t> inserted_;
  std::vector<std::uint32_t> deleted_;
  std::vector<std::uint32_t> clients_;   // who inserted it, in people_
  std::vector<std::uint32_t> deleters_;  // who deleted it, where it is
  std::vector<ClientId> people_;
  std::vector<Stretch> stretches_;       // of kStretch units each
  std::vector<Stretch> long_stretches_;  // of kStretch stretches each
  Seq last_seq_ = 0;
};

}  // namespace palimpsest::crdt
