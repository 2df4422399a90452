#include "decode_limit.hpp"

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

// What content other than text carries.
void read_other_content(const std::uint8_t*& at, int kind, Decoded& decoded) {
  constexpr int kDeleted = 1;
  constexpr int kType = 7;
  constexpr int kAny = 8;
  constexpr std::uint64_t kXmlElement = 3;
  constexpr int kAnyString = 119;

  if (kind == kDeleted) {
    decoded.checksum += read_number(at);
  } else if (kind == kType) {
    if (read_number(at) == kXmlElement) skip_string(at);
  } else if (kind == kAny) {
    for (std::uint64_t values = read_number(at); values > 0; --values) {
      if (*at++ != kAnyString) throw std::runtime_error("the decode-only loop knows only strings");
      skip_string(at);
    }
  } else {
    throw std::runtime_error("the decode-only loop does not know content of kind " +
                             std::to_string(kind));
  }
}

void read_block(const std::uint8_t*& at, std::string& text, Decoded& decoded) {
  const std::uint8_t info = *at++;
  const bool has_origin = (info & 0x80) != 0;
  const bool has_right_origin = (info & 0x40) != 0;
  const bool has_key = (info & 0x20) != 0;
  const int kind = info & 0x1F;
  constexpr int kText = 4;

  if (kind == 0 || kind == 10) {  // GC or Skip: no item
    decoded.checksum += read_number(at);
    return;
  }
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
    text.append(reinterpret_cast<const char*>(at), length);
    at += length;
  } else {
    read_other_content(at, kind, decoded);
  }
}

}  // namespace

void decode_only(std::span<const std::uint8_t> update, std::string& text, Decoded& decoded) {
  const std::uint8_t* at = update.data();
  for (std::uint64_t clients = read_number(at); clients > 0; --clients) {
    const std::uint64_t blocks = read_number(at);
    decoded.checksum += read_number(at);  // client
    decoded.checksum += read_number(at);  // clock
    for (std::uint64_t i = 0; i < blocks; ++i) read_block(at, text, decoded);
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
