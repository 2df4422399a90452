#include "block.hpp"

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

Id read_id(Reader& reader) {
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

template <Check check>
void read_content(Reader& reader, BlockView& view) {
  const std::uint8_t* const begin = reader.data();
  view.length = 1;
  switch (view.kind) {
    case Kind::kDeleted:
      view.length = reader.read_var_uint();
      return;
    case Kind::kString: {
      const std::size_t start = reader.position();
      view.content = reader.read_var_bytes();
      if constexpr (check == Check::kAll) {
        view.length = checked_length_utf16(as_text(view.content));
        if (view.length == kNotUtf8) reader.fail_at(start, "a string that is not UTF-8");
      } else {
        view.length = length_utf16(as_text(view.content));
      }
      return;
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
      Any::skip(reader);
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

template <Check check>
void read_any_block(Reader& reader, Clock clock, BlockView& view) {
  const std::size_t start = reader.position();
  const std::uint8_t* const begin = reader.data();
  const std::uint8_t info = reader.read_byte();
  view = BlockView{};
  view.clock = clock;
  if ((info & kKindMask) > static_cast<std::uint8_t>(Kind::kSkip)) {
    reader.fail_at(start, "an unknown kind of block");
  }
  view.kind = static_cast<Kind>(info & kKindMask);
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
    view.length = reader.read_var_uint();
  }
  if (view.length > kMaxBlockLength && view.kind != Kind::kSkip) {
    reader.fail_at(start, "a block longer than 2^31");
  }
  if (view.length > kMaxSafeInteger - clock) reader.fail_at(start, "a block ending beyond 2^53-1");
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
