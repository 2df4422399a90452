#pragma once

#include <string_view>

#include "crdt/bytes.hpp"
#include "crdt/delete_set.hpp"

namespace palimpsest::crdt {

// Taking content out of updates for good, where deleting it is not enough: a log keeps what was
// deleted. What is taken out leaves deleted units behind (ContentDeleted), as a replica would send
// them that has collected their content, so that everything around them stays where it is and all
// replicas come to the same document.
//
// Units:  those of Clock. Half of a surrogate pair takes the other half with it. Shared types
//         themselves stay; what is in them has units of its own.
// Errors: DecodeError for bytes that are no update.
// Cost:   O(bytes), and O(log ranges) for each block.

// The update without the content of these units; its own bytes where it has none of them.
Bytes without_content(ByteView update, const DeleteSet& units);

// The units whose content contains the phrase (UTF-8, not empty): of text the characters that make
// it up, of other values each element in which it stands, as it is or as JSON escapes it.
DeleteSet units_containing(ByteView update, std::string_view phrase);

}  // namespace palimpsest::crdt
