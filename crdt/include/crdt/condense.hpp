#pragma once

#include "crdt/bytes.hpp"
#include "crdt/delete_set.hpp"

namespace palimpsest::crdt {

// What many changes came to, as the shortest update that says it without a document: the blocks of
// this one (merge_updates() of them all, say) with runs joined that follow each other, and without
// the content of `gone`, units that the changes themselves deleted again. In place of its own
// deletions it has those that are given, and what of `gone` it could not take out: shared types,
// half of a surrogate pair.
//
// A replica that has applied it shows what one shows that has applied the changes one by one and
// deleted `gone` and `deletions`. Joining cuts nothing off and moves nothing: a run is joined to
// one that it hangs on, with the same right origin, as which Yjs would cut it again (Yjs: Item,
// mergeWith and splitItem).
//
// Errors: DecodeError for bytes that are no update.
// Cost:   O(bytes), and O(log ranges) for each block.
Bytes condense(ByteView update, const DeleteSet& gone, const DeleteSet& deletions);

}  // namespace palimpsest::crdt
