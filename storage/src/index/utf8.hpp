#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crdt/utf8.hpp"

namespace palimpsest::storage::index {

// The character at the front of well-formed UTF-8 (RFC 3629 §3), which is taken off. What is not
// well-formed counts byte by byte.
inline char32_t take_character(std::string_view& utf8) {
  const auto lead = static_cast<std::uint8_t>(utf8.front());
  const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length > utf8.size() || lead < 0x80) {
    utf8.remove_prefix(1);
    return lead;
  }
  char32_t character = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    character = character << 6 | (static_cast<std::uint8_t>(utf8[i]) & 0x3FU);
  }
  utf8.remove_prefix(length);
  return character;
}

using crdt::append_utf8;

}  // namespace palimpsest::storage::index
