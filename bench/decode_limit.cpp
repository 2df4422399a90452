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

void read_block(const std::uint8_t*& at, std::string& text, Decoded& decoded) {
  const std::uint8_t info = *at++;
  const bool has_origin = (info & 0x80) != 0;
  const bool has_right_origin = (info & 0x40) != 0;
  const int kind = info & 0x1F;
  const bool is_item = kind != 0 && kind != 10;  // neither GC nor Skip

  if (is_item) {
    if (has_origin) decoded.checksum += read_number(at) + read_number(at);
    if (has_right_origin) decoded.checksum += read_number(at) + read_number(at);
    if (!has_origin && !has_right_origin) {
      if (read_number(at) == 1) {
        at += read_number(at);  // the name of a root
      } else {
        decoded.checksum += read_number(at) + read_number(at);
      }
    }
  }

  const std::uint64_t length = read_number(at);
  if (kind == 4) {
    text.append(reinterpret_cast<const char*>(at), length);
    at += length;
  } else if (kind == 1 || !is_item) {
    decoded.checksum += length;
  } else {
    throw std::runtime_error("the decode-only loop knows text and deletions, not kind " +
                             std::to_string(kind));
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
