#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "crdt/bytes.hpp"

namespace palimpsest::crdt {

// Appends values in the lib0 encoding (lib0/encoding.js) to bytes of its own.
//
// Cost: amortised O(1) per byte.
class Writer {
 public:
  Writer() = default;
  explicit Writer(Bytes recycled) : bytes_(std::move(recycled)) { room_to(bytes_.capacity()); }
  Writer(Writer&& other) noexcept { swap(other); }
  Writer& operator=(Writer&& other) noexcept {
    swap(other);
    return *this;
  }

  void write_byte(std::uint8_t value) {
    make_room(1);
    *at_++ = value;
  }
  void write_var_uint(std::uint64_t value) {
    make_room(kLongestNumberBytes);
    at_ = put_var_uint(at_, value);
  }
  // For whoever writes much at once: room for `bytes`, and then how far it was used.
  std::uint8_t* room(std::size_t bytes) {
    make_room(bytes);
    return at_;
  }
  void used(std::uint8_t* end) { at_ = end; }
  // Writes where there is room for kLongestNumberBytes; answers where it ends.
  static std::uint8_t* put_var_uint(std::uint8_t* at, std::uint64_t value) {
    while (value > 0x7F) {
      *at++ = static_cast<std::uint8_t>(value | 0x80);
      value >>= 7;
    }
    *at++ = static_cast<std::uint8_t>(value);
    return at;
  }
  static constexpr std::size_t kLongestNumberBytes = 10;
  // lib0 writes the sign apart from the magnitude, so that it can keep -0.
  void write_var_int(std::int64_t value, bool negative_zero = false);
  void write_bytes(ByteView bytes);
  void write_bytes(std::string_view bytes);
  void write_var_bytes(ByteView bytes);
  void write_var_string(std::string_view utf8);
  void write_float32(float value);
  void write_float64(double value);
  void write_big_int64(std::int64_t value);

  void reserve(std::size_t bytes) {
    if (bytes > bytes_.size()) room_to(bytes);
  }
  // Forgets what was written and keeps the room.
  void clear() { at_ = bytes_.data(); }
  std::size_t size() const { return static_cast<std::size_t>(at_ - bytes_.data()); }
  ByteView view() const { return {bytes_.data(), size()}; }
  Bytes take() && {
    bytes_.resize(size());
    at_ = end_ = nullptr;
    return std::exchange(bytes_, {});
  }

 private:
  void swap(Writer& other) noexcept {
    bytes_.swap(other.bytes_);
    std::swap(at_, other.at_);
    std::swap(end_, other.end_);
  }
  void make_room(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - at_) < bytes) grow(bytes);
  }
  void grow(std::size_t bytes);
  void room_to(std::size_t bytes);

  Bytes bytes_;  // what is written and room behind it
  std::uint8_t* at_ = nullptr;
  std::uint8_t* end_ = nullptr;
};

}  // namespace palimpsest::crdt
