#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"

namespace palimpsest::storage::log {

// An update taken apart as far as its columns go (the grammar: crdt/src/block.hpp). What is not
// told apart here is kept as bytes, so that nothing has to be understood to be given back.
//
// Lifetime: borrows the bytes it was read from.
struct Shape {
  struct Block {
    std::uint8_t info = 0;  // its first byte
    crdt::Id origin{};      // where info says that there is one
    crdt::Id right_origin{};
    crdt::ByteView parent;    // with its key; where there is neither origin
    std::uint64_t units = 0;  // its length
    crdt::ByteView content;   // of text: the characters; else as it stands, without the length
  };
  struct Section {
    crdt::ClientId client = 0;
    crdt::Clock clock = 0;
    std::uint64_t blocks = 0;
  };
  struct Deletions {
    crdt::ClientId client = 0;
    std::uint64_t ranges = 0;
  };
  struct Range {
    crdt::Clock clock = 0;
    std::uint64_t units = 0;
  };

  std::vector<Section> sections;
  std::vector<Block> blocks;  // of all sections
  std::vector<Deletions> deletions;
  std::vector<Range> ranges;  // of all deletions

  // Reads an update into `shape`. False, and nothing useful in it, unless write() gives the very
  // bytes back: numbers that are longer than they have to be, say, or no update at all.
  static bool read(crdt::ByteView update, Shape& shape);
  // The update, written into `room`, which grows as it needs to.
  crdt::ByteView write(crdt::Bytes& room) const;
};

// Parts of `info`.
inline constexpr std::uint8_t kKindMask = 0x1F;
inline constexpr std::uint8_t kTextKind = 4;
inline constexpr std::uint8_t kHasKey = 0x20;
inline constexpr std::uint8_t kHasRightOrigin = 0x40;
inline constexpr std::uint8_t kHasOrigin = 0x80;

bool is_item(std::uint8_t info);
inline bool names_parent(std::uint8_t info) { return (info & (kHasOrigin | kHasRightOrigin)) == 0; }
// How a block says what it holds.
enum class Holds { kUnits, kText, kContent };
Holds holds(std::uint8_t info);
// Its UTF-16 units, where it is UTF-8, and of any bytes always the same number.
std::uint64_t text_units(crdt::ByteView text);

}  // namespace palimpsest::storage::log
