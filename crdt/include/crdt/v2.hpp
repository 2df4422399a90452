#pragma once

#include <cstddef>

#include "crdt/bytes.hpp"

namespace palimpsest::crdt {

class DeleteSet;
class Reader;
class Writer;
struct Snapshot;

// Update format v2 at the edge: files and imports. Inside, and on the wire, everything is v1.
//
// v2 has the same blocks as v1, taken apart into columns: all client ids, all clocks, all lengths,
// each as runs of equal values or equal steps (grammar: src/v2_columns.hpp). A run costs the same
// few bytes however long it is, so that a v2 update can stand for any number of blocks. What is
// taken is therefore bounded by V2Limits, not by the format.

// How much an update in v2 may unpack to. A document that Yjs writes has more bytes than blocks,
// except for long stretches of equal deleted items or of empty nested types: those come out of
// `free_blocks`.
//
// Memory: at most 64 bytes for each free block, and 100 for each byte of the update.
struct V2Limits {
  std::size_t free_blocks = 2'048;

  // What an update of that size may bring.
  constexpr std::size_t blocks(std::size_t size_bytes) const { return free_blocks + size_bytes; }
  constexpr std::size_t v1_bytes(std::size_t size_bytes) const {
    return 64 * free_blocks + 32 * size_bytes;
  }
};

// The same update in the other format. v1 → v2 → v1 gives the same bytes, where they are as Yjs
// writes them.
//
// update_v2_from_v1() of a state writes what Yjs' encodeStateAsUpdateV2() writes. (Its
// convertUpdateFormatV1ToV2() drops the flag of map entries behind an origin: bit 6 of the info.)
//
// A surrogate pair that v2 tears apart, half of it in one string and half in the next, becomes
// U+FFFD in each: v1 has no other form for it, and Yjs does the same.
//
// Errors: DecodeError, with the place in the bytes given.
// Cost:   O(bytes in + bytes out); no allocation per block but for formatting and embeds that are
//         arrays or objects.
Bytes update_v1_from_v2(ByteView update, const V2Limits& limits = {});
Bytes update_v2_from_v1(ByteView update);

// A delete set as v2 has it, in updates and in snapshots (Yjs: DSEncoderV2): steps instead of
// clocks.
//
// deleteSet := varUint(clients) (varUint(client) varUint(ranges) range*)*
// range     := varUint(clock - end of the range before) varUint(length - 1)
//
// Ranges that are not in ascending order have no form in v2: those of such a client are written
// sorted and joined.
DeleteSet read_delete_set_v2(Reader& reader);
void write_delete_set_v2(Writer& writer, const DeleteSet& deletes);

// As Yjs' encodeSnapshotV2() writes it: deleteSet (of v2) stateVector (of v1).
Snapshot decode_snapshot_v2(ByteView bytes);
Bytes encode_snapshot_v2(const Snapshot& snapshot);

}  // namespace palimpsest::crdt
