#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "block.hpp"
#include "crdt/bytes.hpp"
#include "crdt/id.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::crdt::internal {

// The columns of update format v2 (lib0, "stateful encoders"), under lib0's names.
//
// rle           := (byte(value) varUint(times - 1))* byte(value)    the last value for ever
// uintOptRle    := (varInt(value) | varInt(-value) varUint(times - 2))*      -0 has a sign too
// intDiffOptRle := (varInt(2 * step) | varInt(2 * step + 1) varUint(times - 2))*
// string        := varString(all strings as one) uintOptRle(their lengths in UTF-16 units)
//
// Decoders: a column that ends too early is refused, where lib0 reads zeros on and on; values
// that nobody asks for are passed over, as there.

// A varInt of more bits than lib0 holds exactly: a doubled step takes one more.
struct SignedMagnitude {
  std::uint64_t magnitude;  // below 2^59
  bool negative;            // zero can be, too
};
inline SignedMagnitude read_signed(Reader& reader) {
  const std::uint8_t first = reader.read_byte();
  std::uint64_t magnitude = first & 0x3F;
  if ((first & 0x80) != 0) magnitude |= reader.read_var_uint() << 6;
  return {magnitude, (first & 0x40) != 0};
}

// Most are short. Where eight bytes can be read and the number takes at most five of them, it is
// taken from there without a branch that depends on its size: what the numbers of the columns hold
// is what nobody can guess. False, and the position as it was, for any other.
[[gnu::always_inline]] inline bool read_short_signed(Reader& reader, SignedMagnitude& number) {
  std::uint64_t word;
  if (reader.remaining() < sizeof word) return false;
  const std::uint8_t* const at = reader.data();
  std::memcpy(&word, at, sizeof word);
  constexpr std::uint64_t kLastByteBits = 0x80'80808080;
  const std::uint64_t last = ~word & kLastByteBits;
  if (last == 0) return false;
  word &= (last & -last) * 2 - 1;
  number.negative = (word & 0x40) != 0;
  number.magnitude = (word & 0x3F) | (word >> 2 & 0x1FC0) | (word >> 3 & 0xFE000) |
                     (word >> 4 & 0x7F00000) | (word >> 5 & 0x3F8000000);
  reader.skip_to(at + std::countr_zero(last) / 8 + 1);
  return true;
}

inline constexpr const char* kEndsEarly = "the column ends before the blocks do";

class RleDecoder {
 public:
  explicit RleDecoder(const Reader& column) : column_(column) {}

  // What read() answers next; pass() goes behind it.
  std::uint8_t peek() {
    if (left_ == 0) read_run();
    return value_;
  }
  void pass() { --left_; }

  std::uint8_t read() {
    if (left_ == 0) read_run();
    --left_;
    return value_;
  }
  [[noreturn]] void fail(const char* cause) const { column_.fail(cause); }

 private:
  void read_run();

  Reader column_;
  std::uint64_t left_ = 0;
  std::uint8_t value_ = 0;
};

class UintOptRleDecoder {
 public:
  explicit UintOptRleDecoder(const Reader& column) : column_(column) {}

  // Whether `times` more of the value follow in the run that is being read; pass() goes behind
  // them.
  bool repeats(std::uint64_t value, std::uint64_t times) const {
    return value_ == value && left_ >= times;
  }
  void pass(std::uint64_t times) { left_ -= times; }

  // At most 2^53-1.
  std::uint64_t read() {
    if (left_ == 0) read_run();
    --left_;
    return value_;
  }
  [[noreturn]] void fail(const char* cause) const { column_.fail(cause); }

 private:
  void read_run();

  Reader column_;
  std::uint64_t left_ = 0;
  std::uint64_t value_ = 0;
};

class IntDiffOptRleDecoder {
 public:
  explicit IntDiffOptRleDecoder(const Reader& column) : column_(column) {}

  // At most 2^53-1.
  std::uint64_t read() {
    if (left_ == 0) read_run();
    --left_;
    value_ += step_;  // below 2^59: no overflow
    if (value_ > kMaxSafeInteger) fail("a step to a number below 0 or above 2^53-1");
    return value_;
  }
  [[noreturn]] void fail(const char* cause) const { column_.fail(cause); }

 private:
  void read_run();

  Reader column_;
  std::uint64_t left_ = 0;
  std::uint64_t step_ = 0;  // modulo 2^64
  std::uint64_t value_ = 0;
};

// A string of the string column. Lengths count UTF-16 units, so that a string can end within a
// surrogate pair; each half of such a pair reads as U+FFFD.
struct StringSlice {
  std::string_view text;  // without the halves
  std::uint64_t length_utf16 = 0;
  bool half_before = false;
  bool half_behind = false;

