#pragma once

#include "core.hpp"
#include "crdt/touched.hpp"
#include "decoded_update.hpp"

namespace palimpsest::crdt::internal {

// Cost: O(n log n) in the blocks of the update and those of the document that it deletes. No
//       recursion, and no path of references is followed twice.
Touched touched_by(const Core& core, const DecodedUpdate& update);

}  // namespace palimpsest::crdt::internal
