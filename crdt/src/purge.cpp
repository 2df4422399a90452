#include "crdt/purge.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "crdt/any.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "decoded_update.hpp"

namespace palimpsest::crdt {

using internal::BlockCursor;
using internal::BlockView;
using internal::DecodedUpdate;
using internal::Kind;
using internal::Section;

namespace {

// Units of one block, counted from its first.
struct Piece {
  std::uint64_t begin;
  std::uint64_t end;
};
using Pieces = std::vector<Piece>;

bool has_content_to_take(Kind kind) {
  return internal::is_item(kind) && kind != Kind::kDeleted && kind != Kind::kType;
}

// Whether a cut there would tear a surrogate pair.
bool is_inside_pair(const BlockView& block, std::uint64_t at) {
  if (at == 0 || at == block.length || block.kind != Kind::kString) return false;
  return internal::cut_content(block.kind, block.content, static_cast<std::size_t>(block.length),
                               static_cast<std::size_t>(at))
      .needs_replacement;
}

// What of the block is to go, in order.
Pieces pieces_of(const BlockView& block, const DeleteSet::Ranges& ranges) {
  Pieces pieces;
  if (!has_content_to_take(block.kind)) return pieces;
  auto range = std::ranges::partition_point(
      ranges, [&](const auto& one) { return one.end() <= block.clock; });
  for (; range != ranges.end() && range->clock < block.end(); ++range) {
    Piece piece{std::max(range->clock, block.clock) - block.clock,
                std::min(range->end(), block.end()) - block.clock};
    if (is_inside_pair(block, piece.begin)) --piece.begin;
    if (is_inside_pair(block, piece.end)) ++piece.end;
    if (!pieces.empty() && piece.begin <= pieces.back().end) {
      pieces.back().end = std::max(pieces.back().end, piece.end);
    } else {
      pieces.push_back(piece);
    }
  }
  return pieces;
}

void write_id(Writer& writer, Id id) {
  writer.write_var_uint(id.client);
  writer.write_var_uint(id.clock);
}

// What stands before an item's content, of a kind that may be another.
void write_head(Writer& writer, const BlockView& block, Kind kind) {
  using namespace internal;
  writer.write_byte(static_cast<std::uint8_t>(
      static_cast<std::uint8_t>(kind) | (block.has_origin ? kHasOrigin : 0) |
      (block.has_right_origin ? kHasRightOrigin : 0) | (block.has_key ? kHasKey : 0)));
  if (block.has_origin) write_id(writer, block.origin);
  if (block.has_right_origin) write_id(writer, block.right_origin);
  if (!block.names_parent()) return;
  writer.write_var_uint(block.has_parent_id ? 0 : 1);
  if (block.has_parent_id) {
    write_id(writer, block.parent_id);
  } else {
    writer.write_var_string(block.parent_root);
  }
  if (block.has_key) writer.write_var_string(block.key);
}

// A piece of the block as a block of its own: its content, or deleted units in its place.
void write_piece(Writer& writer, const BlockView& block, ClientId client, Piece piece, Kind kind) {
  BlockView part = block;
  part.kind = kind;
  part.length = piece.end;
  if (kind == block.kind && piece.end < block.length) {
    const auto cut =
        internal::cut_content(kind, block.content, static_cast<std::size_t>(block.length),
                              static_cast<std::size_t>(piece.end));
    part.content = block.content.first(cut.left_bytes);
  }
  if (piece.begin > 0) return internal::write_block(writer, part, client, piece.begin);
  write_head(writer, part, kind);
  internal::write_content(writer, kind, part.content, static_cast<std::size_t>(part.length), 0);
}

// Writes the block without these pieces and answers how many blocks that are.
std::uint64_t write_without(Writer& writer, const BlockView& block, ClientId client,
                            const Pieces& gone) {
  if (gone.empty()) {
    internal::write_block(writer, block, client, 0);
    return 1;
  }
  std::uint64_t count = 0;
  std::uint64_t written = 0;
  const auto write = [&](std::uint64_t end, Kind kind) {
    if (end == written) return;
    write_piece(writer, block, client, {written, end}, kind);
    written = end;
    ++count;
  };
  for (const Piece& piece : gone) {
    write(piece.begin, block.kind);
    write(piece.end, Kind::kDeleted);
  }
  write(block.length, block.kind);
  return count;
}

bool touches(const DecodedUpdate& update, const DeleteSet& units) {
  for (const Section& section : update.sections) {
    const auto ranges = units.clients().find(section.client);
    if (ranges == units.clients().end()) continue;
    for (BlockCursor cursor(section); !cursor.at_end(); cursor.next())
      if (!pieces_of(cursor.block(), ranges->second).empty()) return true;
  }
  return false;
}

// --- Looking for a phrase ---

// Where it begins, as often as it stands there; occurrences may overlap.
std::vector<std::size_t> places_of(std::string_view phrase, std::string_view bytes) {
  std::vector<std::size_t> places;
  for (std::size_t at = bytes.find(phrase); at != bytes.npos; at = bytes.find(phrase, at + 1))
    places.push_back(at);
  return places;
}

// As JSON.stringify() writes it inside of a string.
std::string as_in_json(std::string_view phrase) {
  const std::string quoted = Any(std::string(phrase)).to_json();
  return quoted.substr(1, quoted.size() - 2);
}

class PhraseSearch {
 public:
  explicit PhraseSearch(std::string_view phrase) : phrase_(phrase), in_json_(as_in_json(phrase)) {}

