#pragma once

#include "crdt/bytes.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/id.hpp"
#include "crdt/state_vector.hpp"

namespace palimpsest::crdt {

// A moment of a document: how much of each client's work was there, and what of it was deleted.
// The document itself holds the content; Doc::at() makes that moment a document again.
//
// snapshot := deleteSet stateVector
//
// Cost: a few bytes per client and per deleted range.
struct Snapshot {
  StateVector state_vector;
  DeleteSet delete_set;

  // Throws DecodeError.
  static Snapshot decode(ByteView bytes);
  // As Yjs' encodeSnapshot() writes it.
  Bytes encode() const;

  // Whether the unit was there and not deleted.
  bool shows(Id id) const {
    return id.clock < state_vector.clock_of(id.client) && !delete_set.contains(id);
  }

  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

// Why a document cannot be read at a snapshot.
enum class SnapshotRefusal {
  kAhead,      // the snapshot tells of changes that this document has not seen
  kCollected,  // content that was visible then has been deleted and dropped since
};

}  // namespace palimpsest::crdt
