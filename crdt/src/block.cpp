#include "block.hpp"

#include <algorithm>
#include <cstring>

#include "ascii.hpp"
#include "crdt/any.hpp"
#include "crdt/error.hpp"
#include "json.hpp"

namespace palimpsest::crdt::internal {
namespace {

// Whether strings, JSON and values are looked into, or only passed over.
enum class Check { kAll, kForm };

template <Check check>
std::string_view read_string(Reader& reader) {
  return check == Check::kAll ? reader.read_var_string() : as_text(reader.read_var_bytes());
}

inline Id read_id(Reader& reader) {
  const ClientId client = reader.read_var_uint();
  return {client, reader.read_var_uint()};
}

template <Check check>
void read_json(Reader& reader, bool undefined_allowed) {
  const std::string_view json = read_string<check>(reader);
  if constexpr (check == Check::kAll) {
    if (undefined_allowed && json == "undefined") return;
    check_json(json, reader.offset() - json.size());
  }
}

template <Check check>
void read_type(Reader& reader) {
  const std::size_t start = reader.position();
  const std::uint64_t type = reader.read_var_uint();
  if (type >= static_cast<std::uint64_t>(TypeKind::kUnknown)) {
    reader.fail_at(start, "an unknown shared type");
  }
  if (type == static_cast<std::uint64_t>(TypeKind::kXmlElement) ||
      type == static_cast<std::uint64_t>(TypeKind::kXmlHook)) {
    read_string<check>(reader);
  }
}

// Reads `count element*` and sets length and content of the view.
template <class ReadElement>
void read_elements(Reader& reader, BlockView& view, ReadElement&& read_element) {
  view.length = reader.read_count(1, "more elements than the bytes can hold");
  const std::uint8_t* const begin = reader.data();
  for (std::uint64_t i = 0; i < view.length; ++i) read_element();
  view.content = {begin, reader.data()};
}

// Takes `text`, which ends where the reader is, as content.
template <Check check>
inline void set_text(const Reader& reader, BlockView& view, ByteView text) {
  view.content = text;
  if (is_ascii(text, reader.remaining())) {
    view.length = text.size();
    return;
  }
  if constexpr (check == Check::kAll) {
    if (!is_utf8(as_text(text))) {
      reader.fail_at(reader.position() - text.size(), "a string that is not UTF-8");
    }
  }
  view.length = length_utf16(as_text(text));
}

template <Check check>
inline void read_content(Reader& reader, BlockView& view) {
  const std::uint8_t* const begin = reader.data();
  view.length = 1;
  switch (view.kind) {
    case Kind::kDeleted:
      view.length = reader.read_var_uint();
      view.content = {};
      return;
    case Kind::kString: {
      return set_text<check>(reader, view, reader.read_var_bytes());
    }
    case Kind::kJson:
      return read_elements(reader, view, [&] { read_json<check>(reader, true); });
    case Kind::kAny:
      return read_elements(reader, view, [&] { Any::skip(reader); });
    case Kind::kBinary:
      reader.read_var_bytes();
      break;
    case Kind::kEmbed:
      read_json<check>(reader, false);
      break;
    case Kind::kFormat:
      read_string<check>(reader);
      read_json<check>(reader, false);
      break;
    case Kind::kType:
      read_type<check>(reader);
      break;
    case Kind::kDoc:
      read_string<check>(reader);
      Any::skip_object(reader, kOptionsAreNoObject);
      break;
    case Kind::kGc:
    case Kind::kSkip:
      break;
  }
  view.content = {begin, reader.data()};
}

template <Check check>
void read_parent(Reader& reader, BlockView& view) {
  if (reader.read_var_uint() == 1) {
    view.parent_root = read_string<check>(reader);
  } else {
    view.has_parent_id = true;
    view.parent_id = read_id(reader);
  }
  if (view.has_key) view.key = read_string<check>(reader);
}

// Reads the head of a block of the most common form: text or a deletion with a neighbour, in short
// numbers, far from the end of the bytes. False, and nothing read, for any other. `length` is what
// stands where the content begins.
inline bool read_common_head(Reader& reader, BlockView& view, std::uint64_t& length) {
  constexpr std::size_t kLongestBytes = 1 + 5 * Reader::kShortBytes;
  if (reader.remaining() < kLongestBytes) return false;
  const std::uint8_t* at = reader.data();
  const std::uint8_t info = *at++;
  const auto kind = static_cast<Kind>(info & kKindMask);
  if ((kind != Kind::kString && kind != Kind::kDeleted) ||
      (info & (kHasOrigin | kHasRightOrigin)) == 0) {
    return false;
  }
  view.has_origin = (info & kHasOrigin) != 0;
  view.has_right_origin = (info & kHasRightOrigin) != 0;
  const auto read = [&](std::uint64_t& value) { return Reader::read_short_var_uint(at, value); };
  if (view.has_origin && !(read(view.origin.client) && read(view.origin.clock))) return false;
  if (view.has_right_origin && !(read(view.right_origin.client) && read(view.right_origin.clock))) {
    return false;
  }
  if (!read(length)) return false;
  view.kind = kind;
  view.has_parent_id = false;
  view.has_key = false;
  reader.skip_to(at);
  return true;
}

// Where the block is no item or has no such neighbour, what the view says of it is left as it was.
template <Check check>
inline void read_any_block(Reader& reader, Clock clock, BlockView& view) {
  const std::uint8_t* const begin = reader.data();
  const auto fail = [&](const char* cause) {
    reader.fail_at(reader.position() - static_cast<std::size_t>(reader.data() - begin), cause);
  };
  view.clock = clock;
  std::uint64_t length = 0;
  if (read_common_head(reader, view, length)) {
    if (view.kind == Kind::kString) {
      if (length > reader.remaining()) reader.fail("a length beyond the end of the bytes");
      set_text<check>(reader, view, reader.read_bytes(static_cast<std::size_t>(length)));
    } else {
      view.length = length;
      view.content = {};
    }
    if (view.length == 0) fail(kBlockOfNothing);
    if (view.length > kMaxBlockLength) fail("a block longer than 2^31");
    if (view.length > kMaxSafeInteger - clock) fail("a block ending beyond 2^53-1");
    view.raw = {begin, reader.data()};
    return;
  }
  const std::uint8_t info = reader.read_byte();
  if (!is_known_info(info)) fail("an unknown kind of block");
  view.kind = static_cast<Kind>(info & kKindMask);
  view.has_parent_id = false;
  if (is_item(view.kind)) {
    view.has_origin = (info & kHasOrigin) != 0;
    view.has_right_origin = (info & kHasRightOrigin) != 0;
    // Behind an origin the flag is set for map entries too, but no key follows.
    view.has_key = (info & kHasKey) != 0 && view.names_parent();
    if (view.has_origin) view.origin = read_id(reader);
    if (view.has_right_origin) view.right_origin = read_id(reader);
    if (view.names_parent()) read_parent<check>(reader, view);
    read_content<check>(reader, view);
  } else {
    view.has_origin = view.has_right_origin = view.has_key = false;
    view.content = {};
    view.length = reader.read_var_uint();
  }
  if (view.length == 0) fail(kBlockOfNothing);
  if (view.length > kMaxBlockLength && view.kind != Kind::kSkip) fail("a block longer than 2^31");
  if (view.length > kMaxSafeInteger - clock) fail("a block ending beyond 2^53-1");
  view.raw = {begin, reader.data()};
}

ContentCut cut_string(std::string_view text, std::size_t length, std::size_t units) {
  std::size_t at = 0;
  std::size_t reached = 0;
  if (text.size() == length) {  // ASCII: one byte per unit
    at = reached = units;
  } else if (units <= length / 2) {
    at = offset_of_utf16(text, units);
    reached = length_utf16(text.substr(0, at));
  } else {
    // From the end, so that cutting a run again and again costs O(n log n) in all.
    at = text.size();
    reached = length;
    while (reached > units) {
      do {
        --at;
      } while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
      reached -= static_cast<unsigned char>(text[at]) >= 0xF0 ? 2 : 1;
    }
  }
  if (reached == units) return {at, at, false};
  return {at, at + 4, true};  // inside a pair: its character is dropped
}

std::size_t skip_elements(Kind kind, ByteView content, std::size_t count) {
  Reader reader(content);
  for (std::size_t i = 0; i < count; ++i) {
    if (kind == Kind::kAny) {
      Any::skip(reader);
    } else {
      reader.read_var_bytes();
    }
  }
  return reader.position();
}

void write_id(Writer& writer, Id id) {
  writer.write_var_uint(id.client);
  writer.write_var_uint(id.clock);
}

}  // namespace

void read_block(Reader& reader, Clock clock, BlockView& view) {
  read_any_block<Check::kAll>(reader, clock, view);
}

void reread_block(Reader& reader, Clock clock, BlockView& view) {
  read_any_block<Check::kForm>(reader, clock, view);
}

ContentCut cut_content(Kind kind, ByteView content, std::size_t length, std::size_t units) {
  switch (kind) {
    case Kind::kString:
      return cut_string(as_text(content), length, units);
    case Kind::kAny:
    case Kind::kJson: {
      const std::size_t at = skip_elements(kind, content, units);
      return {at, at, false};
    }
    default:
      return {0, 0, false};
  }
}

void write_content(Writer& writer, Kind kind, ByteView content, std::size_t length,
                   std::size_t offset) {
  std::string_view replacement;
  if (offset != 0) {
    const ContentCut cut = cut_content(kind, content, length, offset);
    content = content.subspan(cut.right_begin);
    if (cut.needs_replacement) replacement = kReplacement;
  }
  switch (kind) {
    case Kind::kDeleted:
      writer.write_var_uint(length - offset);
      return;
    case Kind::kString:
      writer.write_var_uint(replacement.size() + content.size());
      writer.write_bytes(replacement);
      break;
    case Kind::kJson:
    case Kind::kAny:
      writer.write_var_uint(length - offset);
      break;
    default:
      break;
  }
  writer.write_bytes(content);
}

void write_block(Writer& writer, const BlockView& view, ClientId client, std::uint64_t offset) {
  if (!is_item(view.kind)) {
    writer.write_byte(static_cast<std::uint8_t>(view.kind));
    writer.write_var_uint(view.length - offset);
    return;
  }
  if (offset == 0) {
    const std::uint8_t info = view.raw.front();
    writer.write_byte(view.has_key ? info : static_cast<std::uint8_t>(info & ~kHasKey));
    writer.write_bytes(view.raw.subspan(1));
    return;
  }
  // What follows a cut hangs on the unit before it, and so names no parent.
  writer.write_byte(static_cast<std::uint8_t>(static_cast<std::uint8_t>(view.kind) | kHasOrigin |
                                              (view.has_right_origin ? kHasRightOrigin : 0) |
                                              (view.has_key ? kHasKey : 0)));
  write_id(writer, {client, view.clock + offset - 1});
  if (view.has_right_origin) write_id(writer, view.right_origin);
  write_content(writer, view.kind, view.content, static_cast<std::size_t>(view.length),
                static_cast<std::size_t>(offset));
}

}  // namespace palimpsest::crdt::internal
