#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace palimpsest::bench {

// What the decode-only loop has seen.
struct Decoded {
  std::uint64_t blocks = 0;
  std::uint64_t deleted = 0;  // units in delete sets
  // Of all numbers read, so that no compiler can leave the reading out.
  std::uint64_t checksum = 0;
};

// The least that any engine has to do with an update (Yjs format v1): read its numbers, append its
// text to `text`, and know the clock of each block. That is not written: it follows from the
// lengths of the blocks before, and the length of text from its UTF-16 units, which have to be
// counted. It trusts the bytes (no bounds, no UTF-8 is checked), knows only what the inputs of this
// benchmark consist of (text, deletions, XML elements, strings of a map), and keeps nothing.
//
// Errors: std::runtime_error for other content.
void decode_only(std::span<const std::uint8_t> update, std::string& text, Decoded& decoded);

}  // namespace palimpsest::bench
