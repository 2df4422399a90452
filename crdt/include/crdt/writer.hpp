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
  explicit Writer(Bytes recycled) : bytes_(std::move(recycled)) { bytes_.clear(); }

  void write_byte(std::uint8_t value) { bytes_.push_back(value); }
  void write_var_uint(std::uint64_t value);
  // lib0 writes the sign apart from the magnitude, so that it can keep -0.
  void write_var_int(std::int64_t value, bool negative_zero = false);
  void write_bytes(ByteView bytes);
  void write_bytes(std::string_view bytes);
  void write_var_bytes(ByteView bytes);
  void write_var_string(std::string_view utf8);
  void write_float32(float value);
  void write_float64(double value);
  void write_big_int64(std::int64_t value);

  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  std::size_t size() const { return bytes_.size(); }
  ByteView view() const { return bytes_; }
  Bytes take() && { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

}  // namespace palimpsest::crdt
