#include "crdt/purge.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "crdt/any.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "decoded_update.hpp"
#include "pieces.hpp"

namespace palimpsest::crdt {

using internal::BlockCursor;
using internal::BlockView;
using internal::DecodedUpdate;
using internal::Kind;
using internal::Pieces;
using internal::Section;

namespace {

// Writes the block without these pieces and answers how many blocks that are.
std::uint64_t write_without(Writer& writer, const BlockView& block, ClientId client,
                            const Pieces& gone) {
  if (gone.empty()) {
    internal::write_block(writer, block, client, 0);
    return 1;
  }
  std::uint64_t count = 0;
  internal::for_each_part(block, client, gone, [&](const BlockView& part) {
    internal::write_fields(writer, part);
    ++count;
  });
  return count;
}

Pieces pieces_to_take(const BlockView& block, const DeleteSet::Ranges& ranges) {
  return internal::pieces_of(block, ranges, internal::Pairs::kTake);
}

bool touches(const DecodedUpdate& update, const DeleteSet& units) {
  for (const Section& section : update.sections) {
    const auto ranges = units.clients().find(section.client);
    if (ranges == units.clients().end()) continue;
    for (BlockCursor cursor(section); !cursor.at_end(); cursor.next())
      if (!pieces_to_take(cursor.block(), ranges->second).empty()) return true;
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
    if (!internal::has_content_to_take(block.kind)) return;
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
      count += write_without(blocks, cursor.block(), section.client,
                             pieces_to_take(cursor.block(), gone));
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
