#include "v2_blocks.hpp"

#include "crdt/any.hpp"
#include "json.hpp"

namespace palimpsest::crdt::internal {

Section BlocksV2::read_section() {
  Section section;
  const std::size_t start = in_.rest.position();
  section.blocks = in_.rest.read_var_uint();
  if (section.blocks > free_blocks_) {
    in_.rest.fail_at(start, "more blocks than an update of this size may bring");
  }
  free_blocks_ -= static_cast<std::size_t>(section.blocks);
  section.client = client_ = in_.clients.read();
  section.clock = section.end = clock_ = in_.rest.read_var_uint();
  return section;
}

void BlocksV2::read_parent(BlockView& view) {
  if (in_.parent_infos.read() == 1) {
    view.parent_root = read_name(root_);
  } else {
    view.has_parent_id = true;
    view.parent_id = read_id(in_.left_clocks);
  }
  if (view.has_key) view.key = read_name(key_);
}

std::string_view BlocksV2::read_name(std::string& name) {
  const StringSlice string = in_.strings.read();
  if (!string.half_before && !string.half_behind) return string.text;
  Writer writer;
  append_string(writer, string);
  return name = as_text(writer.view());
}

void BlocksV2::read_other_content(BlockView& view) {
  view.length = 1;
  written_.clear();
  switch (view.kind) {
    case Kind::kJson:
    case Kind::kAny:
      return read_elements(view);
    case Kind::kBinary: {
      const std::uint8_t* const begin = in_.rest.data();
      in_.rest.read_var_bytes();
      view.content = {begin, in_.rest.data()};
      return;
    }
    case Kind::kEmbed:
      write_json();
      break;
    case Kind::kFormat:
      write_key();
      write_json();
      break;
    case Kind::kType:
      write_type();
      break;
    default: {  // kDoc
      write_string(in_.strings.read());
      const std::uint8_t* const begin = in_.rest.data();
      Any::skip_object(in_.rest, kOptionsAreNoObject);
      written_.write_bytes(ByteView(begin, in_.rest.data()));
    }
  }
  view.content = written_.view();
}

void BlocksV2::read_elements(BlockView& view) {
  const std::uint64_t count = in_.lengths.read();
  // Each takes a byte, of the rest or of the text.
  const bool is_any = view.kind == Kind::kAny;
  const std::size_t left = is_any ? in_.rest.remaining() : in_.strings.remaining();
  if (count > left) in_.lengths.fail("more elements than the bytes can hold");
  view.length = count;
  if (is_any) {
    const std::uint8_t* const begin = in_.rest.data();
    for (std::uint64_t i = 0; i < count; ++i) Any::skip(in_.rest);
    view.content = {begin, in_.rest.data()};
  } else {
    for (std::uint64_t i = 0; i < count; ++i) write_json_element();
    view.content = written_.view();
  }
}

void BlocksV2::write_json_element() {
  const std::size_t offset = in_.strings.offset();
  const StringSlice json = in_.strings.read();
  write_string(json);
  const std::string_view written = as_text(written_.view().last(json.size_bytes()));
  if (written != "undefined") check_json(written, offset);
}

void BlocksV2::write_json() {
  json_.clear();
  append_json_of_any(json_, in_.rest);
  written_.write_var_string(json_);
}

void BlocksV2::write_type() {
  const std::uint64_t type = in_.type_refs.read();
  if (type >= static_cast<std::uint64_t>(TypeKind::kUnknown)) {
    in_.type_refs.fail("an unknown shared type");
  }
  written_.write_var_uint(type);
  if (type == static_cast<std::uint64_t>(TypeKind::kXmlElement) ||
      type == static_cast<std::uint64_t>(TypeKind::kXmlHook)) {
    write_key();
  }
}

// A key stands once in the string column; its number may come again. (Yjs 13 reads this, but
// writes each key with a number of its own.)
void BlocksV2::write_key() {
  const std::uint64_t number = in_.key_clocks.read();
  if (number < keys_.size()) {
    write_string(keys_[static_cast<std::size_t>(number)]);
  } else {
    write_string(keys_.emplace_back(in_.strings.read()));
  }
}

void BlocksV2::write_string(const StringSlice& string) {
  written_.write_var_uint(string.size_bytes());
  append_string(written_, string);
}

void BlocksV2::append_string(Writer& writer, const StringSlice& string) {
  if (string.half_before) writer.write_bytes(kReplacement);
  writer.write_bytes(string.text);
  if (string.half_behind) writer.write_bytes(kReplacement);
}

}  // namespace palimpsest::crdt::internal
