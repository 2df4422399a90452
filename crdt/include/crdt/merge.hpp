#pragma once

#include <span>

#include "crdt/bytes.hpp"
#include "crdt/state_vector.hpp"

namespace palimpsest::crdt {

// What can be done with updates as they are, without a document: a server or a tool joins, cuts and
// sizes up what it stores without building it. Nothing of the content is decoded, so what comes
// out is for its effect what went in, not the shortest form of it: runs are not joined and deleted
// content is not dropped. For that, apply the updates to a Doc and encode it.
//
// Errors: DecodeError for bytes that are no update (crdt/update.hpp).

// The same changes as one update, as Yjs' mergeUpdates() writes it: clients in descending order,
// each block once, Skip for what is missing between two of them, deletions sorted and joined. Of no
// update the empty one, of one update its bytes.
// Cost: O(n log k) for n bytes of k updates, and as much memory.
Bytes merge_updates(std::span<const ByteView> updates);

// The part of an update that a replica at `known` lacks: later blocks, and all deletions, since a
// state vector does not say which are known (Yjs: diffUpdate()).
// Cost: O(bytes).
Bytes diff_update(ByteView update, const StateVector& known);

// The state of a replica that has applied nothing but this update: of each client the clock up to
// which its blocks follow each other from 0 on (Yjs: encodeStateVectorFromUpdate()).
// Cost: O(bytes).
StateVector state_vector_of(ByteView update);

}  // namespace palimpsest::crdt
