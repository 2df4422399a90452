#include "decode_limit.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace palimpsest::bench {
namespace {

std::uint64_t read_number(const std::uint8_t*& at) {
  std::uint64_t value = *at & 0x7F;
  for (unsigned shift = 7; *at++ >= 0x80; shift += 7) {
    value |= static_cast<std::uint64_t>(*at & 0x7F) << shift;
  }
  return value;
}

void skip_string(const std::uint8_t*& at) {
  const std::uint64_t length = read_number(at);
  at += length;
}

bool is_ascii(const std::uint8_t* at, std::size_t length) {
  constexpr std::uint64_t kHighBits = 0x80808080'80808080;
  std::uint64_t word = 0;
  std::uint64_t seen = 0;
  if (length < sizeof word) {
    for (std::size_t i = 0; i < length; ++i) seen |= at[i];
    return seen < 0x80;
  }
  for (std::size_t i = 0; i < length; i += sizeof word) {
    std::memcpy(&word, at + std::min(i, length - sizeof word), sizeof word);  // the last overlaps
    seen |= word;
  }
  return (seen & kHighBits) == 0;
}

// Of UTF-8: each character is one unit, those beyond U+FFFF two.
std::uint64_t length_utf16(const std::uint8_t* at, std::size_t length) {
  if (is_ascii(at, length)) return length;
  std::uint64_t units = 0;
  for (std::size_t i = 0; i < length; ++i) units += ((at[i] & 0xC0) != 0x80) + (at[i] >= 0xF0);
  return units;
}

// What content other than text and deletions carries; answers its length.
std::uint64_t read_other_content(const std::uint8_t*& at, int kind) {
  constexpr int kType = 7;
  constexpr int kAny = 8;
  constexpr std::uint64_t kXmlElement = 3;
  constexpr int kAnyString = 119;

  if (kind == kType) {
    if (read_number(at) == kXmlElement) skip_string(at);
    return 1;
  }
  if (kind == kAny) {
    const std::uint64_t length = read_number(at);
    for (std::uint64_t values = length; values > 0; --values) {
      if (*at++ != kAnyString) throw std::runtime_error("the decode-only loop knows only strings");
      skip_string(at);
    }
    return length;
  }
  throw std::runtime_error("the decode-only loop does not know content of kind " +
                           std::to_string(kind));
}

// Answers how many clocks the block takes.
std::uint64_t read_block(const std::uint8_t*& at, std::string& text, Decoded& decoded) {
  const std::uint8_t info = *at++;
  const bool has_origin = (info & 0x80) != 0;
  const bool has_right_origin = (info & 0x40) != 0;
  const bool has_key = (info & 0x20) != 0;
  const int kind = info & 0x1F;
  constexpr int kGc = 0;
  constexpr int kDeleted = 1;
  constexpr int kText = 4;
  constexpr int kSkip = 10;

  if (kind == kGc || kind == kSkip) return read_number(at);  // no item
  if (has_origin) decoded.checksum += read_number(at) + read_number(at);
  if (has_right_origin) decoded.checksum += read_number(at) + read_number(at);
  if (!has_origin && !has_right_origin) {
    if (read_number(at) == 1) {
      skip_string(at);  // the name of a root
    } else {
      decoded.checksum += read_number(at) + read_number(at);
    }
    if (has_key) skip_string(at);
  }

  if (kind == kText) {
    const std::uint64_t length = read_number(at);
    const std::uint8_t* const begin = at;
    text.append(reinterpret_cast<const char*>(begin), length);
    at += length;
    return length_utf16(begin, length);
  }
  return kind == kDeleted ? read_number(at) : read_other_content(at, kind);
}

}  // namespace

void decode_only(std::span<const std::uint8_t> update, std::string& text, Decoded& decoded) {
  const std::uint8_t* at = update.data();
  for (std::uint64_t clients = read_number(at); clients > 0; --clients) {
    const std::uint64_t blocks = read_number(at);
    decoded.checksum += read_number(at);  // client
    std::uint64_t clock = read_number(at);
    for (std::uint64_t i = 0; i < blocks; ++i) {
      decoded.checksum += clock;
      clock += read_block(at, text, decoded);
    }
    decoded.blocks += blocks;
  }
  for (std::uint64_t clients = read_number(at); clients > 0; --clients) {
    decoded.checksum += read_number(at);  // client
    for (std::uint64_t ranges = read_number(at); ranges > 0; --ranges) {
      decoded.checksum += read_number(at);  // clock
      decoded.deleted += read_number(at);
    }
  }
}

}  // namespace palimpsest::bench
