#pragma once

#include <cstddef>
#include <cstdint>
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
    std::uint64_t value = 0;
    if (remaining() >= kShortBytes && read_short_var_uint(position_, value)) return value;
    return read_long_var_uint();
  }
  // Numbers of at most kShortBytes bytes, as nearly all are, from bytes of which as many can be
  // read; false, and the position as it was, for a longer one.
  static constexpr std::size_t kShortBytes = 5;
  [[gnu::always_inline]] static bool read_short_var_uint(const std::uint8_t*& position,
                                                         std::uint64_t& value) {
    // One after the other, so that the processor can guess the length and go on with what follows.
    const std::uint8_t* const at = position;
    const auto group = [&](int i) { return std::uint64_t{at[i] & 0x7FU} << 7 * i; };
    if (at[0] < 0x80) return value = at[0], position = at + 1, true;
    if (at[1] < 0x80) return value = group(0) | group(1), position = at + 2, true;
    if (at[2] < 0x80) return value = group(0) | group(1) | group(2), position = at + 3, true;
    if (at[3] < 0x80) {
      return value = group(0) | group(1) | group(2) | group(3), position = at + 4, true;
    }
    if (at[4] < 0x80) {
      value = group(0) | group(1) | group(2) | group(3) | group(4);
      return position = at + 5, true;
    }
    return false;
  }
  // Goes on at `position`, which lies in the bytes that remain.
  void skip_to(const std::uint8_t* position) { position_ = position; }

  struct VarInt {
    std::int64_t value;
    bool negative_zero;  // lib0 keeps the sign of -0
  };
  // varInt := byte{more, sign, 6 bits} byte{more, 7 bits}*
  VarInt read_var_int();

  // A count of things of which each takes at least `min_bytes_each` more bytes: checked against
  // what remains, so that it is safe to reserve for.
  std::uint64_t read_count(std::size_t min_bytes_each, const char* what) {
    const std::uint8_t* const start = position_;
    const std::uint64_t count = read_var_uint();
    if (count > remaining() / min_bytes_each) {
      fail_at(static_cast<std::size_t>(start - begin_), what);
    }
    return count;
  }

  ByteView read_bytes(std::size_t count) {
    if (count > remaining()) fail("the bytes end inside a value");
    const ByteView bytes(position_, count);
    position_ += count;
    return bytes;
  }
  // varUint8Array := varUint(length) byte*
  ByteView read_var_bytes() {
    const std::uint8_t* const start = position_;
    const std::uint64_t length = read_var_uint();
    if (length > remaining()) {
      fail_at(static_cast<std::size_t>(start - begin_), "a length beyond the end of the bytes");
    }
    return read_bytes(static_cast<std::size_t>(length));
  }
  // varString := varUint(bytes) utf8. Refuses what is no UTF-8, lone surrogates included.
  std::string_view read_var_string();

  // IEEE 754, big endian.
  float read_float32();
  double read_float64();
  std::int64_t read_big_int64();

  [[noreturn, gnu::cold]] void fail(const char* cause) const;
  [[noreturn, gnu::cold]] void fail_at(std::size_t position, const char* cause) const;

 private:
  std::uint64_t read_long_var_uint();

  const std::uint8_t* begin_;
  const std::uint8_t* position_;
  const std::uint8_t* end_;
  std::size_t base_offset_;
};

// The bytes are well-formed UTF-8 without surrogates (RFC 3629).
bool is_utf8(std::string_view text);

// How many UTF-16 code units well-formed UTF-8 has: the unit in which Yjs counts text.
std::size_t length_utf16(std::string_view utf8);

// The byte offset of UTF-16 unit `index` in well-formed UTF-8. An index inside a surrogate pair
// answers the offset of the character that it falls into.
std::size_t offset_of_utf16(std::string_view utf8, std::size_t index);

}  // namespace palimpsest::crdt
