#pragma once

#include "core.hpp"
#include "crdt/bytes.hpp"
#include "crdt/v2.hpp"

namespace palimpsest::crdt::internal {

// Takes a whole state into `core`, which is new: in one walk over its bytes, where decoding and
// applying take two. Each block is decoded to the place where it stays; linking follows at once as
// long as blocks find their neighbours, and for the rest when all are there, in Yjs' order.
//
// Answers false for what a whole state does not have: something is missing, a client does not
// start at 0 or comes twice. Throws DecodeError for what is no update. Either way `core` is to be
// thrown away.
//
// Cost: O(bytes); with blocks that refer into others by many clients O(log n) for each such block.
bool load_state(Core& core, ByteView update);
bool load_state_v2(Core& core, ByteView update, const V2Limits& limits);

}  // namespace palimpsest::crdt::internal
