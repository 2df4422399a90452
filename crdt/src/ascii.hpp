#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "crdt/bytes.hpp"

namespace palimpsest::crdt::internal {

// Eight bytes at a time; the last ones are loaded with what stands behind them, where so much does.
inline bool is_ascii(ByteView text, std::size_t readable_behind) {
  constexpr std::uint64_t kHighBits = 0x80808080'80808080;
  const std::uint8_t* at = text.data();
  std::size_t left = text.size();
  std::uint64_t word = 0;
  for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
    std::memcpy(&word, at, sizeof word);
    if ((word & kHighBits) != 0) return false;
  }
  if (left == 0) return true;
  if (readable_behind >= sizeof word) {
    std::memcpy(&word, at, sizeof word);
    return (word & (kHighBits >> (64 - 8 * left))) == 0;
  }
  return std::all_of(at, at + left, [](std::uint8_t byte) { return byte < 0x80; });
}

}  // namespace palimpsest::crdt::internal
