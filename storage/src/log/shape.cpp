#include "log/shape.hpp"

#include <algorithm>

#include "crdt/any.hpp"
#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "log/number.hpp"

namespace palimpsest::storage::log {
namespace {

using crdt::Reader;

// Kinds of block by their number in the format.
enum Kind : std::uint8_t {
  kGc = 0,
  kDeleted = 1,
  kJson = 2,
  kBinary = 3,
  kText = kTextKind,
  kEmbed = 5,
  kFormat = 6,
  kType = 7,
  kAny = 8,
  kSkip = 10,
};

// Of a type: has a name behind its number.
constexpr std::uint64_t kXmlElement = 3;
constexpr std::uint64_t kXmlHook = 5;

Kind kind_of(std::uint8_t info) { return static_cast<Kind>(info & kKindMask); }

crdt::Id read_id(Reader& reader) {
  const std::uint64_t client = reader.read_var_uint();
  return {client, reader.read_var_uint()};
}

// What lies between two positions of the reader.
template <class Read>
crdt::ByteView extent(Reader& reader, Read read) {
  const std::uint8_t* const begin = reader.data();
  read();
  return {begin, reader.data()};
}

void read_parent(Reader& reader, std::uint8_t info) {
  if (reader.read_var_uint() == 1) {
    reader.read_var_bytes();
  } else {
    read_id(reader);
  }
  if (info & kHasKey) reader.read_var_bytes();
}

// Behind the count of elements. False: of a kind that is not told apart.
bool read_content(Reader& reader, Kind kind, std::uint64_t count) {
  switch (kind) {
    case kJson:
      for (std::uint64_t i = 0; i < count; ++i) reader.read_var_bytes();
      return true;
    case kAny:
      for (std::uint64_t i = 0; i < count; ++i) crdt::Any::skip(reader);
      return true;
    case kFormat:
      reader.read_var_bytes();
      [[fallthrough]];
    case kBinary:
    case kEmbed:
      reader.read_var_bytes();
      return true;
    case kType: {
      const std::uint64_t type = reader.read_var_uint();
      if (type == kXmlElement || type == kXmlHook) reader.read_var_bytes();
      return true;
    }
    default:
      return false;
  }
}

bool counts_elements(Kind kind) { return kind == kJson || kind == kAny; }

bool read_block(Reader& reader, Shape::Block& block) {
  block.info = reader.read_byte();
  const Kind kind = kind_of(block.info);
  if (is_item(block.info)) {
    if (block.info & kHasOrigin) block.origin = read_id(reader);
    if (block.info & kHasRightOrigin) block.right_origin = read_id(reader);
    if (names_parent(block.info)) {
      block.parent = extent(reader, [&] { read_parent(reader, block.info); });
    }
  }
  switch (holds(block.info)) {
    case Holds::kUnits:
      block.units = reader.read_var_uint();
      return true;
    case Holds::kText:
      block.content = reader.read_var_bytes();
      block.units = text_units(block.content);
      return true;
    case Holds::kContent:
      block.units = counts_elements(kind) ? reader.read_var_uint() : 1;
      bool is_known = true;
      block.content = extent(reader, [&] { is_known = read_content(reader, kind, block.units); });
      return is_known;
  }
  return false;
}

bool read_sections(Reader& reader, Shape& shape) {
  const std::uint64_t sections = reader.read_count(3, "more clients than the bytes can hold");
  for (std::uint64_t i = 0; i < sections; ++i) {
    Shape::Section section;
    section.blocks = reader.read_count(2, "more blocks than the bytes can hold");
    section.client = reader.read_var_uint();
    section.clock = reader.read_var_uint();
    for (std::uint64_t k = 0; k < section.blocks; ++k) {
      if (!read_block(reader, shape.blocks.emplace_back())) return false;
    }
    shape.sections.push_back(section);
  }
  return true;
}

void read_deletions(Reader& reader, Shape& shape) {
  const std::uint64_t clients = reader.read_count(2, "more clients than the bytes can hold");
  for (std::uint64_t i = 0; i < clients; ++i) {
    Shape::Deletions deletions;
    deletions.client = reader.read_var_uint();
    deletions.ranges = reader.read_count(2, "more ranges than the bytes can hold");
    for (std::uint64_t k = 0; k < deletions.ranges; ++k) {
      const std::uint64_t clock = reader.read_var_uint();
      shape.ranges.push_back({clock, reader.read_var_uint()});
    }
    shape.deletions.push_back(deletions);
  }
}

// Writes where there is room enough: most of what reading a segment costs is here.
class Pen {
 public:
  explicit Pen(std::uint8_t* at) : at_(at) {}
  std::uint8_t* at() const { return at_; }

