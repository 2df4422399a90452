#include "pieces.hpp"

#include <algorithm>

namespace palimpsest::crdt::internal {
namespace {

// Whether a cut there would tear a surrogate pair.
bool is_inside_pair(const BlockView& block, std::uint64_t at) {
  if (at == 0 || at == block.length || block.kind != Kind::kString) return false;
  return cut_content(block.kind, block.content, static_cast<std::size_t>(block.length),
                     static_cast<std::size_t>(at))
      .needs_replacement;
}

void write_id(Writer& writer, Id id) {
  writer.write_var_uint(id.client);
  writer.write_var_uint(id.clock);
}

}  // namespace

Pieces pieces_of(const BlockView& block, const DeleteSet::Ranges& ranges, Pairs pairs) {
  Pieces pieces;
  if (!has_content_to_take(block.kind)) return pieces;
  const bool takes = pairs == Pairs::kTake;
  auto range = std::ranges::partition_point(
      ranges, [&](const auto& one) { return one.end() <= block.clock; });
  for (; range != ranges.end() && range->clock < block.end(); ++range) {
    Piece piece{std::max(range->clock, block.clock) - block.clock,
                std::min(range->end(), block.end()) - block.clock};
    if (is_inside_pair(block, piece.begin)) piece.begin = takes ? piece.begin - 1 : piece.begin + 1;
    if (is_inside_pair(block, piece.end)) piece.end = takes ? piece.end + 1 : piece.end - 1;
    if (piece.begin >= piece.end) continue;
    if (!pieces.empty() && piece.begin <= pieces.back().end) {
      pieces.back().end = std::max(pieces.back().end, piece.end);
    } else {
      pieces.push_back(piece);
    }
  }
  return pieces;
}

BlockView part_of(const BlockView& block, ClientId client, Piece piece, Kind kind) {
  BlockView part = block;
  part.kind = kind;
  part.raw = {};
  part.clock = block.clock + piece.begin;
  part.length = piece.end - piece.begin;
  if (piece.begin > 0) {  // it hangs on the unit before it, and so names no parent
    part.has_origin = true;
    part.origin = {client, part.clock - 1};
  }
  if (kind != block.kind) {
    part.content = {};
    return part;
  }
  const auto length = static_cast<std::size_t>(block.length);
  std::size_t begin = 0;
  std::size_t end = block.content.size();
  if (piece.end < block.length)
    end = cut_content(kind, block.content, length, static_cast<std::size_t>(piece.end)).left_bytes;
  if (piece.begin > 0) {
    begin =
        cut_content(kind, block.content, length, static_cast<std::size_t>(piece.begin)).right_begin;
  }
  part.content = block.content.subspan(begin, end - begin);
  return part;
}

void write_fields(Writer& writer, const BlockView& block) {
  if (!is_item(block.kind)) {
    writer.write_byte(static_cast<std::uint8_t>(block.kind));
    writer.write_var_uint(block.length);
    return;
  }
  writer.write_byte(static_cast<std::uint8_t>(
      static_cast<std::uint8_t>(block.kind) | (block.has_origin ? kHasOrigin : 0) |
      (block.has_right_origin ? kHasRightOrigin : 0) | (block.has_key ? kHasKey : 0)));
  if (block.has_origin) write_id(writer, block.origin);
  if (block.has_right_origin) write_id(writer, block.right_origin);
  if (block.names_parent()) {
    writer.write_var_uint(block.has_parent_id ? 0 : 1);
    if (block.has_parent_id) {
      write_id(writer, block.parent_id);
    } else {
      writer.write_var_string(block.parent_root);
    }
    if (block.has_key) writer.write_var_string(block.key);
  }
  write_content(writer, block.kind, block.content, static_cast<std::size_t>(block.length), 0);
}

}  // namespace palimpsest::crdt::internal
