#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crdt/bytes.hpp"

namespace palimpsest::bench {

inline constexpr std::string_view kRoot = "content";

// How the root is read.
enum class Kind { kText, kMap, kXml };

// Units: UTF-16 code units.
struct Edit {
  std::uint32_t position;
  std::uint32_t deleted;
  std::string_view inserted;
};

// A folder of files that all engines are measured on; peers/input.mjs says what is in it. Files are
// read when they are asked for.
//
// Errors: std::runtime_error for a file that is missing or cut off.
class Input {
 public:
  Input(std::string folder, Kind kind) : folder_(std::move(folder)), kind_(kind) {}

  Kind kind() const { return kind_; }
  std::string content() const;
  crdt::Bytes state() const { return read("yjs.state"); }
  crdt::Bytes state_v2() const { return read("yjs.state2"); }
  // The state vector half-way.
  crdt::Bytes half() const { return read("yjs.half"); }

  struct Updates {
    crdt::Bytes stream;
    std::vector<crdt::ByteView> each;  // in `stream`
    std::size_t bytes() const;         // of all of them
  };
  Updates updates() const;

  struct Edits {
    crdt::Bytes stream;
    std::vector<Edit> each;  // in `stream`
  };
  Edits edits() const;

 private:
  crdt::Bytes read(const std::string& name) const;

  std::string folder_;
  Kind kind_;
};

}  // namespace palimpsest::bench
