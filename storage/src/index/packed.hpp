#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/bytes.hpp"

namespace palimpsest::storage::index {

// Text as a row of the index holds it: zstd with its own checksum.
crdt::Bytes pack(std::string_view text);
// nullopt where it is damaged.
std::optional<std::string> unpack(crdt::ByteView packed);

// Words that are in order and have no space in them, as one text, and back.
std::string joined(const std::vector<std::string>& words);
std::vector<std::string> split(std::string_view words);

}  // namespace palimpsest::storage::index
