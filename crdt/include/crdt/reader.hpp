#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "crdt/bytes.hpp"
#include "crdt/error.hpp"

namespace palimpsest::crdt {

// Reads the lib0 encoding (lib0/decoding.js) from borrowed bytes, from front to back.
//
// Errors: every read throws DecodeError when the bytes end early or do not fit the form; the
//         position is then that of the value that could not be read.
// Cost:   O(1) per number, O(n) per string (UTF-8 is checked); nothing is copied.
class Reader {
  // The fast way to read numbers loads bytes as one number, lowest first.
  static_assert(std::endian::native == std::endian::little);

 public:
  // `base_offset` is what error offsets start from, for bytes that are part of something larger.
  explicit Reader(ByteView bytes, std::size_t base_offset = 0)
      : begin_(bytes.data()),
        position_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        base_offset_(base_offset) {}

  bool at_end() const { return position_ == end_; }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - position_); }
  // Of the next byte, from the start of the bytes given to the constructor.
  std::size_t position() const { return static_cast<std::size_t>(position_ - begin_); }
  std::size_t offset() const { return base_offset_ + position(); }
  const std::uint8_t* data() const { return position_; }

  std::uint8_t read_byte() {
    if (position_ == end_) fail("the bytes end where one more was expected");
    return *position_++;
  }

  // varUint := 7 bits per byte, lowest first, high bit set on all but the last. At most 2^53-1;
  // needless leading zero groups are accepted, as lib0 does.
  std::uint64_t read_var_uint() {
    if (position_ != end_ && *position_ < 0x80) return *position_++;
    if (remaining() >= 8) {
      // Up to seven groups at once: eight bytes are loaded, those behind the last group cleared,
      // and the groups moved together in pairs, fours and eights.
      std::uint64_t word;
      std::memcpy(&word, position_, sizeof word);
      const std::uint64_t last = ~word & 0x80808080'80808080;
      if ((last & 0x00808080'80808080) != 0) {
        word &= (last ^ (last - 1)) & 0x7F7F7F7F'7F7F7F7F;
        word = (word & 0x7F007F00'7F007F00) >> 1 | (word & 0x007F007F'007F007F);
        word = (word & 0x3FFF0000'3FFF0000) >> 2 | (word & 0x00003FFF'00003FFF);
        word = (word & 0x0FFFFFFF'00000000) >> 4 | (word & 0x00000000'0FFFFFFF);
        position_ += std::countr_zero(last) / 8 + 1;
        return word;
      }
    }
    return read_long_var_uint();
  }

  struct VarInt {
    std::int64_t value;
    bool negative_zero;  // lib0 keeps the sign of -0
  };
  // varInt := byte{more, sign, 6 bits} byte{more, 7 bits}*
  VarInt read_var_int();

  // A count of things of which each takes at least `min_bytes_each` more bytes: checked against
  // what remains, so that it is safe to reserve for.
  std::uint64_t read_count(std::size_t min_bytes_each, const char* what);

  ByteView read_bytes(std::size_t count);
  // varUint8Array := varUint(length) byte*
  ByteView read_var_bytes();
  // varString := varUint(bytes) utf8. Refuses what is no UTF-8, lone surrogates included.
  std::string_view read_var_string();

  // IEEE 754, big endian.
  float read_float32();
  double read_float64();
  std::int64_t read_big_int64();

  [[noreturn]] void fail(const char* cause) const;
  [[noreturn]] void fail_at(std::size_t position, const char* cause) const;

 private:
  std::uint64_t read_long_var_uint();

  const std::uint8_t* begin_;
  const std::uint8_t* position_;
  const std::uint8_t* end_;
  std::size_t base_offset_;
};

// The bytes are well-formed UTF-8 without surrogates (RFC 3629).
bool is_utf8(std::string_view text);

// length_utf16(), or kNotUtf8 where is_utf8() says no.
inline constexpr std::size_t kNotUtf8 = static_cast<std::size_t>(-1);
std::size_t checked_length_utf16(std::string_view text);

// How many UTF-16 code units well-formed UTF-8 has: the unit in which Yjs counts text.
std::size_t length_utf16(std::string_view utf8);

// The byte offset of UTF-16 unit `index` in well-formed UTF-8. An index inside a surrogate pair
// answers the offset of the character that it falls into.
std::size_t offset_of_utf16(std::string_view utf8, std::size_t index);

}  // namespace palimpsest::crdt
