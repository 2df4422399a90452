#pragma once

#include <cstdint>
#include <vector>

#include "block.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/id.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::crdt::internal {

// Blocks of an update in pieces, for who takes the content of some units out and leaves the rest.

// Units of one block, counted from its first.
struct Piece {
  std::uint64_t begin;
  std::uint64_t end;
};
using Pieces = std::vector<Piece>;

// Of a surrogate pair of which one half is named.
enum class Pairs {
  kTake,   // the other half goes with it
  kLeave,  // it stays as a whole
};

// Shared types have none: what is in them has units of its own.
constexpr bool has_content_to_take(Kind kind) {
  return is_item(kind) && kind != Kind::kDeleted && kind != Kind::kType;
}

// Which of these units of the block have content that can be taken out, in order; `ranges` are
// sorted.
Pieces pieces_of(const BlockView& block, const DeleteSet::Ranges& ranges, Pairs pairs);

// A piece as a block of its own: with its content, or of another kind, kDeleted, without. It cuts
// no pair. `raw` is not set.
BlockView part_of(const BlockView& block, ClientId client, Piece piece, Kind kind);

// Visits the parts that the block falls into where these pieces become kDeleted, in order.
template <class Visit>
void for_each_part(const BlockView& block, ClientId client, const Pieces& gone, Visit&& visit) {
  std::uint64_t done = 0;
  const auto go_to = [&](std::uint64_t end, Kind kind) {
    if (end == done) return;
    visit(part_of(block, client, {done, end}, kind));
    done = end;
  };
  for (const Piece& piece : gone) {
    go_to(piece.begin, block.kind);
    go_to(piece.end, Kind::kDeleted);
  }
  go_to(block.length, block.kind);
}

// Writes a block from its fields, without looking at `raw`.
void write_fields(Writer& writer, const BlockView& block);

}  // namespace palimpsest::crdt::internal
