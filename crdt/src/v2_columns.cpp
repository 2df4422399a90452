#include "v2_columns.hpp"

#include "ascii.hpp"

namespace palimpsest::crdt::internal {
namespace {

void write_signed(Writer& column, std::uint64_t magnitude, bool negative) {
  const bool more = magnitude > 0x3F;
  column.write_byte(
      static_cast<std::uint8_t>((more ? 0x80 : 0) | (negative ? 0x40 : 0) | (magnitude & 0x3F)));
  if (more) column.write_var_uint(magnitude >> 6);
}

}  // namespace

StringDecoder::StringDecoder(Reader column)
    // The lengths follow the text: a column without either is an empty one.
    : lengths_(Reader(ByteView{}, column.offset())) {
  if (column.at_end()) return;
  const std::size_t start = column.position();
  text_ = as_text(column.read_var_bytes());
  is_ascii_ = is_ascii({reinterpret_cast<const std::uint8_t*>(text_.data()), text_.size()}, 0);
  if (!is_ascii_ && !is_utf8(text_)) column.fail_at(start, "a string that is not UTF-8");
  end_offset_ = column.offset();
  lengths_ = UintOptRleDecoder(column);
}

StringSlice StringDecoder::cut(std::uint64_t length) {
  StringSlice slice{.text = {}, .length_utf16 = length};
  std::uint64_t left = length;
  if (left > 0 && is_within_pair_) {
    slice.half_before = true;
    is_within_pair_ = false;
    text_.remove_prefix(4);
    --left;
  }
  std::size_t at = 0;
  while (left > 0) {
    if (at == text_.size()) fail_too_long();
    const auto lead = static_cast<unsigned char>(text_[at]);
    if (lead >= 0xF0 && left == 1) {
      slice.half_behind = is_within_pair_ = true;
      break;
    }
    at += lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    left -= lead < 0xF0 ? 1 : 2;
  }
  slice.text = text_.substr(0, at);
  text_.remove_prefix(at);
  return slice;
}

void StringDecoder::fail_too_long() const {
  lengths_.fail("a string that is longer than what is left of the text");
}

void RleEncoder::write(std::uint8_t value) {
  if (times_ > 0 && value == value_) {
    ++times_;
    return;
  }
  if (times_ > 0) column_.write_var_uint(times_ - 1);
  column_.write_byte(value);
  value_ = value;
  times_ = 1;
}

void UintOptRleEncoder::flush() {
  if (times_ == 0) return;
  write_signed(column_, value_, times_ > 1);
  if (times_ > 1) column_.write_var_uint(times_ - 2);
}

void IntDiffOptRleEncoder::flush() {
  if (times_ == 0) return;
  const std::int64_t doubled = step_ * 2 + (times_ > 1 ? 1 : 0);
  write_signed(column_, static_cast<std::uint64_t>(doubled < 0 ? -doubled : doubled), doubled < 0);
  if (times_ > 1) column_.write_var_uint(times_ - 2);
}

}  // namespace palimpsest::crdt::internal
