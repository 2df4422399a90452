#include "crdt/reader.hpp"

#include <bit>
#include <cstring>

#include "crdt/id.hpp"

namespace palimpsest::crdt {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

std::uint64_t load_big_endian(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

// The length of the well-formed UTF-8 sequence at `at` (RFC 3629 §4), or 0.
std::size_t utf8_sequence(const unsigned char* at, const unsigned char* end) {
  const auto is_tail = [&](std::size_t i, unsigned char low = 0x80, unsigned char high = 0xBF) {
    return at + i < end && at[i] >= low && at[i] <= high;
  };
  const unsigned char lead = at[0];
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return is_tail(1) ? 2 : 0;
  if (lead < 0xF0) {
    const bool second = lead == 0xE0   ? is_tail(1, 0xA0)
                        : lead == 0xED ? is_tail(1, 0x80, 0x9F)
                                       : is_tail(1);
    return second && is_tail(2) ? 3 : 0;
  }
  if (lead < 0xF5) {
    const bool second = lead == 0xF0   ? is_tail(1, 0x90)
                        : lead == 0xF4 ? is_tail(1, 0x80, 0x8F)
                                       : is_tail(1);
    return second && is_tail(2) && is_tail(3) ? 4 : 0;
  }
  return 0;
}

// How many bytes from the front are ASCII, counted in steps of eight.
std::size_t ascii_prefix(const char* data, std::size_t size) {
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, data + i, 8);
    if ((word & kHighBits) != 0) return i;
  }
  while (i < size && static_cast<unsigned char>(data[i]) < 0x80) ++i;
  return i;
}

}  // namespace

void Reader::fail(const char* cause) const { throw DecodeError(offset(), cause); }

void Reader::fail_at(std::size_t position, const char* cause) const {
  throw DecodeError(base_offset_ + position, cause);
}

std::uint64_t Reader::read_long_var_uint() {
  const std::uint8_t* at = position_;
  std::uint64_t value = 0;
  int shift = 0;
  while (true) {
    if (at == end_) fail("the bytes end inside a number");
    const std::uint64_t group = *at & 0x7F;
    if (group != 0 &&
        (shift > 52 || group << shift >> shift != group || group << shift > kMaxSafeInteger)) {
      fail("a number above 2^53-1");
    }
    if (shift <= 52) value |= group << shift;
    if ((*at++ & 0x80) == 0) break;
    shift += 7;
    if (shift > 70) fail("a number of more than ten bytes");
  }
  if (value > kMaxSafeInteger) fail("a number above 2^53-1");
  position_ = at;
  return value;
}

Reader::VarInt Reader::read_var_int() {
  const std::uint8_t* const start = position_;
  const std::uint8_t first = read_byte();
  const bool negative = (first & 0x40) != 0;
  std::uint64_t magnitude = first & 0x3F;
  int shift = 6;
  bool more = (first & 0x80) != 0;
  while (more) {
    if (position_ == end_) {
      position_ = start;
      fail("the bytes end inside a number");
    }
    const std::uint64_t group = *position_ & 0x7F;
    more = (*position_++ & 0x80) != 0;
    const bool fits = group == 0 || (shift <= 52 && group <= (kMaxSafeInteger >> shift));
    if (!fits || shift > 70) {
      position_ = start;
      fail("a number beyond 2^53-1");
    }
    if (shift <= 52) magnitude |= group << shift;
    shift += 7;
  }
  const auto value = static_cast<std::int64_t>(magnitude);
  return {negative ? -value : value, negative && magnitude == 0};
}

std::string_view Reader::read_var_string() {
  const std::size_t start = position();
  const ByteView bytes = read_var_bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!is_utf8(text)) fail_at(start, "a string that is not UTF-8");
  return text;
}

float Reader::read_float32() {
  const ByteView bytes = read_bytes(4);
  return std::bit_cast<float>(static_cast<std::uint32_t>(load_big_endian(bytes.data(), 4)));
}

double Reader::read_float64() {
  const ByteView bytes = read_bytes(8);
  return std::bit_cast<double>(load_big_endian(bytes.data(), 8));
}

std::int64_t Reader::read_big_int64() {
  const ByteView bytes = read_bytes(8);
  return static_cast<std::int64_t>(load_big_endian(bytes.data(), 8));
}

bool is_utf8(std::string_view text) {
  const auto* const end = reinterpret_cast<const unsigned char*>(text.data() + text.size());
  std::size_t i = ascii_prefix(text.data(), text.size());
  while (i < text.size()) {
    const auto* at = reinterpret_cast<const unsigned char*>(text.data() + i);
    const std::size_t length = utf8_sequence(at, end);
    if (length == 0) return false;
    i += length;
    if (length == 1) i += ascii_prefix(text.data() + i, text.size() - i);
  }
  return true;
}

std::size_t length_utf16(std::string_view utf8) {
  std::size_t i = ascii_prefix(utf8.data(), utf8.size());
  std::size_t units = i;
  for (; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    units += (byte & 0xC0) != 0x80;  // every sequence is one unit,
    units += byte >= 0xF0;           // those of four bytes two
  }
  return units;
}

std::size_t offset_of_utf16(std::string_view utf8, std::size_t index) {
  std::size_t i = 0;
  std::size_t units = 0;
  while (i < utf8.size()) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    const std::size_t length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    const std::size_t width = byte >= 0xF0 ? 2 : 1;
    if (units + width > index) return i;
    units += width;
    i += length;
  }
  return i;
}

}  // namespace palimpsest::crdt
