#pragma once

#include <string>

namespace palimpsest::crdt {

// Adds a character as UTF-8 (RFC 3629 §3). Half of a surrogate pair is written like any other.
inline void append_utf8(std::string& utf8, char32_t character) {
  const auto add = [&](char32_t bits) { utf8 += static_cast<char>(bits); };
  if (character < 0x80) {
    add(character);
  } else if (character < 0x800) {
    add(0xC0 | character >> 6);
    add(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    add(0xE0 | character >> 12);
    add(0x80 | (character >> 6 & 0x3F));
    add(0x80 | (character & 0x3F));
  } else {
    add(0xF0 | character >> 18);
    add(0x80 | (character >> 12 & 0x3F));
    add(0x80 | (character >> 6 & 0x3F));
    add(0x80 | (character & 0x3F));
  }
}

}  // namespace palimpsest::crdt
