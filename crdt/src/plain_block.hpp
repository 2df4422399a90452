#pragma once

#include <cstddef>
#include <cstdint>

#include "block.hpp"
#include "crdt/bytes.hpp"
#include "crdt/id.hpp"

namespace palimpsest::crdt::internal {

// Most texts are so short that copying a fixed length is faster, and so is looking at it.
inline constexpr std::size_t kShortText = 32;

// What nearly every block of a text is: characters or a deletion, beside others of its client.
struct PlainBlock {
  Kind kind;
  bool has_origin;
  bool has_right_origin;
  Clock origin_clock;
  Clock right_origin_clock;
  std::uint32_t length;
  ByteView text;  // kShortText bytes can be read from where it begins
};

}  // namespace palimpsest::crdt::internal
