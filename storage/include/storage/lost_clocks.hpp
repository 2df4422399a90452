#pragma once

#include <map>
#include <span>

#include "crdt/id.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/update.hpp"

namespace palimpsest::storage {

// Of a document, what earlier generations of it gave out and this one does not have: of each client
// the clocks from `begin` to `end`. Whoever has one of them has a copy of an earlier generation:
// merging it would bring back what was to be gone, or double it. That is how a client is told that
// does not say which generation it has.
//
// A client's clocks are known from 0 on without a gap, so what is lost of them is one range; and
// since its clocks go on behind it, all from `begin` on are of an earlier generation. What a client
// wrote offline behind the clocks that this generation has is as welcome as ever.
//
// Deletions have no clocks: a copy that differs in nothing else is not told from one of today.
//
// Cost: O(log n) for each client asked about.
class LostClocks {
 public:
  struct Range {
    crdt::Clock begin = 0;
    crdt::Clock end = 0;

    friend bool operator==(const Range&, const Range&) = default;
  };

  LostClocks() = default;
  // What a replica at `had` knew and one at `has` does not.
  LostClocks(const crdt::StateVector& had, const crdt::StateVector& has);

  // Notes that more is lost. Ignores an empty range.
  void add(crdt::ClientId client, Range range);
  void add(const LostClocks& others);
  // Takes out what is not lost, since a replica at `has` has it.
  void remove(const crdt::StateVector& has);

  bool empty() const { return ranges_.empty(); }
  // Whether a replica that knows so much, or whoever wrote this, has something of what is lost.
  bool reached_by(const crdt::StateVector& known) const;
  bool reached_by(std::span<const crdt::Update::Authored> authored) const;

  const std::map<crdt::ClientId, Range>& ranges() const { return ranges_; }

  friend bool operator==(const LostClocks&, const LostClocks&) = default;

 private:
  bool is_reached(crdt::ClientId client, crdt::Clock end) const;

  std::map<crdt::ClientId, Range> ranges_;
};

}  // namespace palimpsest::storage
