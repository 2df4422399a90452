#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "crdt/bytes.hpp"

namespace palimpsest::server {

// The bytes of one message, encoded once and shared by everybody who is sent them.
//
// Invariant: the bytes never change. Copies share them.
// Home:      any thread.
class Frame {
 public:
  Frame() = default;
  explicit Frame(crdt::Bytes bytes)
      : bytes_(std::make_shared<const crdt::Bytes>(std::move(bytes))) {}

  crdt::ByteView bytes() const { return bytes_ ? crdt::ByteView(*bytes_) : crdt::ByteView(); }
  std::size_t size() const { return bytes_ ? bytes_->size() : 0; }
  // Two frames are the same one when they share their bytes.
  bool shares_bytes_with(const Frame& other) const { return bytes_ == other.bytes_; }

 private:
  std::shared_ptr<const crdt::Bytes> bytes_;
};

}  // namespace palimpsest::server
