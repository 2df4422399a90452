#pragma once

#include <cstdint>

#include "crdt/bytes.hpp"
#include "crdt/utf8.hpp"

namespace palimpsest::crdt::internal {

constexpr bool is_high_half(char16_t unit) { return unit >= 0xD800 && unit < 0xDC00; }

// The surrogate pair of a character above U+FFFF, and back.
constexpr char16_t high_half(char32_t character) {
  return static_cast<char16_t>(0xD800 + ((character - 0x10000) >> 10));
}
constexpr char16_t low_half(char32_t character) {
  return static_cast<char16_t>(0xDC00 + ((character - 0x10000) & 0x3FF));
}
constexpr char32_t join_halves(char16_t high, char16_t low) {
  return 0x10000 + (static_cast<char32_t>(high - 0xD800) << 10) + (low - 0xDC00U);
}

// Well-formed UTF-8 as UTF-16; there is room for all of its units.
inline void to_utf16(ByteView utf8, char16_t* out) {
  const std::uint8_t* at = utf8.data();
  const std::uint8_t* const end = at + utf8.size();
  while (at != end) {
    const std::uint8_t lead = *at++;
    if (lead < 0x80) {
      *out++ = lead;
      continue;
    }
    const unsigned more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t character = lead & (0x3FU >> more);
    for (unsigned i = 0; i < more; ++i) character = character << 6 | (*at++ & 0x3FU);
    if (character < 0x10000) {
      *out++ = static_cast<char16_t>(character);
    } else {
      *out++ = high_half(character);
      *out++ = low_half(character);
    }
  }
}

}  // namespace palimpsest::crdt::internal