  std::size_t size_bytes() const {
    return text.size() + (half_before ? kReplacement.size() : 0) +
           (half_behind ? kReplacement.size() : 0);
  }
};

class StringDecoder {
 public:
  // Throws DecodeError where the text is not UTF-8.
  explicit StringDecoder(Reader column);

  StringSlice read() {
    const std::uint64_t length = lengths_.read();
    if (!is_ascii_) return cut(length);
    if (length > text_.size()) fail_too_long();
    const std::string_view text = text_.substr(0, static_cast<std::size_t>(length));
    text_.remove_prefix(text.size());
    return {.text = text, .length_utf16 = length};
  }
  // Whether the next string is ASCII, and so many bytes can be read from where it begins.
  bool is_ascii_for(std::size_t bytes) const { return is_ascii_ && text_.size() >= bytes; }
  // Bytes of text, read by nobody yet.
  std::size_t remaining() const { return text_.size(); }
  // Of the text that comes next, in the update.
  std::size_t offset() const { return end_offset_ - text_.size(); }
  // What can be read behind the end of any string.
  const char* end() const { return text_.data() + text_.size(); }

 private:
  StringSlice cut(std::uint64_t length);
  [[noreturn]] void fail_too_long() const;

  std::string_view text_;        // what is left
  std::size_t end_offset_ = 0;   // of the text, in the update
  bool is_ascii_ = false;        // a unit is a byte
  bool is_within_pair_ = false;  // the first half of the first character is read already
  UintOptRleDecoder lengths_;
};

class RleEncoder {
 public:
  void write(std::uint8_t value);
  // The last run stays without its count.
  ByteView finish() { return column_.view(); }

 private:
  Writer column_;
  std::uint64_t times_ = 0;
  std::uint8_t value_ = 0;
};

class UintOptRleEncoder {
 public:
  void write(std::uint64_t value) {
    if (value == value_) {
      ++times_;
    } else {
      flush();
      value_ = value;
      times_ = 1;
    }
  }
  ByteView finish() {
    flush();
    times_ = 0;
    return column_.view();
  }

 private:
  void flush();

  Writer column_;
  std::uint64_t value_ = 0;
  std::uint64_t times_ = 0;
};

class IntDiffOptRleEncoder {
 public:
  void write(std::uint64_t value) {
    const auto step = static_cast<std::int64_t>(value - value_);
    value_ = value;
    if (step == step_) {
      ++times_;
    } else {
      flush();
      step_ = step;
      times_ = 1;
    }
  }
  ByteView finish() {
    flush();
    times_ = 0;
    return column_.view();
  }

 private:
  void flush();

  Writer column_;
  std::uint64_t value_ = 0;
  std::int64_t step_ = 0;
  std::uint64_t times_ = 0;
};

class StringEncoder {
 public:
  // `length_utf16` of `utf8`, where it is known.
  void write(std::string_view utf8, std::uint64_t length_utf16) {
    text_.write_bytes(utf8);
    lengths_.write(length_utf16);
  }
  void write(std::string_view utf8) { write(utf8, length_utf16(utf8)); }

  ByteView text() const { return text_.view(); }
  ByteView finish_lengths() { return lengths_.finish(); }

 private:
  Writer text_;
  UintOptRleEncoder lengths_;
};

inline void RleDecoder::read_run() {
  if (column_.at_end()) fail(kEndsEarly);
  value_ = column_.read_byte();
  left_ =
      column_.at_end() ? std::numeric_limits<std::uint64_t>::max() : column_.read_var_uint() + 1;
}

inline void UintOptRleDecoder::read_run() {
  if (column_.at_end()) fail(kEndsEarly);
  const SignedMagnitude number = read_signed(column_);
  if (number.magnitude > kMaxSafeInteger) fail("a number above 2^53-1");
  value_ = number.magnitude;
  left_ = number.negative ? column_.read_var_uint() + 2 : 1;
}

inline void IntDiffOptRleDecoder::read_run() {
  SignedMagnitude number;
  if (!read_short_signed(column_, number)) {
    if (column_.at_end()) fail(kEndsEarly);
    number = read_signed(column_);
  }
  const auto magnitude = static_cast<std::int64_t>(number.magnitude);
  const std::int64_t doubled = number.negative ? -magnitude : magnitude;
  step_ = static_cast<std::uint64_t>(doubled >> 1);
  left_ = (doubled & 1) != 0 ? column_.read_var_uint() + 2 : 1;
}

}  // namespace palimpsest::crdt::internal
