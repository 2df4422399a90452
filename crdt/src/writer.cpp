#include "crdt/writer.hpp"

#include <bit>

namespace palimpsest::crdt {
namespace {

template <class Unsigned>
void append_big_endian(Bytes& bytes, Unsigned value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

}  // namespace

void Writer::write_var_uint(std::uint64_t value) {
  while (value > 0x7F) {
    bytes_.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<std::uint8_t>(value));
}

void Writer::write_var_int(std::int64_t value, bool negative_zero) {
  const bool negative = value < 0 || negative_zero;
  auto magnitude = static_cast<std::uint64_t>(value < 0 ? -value : value);
  const std::uint8_t sign = negative ? 0x40 : 0;
  const std::uint8_t more = magnitude > 0x3F ? 0x80 : 0;
  bytes_.push_back(static_cast<std::uint8_t>(more | sign | (magnitude & 0x3F)));
  magnitude >>= 6;
  while (magnitude > 0) {
    bytes_.push_back(static_cast<std::uint8_t>((magnitude > 0x7F ? 0x80 : 0) | (magnitude & 0x7F)));
    magnitude >>= 7;
  }
}

void Writer::write_bytes(ByteView bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void Writer::write_bytes(std::string_view bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void Writer::write_var_bytes(ByteView bytes) {
  write_var_uint(bytes.size());
  write_bytes(bytes);
}

void Writer::write_var_string(std::string_view utf8) {
  write_var_uint(utf8.size());
  write_bytes(utf8);
}

void Writer::write_float32(float value) {
  append_big_endian(bytes_, std::bit_cast<std::uint32_t>(value));
}

void Writer::write_float64(double value) {
  append_big_endian(bytes_, std::bit_cast<std::uint64_t>(value));
}

void Writer::write_big_int64(std::int64_t value) {
  append_big_endian(bytes_, static_cast<std::uint64_t>(value));
}

}  // namespace palimpsest::crdt
