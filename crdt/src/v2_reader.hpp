#pragma once

#include "crdt/bytes.hpp"
#include "crdt/v2.hpp"
#include "decoded_update.hpp"

namespace palimpsest::crdt::internal {

// Reads an update in format v2, checks all that decode_update() checks, and answers it in format
// v1, with `update` (new) as decode_update() would read those bytes. It borrows from them: they may
// be moved, not copied.
//
// Throws DecodeError, with the place in the v2 bytes.
Bytes decode_update_v2(ByteView bytes, const V2Limits& limits, DecodedUpdate& update);

}  // namespace palimpsest::crdt::internal
