#include "crdt/writer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace palimpsest::crdt {
namespace {

template <class Unsigned>
void write_big_endian(Writer& writer, Unsigned value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8) {
    writer.write_byte(static_cast<std::uint8_t>(value >> shift));
  }
}

}  // namespace

void Writer::grow(std::size_t bytes) {
  constexpr std::size_t kSmallest = 32;
  room_to(std::max({kSmallest, size() + bytes, 2 * bytes_.size()}));
}

void Writer::room_to(std::size_t bytes) {
  const std::size_t written = at_ == nullptr ? 0 : size();
  bytes_.resize(bytes);
  at_ = bytes_.data() + written;
  end_ = bytes_.data() + bytes_.size();
}

void Writer::write_var_int(std::int64_t value, bool negative_zero) {
  const bool negative = value < 0 || negative_zero;
  auto magnitude = static_cast<std::uint64_t>(value < 0 ? -value : value);
  const std::uint8_t sign = negative ? 0x40 : 0;
  const std::uint8_t more = magnitude > 0x3F ? 0x80 : 0;
  write_byte(static_cast<std::uint8_t>(more | sign | (magnitude & 0x3F)));
  magnitude >>= 6;
  while (magnitude > 0) {
    write_byte(static_cast<std::uint8_t>((magnitude > 0x7F ? 0x80 : 0) | (magnitude & 0x7F)));
    magnitude >>= 7;
  }
}

void Writer::write_bytes(ByteView bytes) {
  make_room(bytes.size());
  if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
  at_ += bytes.size();
}

void Writer::write_bytes(std::string_view bytes) {
  write_bytes(ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
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
  write_big_endian(*this, std::bit_cast<std::uint32_t>(value));
}

void Writer::write_float64(double value) {
  write_big_endian(*this, std::bit_cast<std::uint64_t>(value));
}

void Writer::write_big_int64(std::int64_t value) {
  write_big_endian(*this, static_cast<std::uint64_t>(value));
}

}  // namespace palimpsest::crdt