  void byte(std::uint8_t byte) { *at_++ = byte; }
  void number(std::uint64_t value) {
    for (; value > 0x7F; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }
  void id(crdt::Id id) {
    number(id.client);
    number(id.clock);
  }
  void bytes(crdt::ByteView bytes) { at_ = std::ranges::copy(bytes, at_).out; }

 private:
  std::uint8_t* at_;
};

void write_block(Pen& pen, const Shape::Block& block) {
  pen.byte(block.info);
  if (is_item(block.info)) {
    if (block.info & kHasOrigin) pen.id(block.origin);
    if (block.info & kHasRightOrigin) pen.id(block.right_origin);
    pen.bytes(block.parent);
  }
  switch (holds(block.info)) {
    case Holds::kUnits:
      pen.number(block.units);
      return;
    case Holds::kText:
      pen.number(block.content.size());
      break;
    case Holds::kContent:
      if (counts_elements(kind_of(block.info))) pen.number(block.units);
      break;
  }
  pen.bytes(block.content);
}

// No update takes more.
std::size_t most_bytes(const Shape& shape) {
  constexpr std::size_t kNumber = 10;
  std::size_t bytes = 2 * kNumber + 3 * kNumber * shape.sections.size() +
                      (1 + 5 * kNumber) * shape.blocks.size() +
                      2 * kNumber * (shape.deletions.size() + shape.ranges.size());
  for (const Shape::Block& block : shape.blocks) {
    bytes += block.parent.size() + block.content.size();
  }
  return bytes;
}

}  // namespace

bool is_item(std::uint8_t info) { return kind_of(info) != kGc && kind_of(info) != kSkip; }

Holds holds(std::uint8_t info) {
  switch (kind_of(info)) {
    case kGc:
    case kSkip:
    case kDeleted:
      return Holds::kUnits;
    case kText:
      return Holds::kText;
    default:
      return Holds::kContent;
  }
}

std::uint64_t text_units(crdt::ByteView text) {
  if (text.size() == 1) return 1;
  return crdt::length_utf16({reinterpret_cast<const char*>(text.data()), text.size()});
}

bool Shape::read(crdt::ByteView update, Shape& shape) {
  shape.sections.clear();
  shape.blocks.clear();
  shape.deletions.clear();
  shape.ranges.clear();
  try {
    Reader reader(update);
    if (!read_sections(reader, shape)) return false;
    read_deletions(reader, shape);
    if (!reader.at_end()) return false;
  } catch (const crdt::DecodeError&) {
    return false;
  }
  crdt::Bytes room;
  return std::ranges::equal(shape.write(room), update);
}

crdt::ByteView Shape::write(crdt::Bytes& room) const {
  room.resize(std::max(room.size(), most_bytes(*this)));
  Pen pen(room.data());
  pen.number(sections.size());
  auto block = blocks.begin();
  for (const Section& section : sections) {
    pen.number(section.blocks);
    pen.number(section.client);
    pen.number(section.clock);
    for (std::uint64_t i = 0; i < section.blocks; ++i) write_block(pen, *block++);
  }
  pen.number(deletions.size());
  auto range = ranges.begin();
  for (const Deletions& of_client : deletions) {
    pen.number(of_client.client);
    pen.number(of_client.ranges);
    for (std::uint64_t i = 0; i < of_client.ranges; ++i, ++range) {
      pen.number(range->clock);
      pen.number(range->units);
    }
  }
  return {room.data(), pen.at()};
}

}  // namespace palimpsest::storage::log
