#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/doc.hpp"
#include "crdt/id.hpp"
#include "crdt/update.hpp"
#include "crdt/weave.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::log {

// A stretch of a log that is thinned: of its entries a few carry what all of them came to, the
// others become empty. What it came to is as before, to the unit: what there is, who wrote it and
// who deleted what; all that goes is what came and went within it by one and the same client.
struct ThinStretch {
  // Entries up to `seq`, and behind the mark before, are from then.
  struct Mark {
    Seq seq = 0;
    Time at;
    std::optional<Time> made_at;
  };
  Seq first = 0;
  Seq last = 0;
  std::vector<Mark> marks;                            // the last is at `last`
  std::vector<std::pair<Seq, crdt::Bytes>> carriers;  // in order

  ChangedEntry entry(Seq seq) const;
};

// How the time of an entry stands to what its contributors did before and behind it.
struct Timing {
  Time bound = Time::max();     // one of them did something else then: it must not move past that
  bool is_late = false;         // one of them had done something later: it must not move at all
  bool is_after_pause = false;  // of one of them: it begins a burst, perhaps, and keeps its time
};
// Of each change, by its seq, where `made` is when it was made.
std::vector<Timing> timings_of(std::span<const crdt::Weave::Contribution> contributions,
                               std::span<const Time> made);

// Cuts a log into such stretches.
//
// A stretch ends at every border that is given: where somebody's burst ends, and at a moment with a
// name. Between two borders several people may have written: the last entry of somebody who wrote
// something carries all that they wrote, since authorship goes by client id, and the last one of
// each of them what that one deleted of what was there before. What would change who did what stays
// as it is and ends the stretch:
//
// - an entry that brings content of somebody else than its sender, or content out of order, and any
//   while something waits for what is missing, or one that tears a surrogate pair;
// - a deletion of what another client wrote within the stretch: the stretch ends before it;
// - a step back in time, and edits made offline in between those of others: nobody's entry moves
//   past a later one of theirs.
//
// Times: no two marks of a stretch are further apart than they have to be for the timeline to group
// as before (a pause of a minute ends a burst): entries move to a later time by half a minute at
// most, and those that come after a longer pause of their author keep theirs.
//
// Home: whoever owns it; not thread-safe. Memory of the document, and of what the stretches carry.
class Thinner {
 public:
  struct Rules {
    Seq first = 1;                     // where stretches begin
    std::vector<Seq> borders;          // where they end; sorted
    std::vector<Timing> timings = {};  // by seq
    // Entries that stay as they are, whatever they bring: those that tear a surrogate pair.
    std::vector<Seq> alone = {};
  };
  explicit Thinner(Rules rules);

  // The next entry of the log, from the first on. Throws crdt::DecodeError.
  void add(const EntryView& entry);
  // Those of more than one entry, in order.
  std::vector<ThinStretch> finish();

 private:
  // What matters of one entry.
  struct Facts {
    crdt::Update update;
    crdt::DeleteSet deletions;
    std::optional<crdt::Update::Authored> content;
    bool is_simple = false;
  };
  // Units of which each is taken by who comes first.
  class Claims {
   public:
    // Adds those of the range that are new to `fresh`.
    void take(crdt::ClientId client, const crdt::DeleteSet::Range& range, crdt::DeleteSet& fresh);

   private:
    std::unordered_map<crdt::ClientId, std::map<crdt::Clock, crdt::Clock>> taken_;  // end by begin
  };
  struct Open {
    ThinStretch stretch;
    Time at;    // of the last entry
    Time made;  // likewise
    bool has_offline = false;
    std::size_t bytes = 0;
    std::vector<crdt::Bytes> updates;
    std::map<crdt::ClientId, Seq> senders;                    // with the last entry of each
    std::unordered_map<crdt::ClientId, crdt::Clock> content;  // where each one's begins
    Claims claims;
    std::map<crdt::ClientId, crdt::DeleteSet> deletions;  // by sender, of what was there before
    crdt::DeleteSet gone;                                 // came and went
  };

  Facts look_at(const EntryView& entry);
  bool fits(const EntryView& entry, const Facts& facts) const;
  bool passes_others(const EntryView& entry) const;
  Timing timing_of(Seq seq) const;
  bool deletes_content_of_others(const EntryView& entry, const Facts& facts) const;
  void take(const EntryView& entry, const Facts& facts);
  void take_deletions(const EntryView& entry, const Facts& facts);
  void mark(const EntryView& entry);
  void close();
  bool is_border(Seq seq) const;

  const Rules rules_;
  crdt::Doc doc_;
  std::unordered_map<crdt::ClientId, crdt::Clock> clocks_;
  bool waits_ = false;
  std::optional<Open> open_;
  std::optional<ThinStretch::Mark> last_entry_;  // of the open stretch
  std::vector<ThinStretch> stretches_;
};

}  // namespace palimpsest::storage::log