  void look_into(ClientId client, const BlockView& block) {
    if (!has_content_to_take(block.kind)) return;
    const std::string_view content = internal::as_text(block.content);
    if (block.kind == Kind::kString) {
      Clock clock = block.clock;
      std::size_t counted = 0;
      for (const std::size_t place : places_of(phrase_, content)) {
        clock += length_utf16(content.substr(counted, place - counted));
        counted = place;
        found_.append(client, clock, length_utf16(phrase_));
      }
      return;
    }
    if (!stands_in(content)) return;
    ByteView rest = block.content;
    for (std::uint64_t unit = 0; unit < block.length; ++unit) {
      const auto left = static_cast<std::size_t>(block.length - unit);
      const std::size_t bytes =
          left == 1 ? rest.size() : internal::cut_content(block.kind, rest, left, 1).left_bytes;
      if (stands_in(internal::as_text(rest.first(bytes))))
        found_.append(client, block.clock + unit, 1);
      rest = rest.subspan(bytes);
    }
  }

  DeleteSet finish() {
    found_.normalize();
    return std::move(found_);
  }

 private:
  bool stands_in(std::string_view content) const {
    return content.find(phrase_) != content.npos || content.find(in_json_) != content.npos;
  }

  std::string_view phrase_;
  std::string in_json_;
  DeleteSet found_;
};

}  // namespace

Bytes without_content(ByteView bytes, const DeleteSet& units) {
  const DecodedUpdate update = internal::decode_update(bytes);
  if (!touches(update, units)) return {bytes.begin(), bytes.end()};
  Writer writer;
  writer.write_var_uint(update.sections.size());
  static const DeleteSet::Ranges kNothing;
  for (const Section& section : update.sections) {
    const auto ranges = units.clients().find(section.client);
    const DeleteSet::Ranges& gone = ranges == units.clients().end() ? kNothing : ranges->second;
    Writer blocks;
    std::uint64_t count = 0;
    for (BlockCursor cursor(section); !cursor.at_end(); cursor.next())
      count +=
          write_without(blocks, cursor.block(), section.client, pieces_of(cursor.block(), gone));
    writer.write_var_uint(count);
    writer.write_var_uint(section.client);
    writer.write_var_uint(section.clock);
    writer.write_bytes(blocks.view());
  }
  internal::to_delete_set(update).write(writer);
  return std::move(writer).take();
}

DeleteSet units_containing(ByteView bytes, std::string_view phrase) {
  const DecodedUpdate update = internal::decode_update(bytes);
  PhraseSearch search(phrase);
  for (const Section& section : update.sections) {
    for (BlockCursor cursor(section); !cursor.at_end(); cursor.next())
      search.look_into(section.client, cursor.block());
  }
  return search.finish();
}

}  // namespace palimpsest::crdt
