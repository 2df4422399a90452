#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace palimpsest::crdt::internal {

// Most texts are so short that copying a fixed length is faster, and so is looking at it.
inline constexpr std::size_t kShortText = 32;

// Copies `size` of `readable` bytes to where there is room for kShortText more. Answers where the
// copy ends.
[[gnu::always_inline]] inline std::uint8_t* copy_text(std::uint8_t* to, const std::uint8_t* from,
                                                      std::size_t size, std::size_t readable) {
  if (size <= kShortText && readable >= kShortText) {
    std::memcpy(to, from, kShortText);
  } else if (size > 0) {
    std::memcpy(to, from, size);
  }
  return to + size;
}

}  // namespace palimpsest::crdt::internal
