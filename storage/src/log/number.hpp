#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "crdt/bytes.hpp"

namespace palimpsest::storage::log {

// A row or a segment that no program of ours has written. Whoever read it knows where it came from.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// number := 7 bits per byte, lowest first, high bit set on all but the last; up to 2^64-1, where
// the numbers of lib0 end at 2^53-1
inline void put_number(crdt::Bytes& out, std::uint64_t value) {
  for (; value > 0x7F; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

inline void put_bytes(crdt::Bytes& out, crdt::ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Small for what is near 0 on either side: 0, -1, 1, -2 … become 0, 1, 2, 3 …
// Between any two numbers of 64 bits, modulo 2^64.
inline std::uint64_t difference(std::uint64_t from, std::uint64_t to) {
  const std::uint64_t step = to - from;
  return (step << 1) ^ (std::uint64_t{0} - (step >> 63));
}
inline std::uint64_t advance(std::uint64_t from, std::uint64_t difference) {
  return from + ((difference >> 1) ^ (std::uint64_t{0} - (difference & 1)));
}

// Takes numbers and bytes off the front of borrowed bytes. Throws Malformed at their end.
class Source {
 public:
  Source() = default;
  explicit Source(crdt::ByteView bytes)
      : position_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool at_end() const { return position_ == end_; }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - position_); }

  std::uint64_t number() {
    if (position_ != end_ && *position_ < 0x80) return *position_++;
    return long_number();
  }
  crdt::ByteView bytes(std::uint64_t count) {
    if (count > remaining()) throw Malformed("bytes are missing");
    const crdt::ByteView taken(position_, static_cast<std::size_t>(count));
    position_ += count;
    return taken;
  }

 private:
  std::uint64_t long_number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position_ == end_) throw Malformed("a number is cut off");
      const std::uint8_t byte = *position_++;
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    throw Malformed("a number of more than 64 bits");
  }

  const std::uint8_t* position_ = nullptr;
  const std::uint8_t* end_ = nullptr;
};

}  // namespace palimpsest::storage::log
