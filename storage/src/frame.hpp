#pragma once

#include <cstddef>
#include <optional>

#include "crdt/bytes.hpp"

namespace palimpsest::storage {

// Bytes as one zstd frame with its size and its own checksum.
crdt::Bytes pack_frame(crdt::ByteView bytes, int level);
// nullopt where it is damaged, or says that it is of more than `most` bytes.
std::optional<crdt::Bytes> unpack_frame(crdt::ByteView frame, std::size_t most);

}  // namespace palimpsest::storage
