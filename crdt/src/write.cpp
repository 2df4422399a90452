#include "write.hpp"

#include <stdexcept>

#include "crdt/writer.hpp"
#include "json.hpp"

namespace palimpsest::crdt::internal {
namespace {

ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Formatting values are compared by what they say: two equal objects are the same formatting.
bool same_value(const FormatValue* a, const FormatValue* b) {
  const auto json_of = [](const FormatValue* value) {
    return value != nullptr ? std::string_view(value->json) : std::string_view("null");
  };
  const std::string_view left = json_of(a);
  const std::string_view right = json_of(b);
  return left == right || parse_json(left) == parse_json(right);
}

Attributes<FormatValue> to_attributes(const Any& object) {
  Attributes<FormatValue> attributes;
  if (const auto* members = object.get_if<Any::Object>()) {
    for (const auto& [key, value] : *members) attributes.set(key, {value.to_json(), kNone});
  }
  return attributes;
}

}  // namespace

Block Writing::new_item(Kind kind, std::size_t length) const {
  Block item;
  item.client = client_;
  item.clock = core_.clock_of(client_);
  item.length = static_cast<std::uint32_t>(length);
  item.kind = kind;
  return item;
}

void Writing::step(Position& position) {
  const Block& item = core_.blocks[position.right];
  if (item.kind == Kind::kFormat && !item.deleted) {
    update_attributes(core_, position.right, position.attributes);
  }
  position.left = position.right;
  position.right = item.right;
}

// Cuts the item right of the position, so that it has `units`.
void Writing::cut_right(const Position& position, std::size_t units) {
  const Block& item = core_.blocks[position.right];
  if (units < item.length) {
    core_.split(change_, item.client, core_.clients[item.client].blocks.find(item.clock), units);
  }
}

Writing::Position Writing::find(TypeIndex text, std::size_t index) {
  Position position;
  position.right = core_.types[text].start;
  while (index > 0) {
    if (position.right == kNone) throw std::out_of_range("a position behind the end of the text");
    if (core_.blocks[position.right].is_visible()) {
      cut_right(position, index);
      index -= core_.blocks[position.right].length;
    }
    step(position);
  }
  return position;
}

bool Writing::is_inside_pair(TypeIndex text, std::size_t index) const {
  for (BlockIndex i = core_.types[text].start; i != kNone; i = core_.blocks[i].right) {
    const Block& item = core_.blocks[i];
    if (!item.is_visible()) continue;
    if (index < item.length) {
      return index > 0 && item.kind == Kind::kString &&
             cut_content(item.kind, core_.content_of(item), item.length, index).needs_replacement;
    }
    index -= item.length;
  }
  return false;
}

void Writing::insert(TypeIndex text, Position& position, Kind kind, ByteView content,
                     std::size_t length) {
  Block item = new_item(kind, length);
  item.parent = text;
  item.left = position.left;
  item.right = position.right;
  if (item.left != kNone) {
    item.origin_client = core_.blocks[item.left].client;
    item.origin_clock = core_.blocks[item.left].end() - 1;
  }
  if (item.right != kNone) {
    item.right_origin_client = core_.blocks[item.right].client;
    item.right_origin_clock = core_.blocks[item.right].clock;
  }
  item.content = core_.store_content(client_, content);
  item.content_bytes = static_cast<std::uint32_t>(content.size());
  position.right = core_.integrate_local(change_, item);
  step(position);
}

void Writing::insert_mark(TypeIndex text, Position& position, std::string_view key,
                          const std::string& json) {
  Writer content;
  content.write_var_string(key);
  content.write_var_string(json);
  insert(text, position, Kind::kFormat, content.view(), 1);
}

// Yjs: minimizeAttributeChanges.
void Writing::skip_marks_in_force(Position& position, const Attributes<FormatValue>& wanted) {
  while (position.right != kNone) {
    const Block& item = core_.blocks[position.right];
    if (!item.deleted) {
      if (item.kind != Kind::kFormat) return;
      const FormatMark mark = format_mark(core_, item);
      const FormatValue value{std::string(mark.json), kNone};
      if (!same_value(wanted.find(mark.key), &value)) return;
    }
    step(position);
  }
}

// Puts the marks that change the formatting in force; answers what to put behind, to undo them.
Attributes<FormatValue> Writing::insert_marks(TypeIndex text, Position& position,
                                              const Attributes<FormatValue>& wanted) {
  Attributes<FormatValue> negated;
  for (const auto& [key, value] : wanted.entries()) {
    const FormatValue* current = position.attributes.find(key);
    if (same_value(current, &value)) continue;
    negated.set(key, current != nullptr ? *current : FormatValue{"null", kNone});
    insert_mark(text, position, key, value.json);
  }
  return negated;
}

void Writing::insert_negated_marks(TypeIndex text, Position& position,
                                   Attributes<FormatValue> negated) {
  while (position.right != kNone) {
    const Block& item = core_.blocks[position.right];
    if (!item.deleted) {
      if (item.kind != Kind::kFormat) break;
      const FormatMark mark = format_mark(core_, item);
      const FormatValue value{std::string(mark.json), kNone};
      const FormatValue* undo = negated.find(mark.key);
      if (undo == nullptr || !same_value(undo, &value)) break;
      negated.erase(mark.key);
    }
    step(position);
  }
  for (const auto& [key, value] : negated.entries()) insert_mark(text, position, key, value.json);
}

void Writing::text_insert(TypeIndex text, std::size_t index, std::string_view utf8,
                          const Any* attributes) {
  if (!is_utf8(utf8)) throw std::invalid_argument("the text is not UTF-8");
  if (utf8.empty()) return;
  Position position = find(text, index);
  Attributes<FormatValue> wanted = position.attributes;
  if (attributes != nullptr) {
    wanted = to_attributes(*attributes);
    for (const auto& [key, value] : position.attributes.entries()) {
      if (wanted.find(key) == nullptr) wanted.set(key, {"null", kNone});
    }
  }
  skip_marks_in_force(position, wanted);
  Attributes<FormatValue> negated = insert_marks(text, position, wanted);
  insert(text, position, Kind::kString, as_bytes(utf8), length_utf16(utf8));
  insert_negated_marks(text, position, std::move(negated));
}

void Writing::text_delete(TypeIndex text, std::size_t index, std::size_t length) {
  if (length == 0) return;
  find(text, index + length);  // long enough?
  Position position = find(text, index);
  const Attributes<FormatValue> at_start = position.attributes;
  const BlockIndex start = position.right;
  while (length > 0) {
    if (core_.blocks[position.right].is_visible()) {
      cut_right(position, length);
      length -= core_.blocks[position.right].length;
      core_.erase(change_, position.right);
    }
    step(position);
  }
  clean_gap(core_, change_, start, position.right, at_start, position.attributes);
}

void Writing::text_format(TypeIndex text, std::size_t index, std::size_t length,
                          const Any& attributes) {
  if (length == 0) return;
  // A pair is formatted whole: where formatting turns out to change nothing, a cut inside it would
  // replace its character here and nowhere else.
  if (is_inside_pair(text, index + length)) ++length;
  if (is_inside_pair(text, index)) {
    --index;
    ++length;
  }
  find(text, index + length);  // long enough?
  Position position = find(text, index);
  const Attributes<FormatValue> wanted = to_attributes(attributes);
  skip_marks_in_force(position, wanted);
  Attributes<FormatValue> negated = insert_marks(text, position, wanted);
  // Over the length, and over the marks behind it: what they say may make ours needless.
  while (position.right != kNone) {
    const BlockIndex index_right = position.right;
    const Block& item = core_.blocks[index_right];
    const bool in_gap = item.deleted || item.kind == Kind::kFormat;
    if (length == 0 && (negated.empty() || !in_gap)) break;
    if (!item.deleted && item.kind == Kind::kFormat) {
      const std::string key(format_mark(core_, item).key);
      const FormatValue value{std::string(format_mark(core_, item).json), kNone};
      if (const FormatValue* ours = wanted.find(key)) {
        if (same_value(ours, &value)) {
          negated.erase(key);
        } else {
          if (length == 0) break;
          negated.set(key, value);
        }
        core_.erase(change_, index_right);
      } else {
        position.attributes.set(key, value);
      }
    } else if (item.is_visible()) {
      cut_right(position, length);
      length -= core_.blocks[index_right].length;
    }
    step(position);
  }
  insert_negated_marks(text, position, std::move(negated));
}

void Writing::map_set(TypeIndex map, std::string_view key, const Any& value) {
  if (!is_utf8(key)) throw std::invalid_argument("the key is not UTF-8");
  Writer content;
  const auto* binary = value.get_if<Bytes>();
  if (binary != nullptr) {
    content.write_var_bytes(*binary);
  } else {
    value.write(content);
  }
  Block item = new_item(binary != nullptr ? Kind::kBinary : Kind::kAny, 1);
  item.in_map = true;
  item.parent = core_.slot(map, key);
  item.left = core_.slots[item.parent].last;
  if (item.left != kNone) {
    item.origin_client = core_.blocks[item.left].client;
    item.origin_clock = core_.blocks[item.left].end() - 1;
  }
  item.content = core_.store_content(client_, content.view());
  item.content_bytes = static_cast<std::uint32_t>(content.size());
  core_.integrate_local(change_, item);
}

void Writing::map_delete(TypeIndex map, std::string_view key) {
  const auto slot = core_.find_slot(map, key);
  if (slot && core_.slots[*slot].last != kNone) core_.erase(change_, core_.slots[*slot].last);
}

Bytes Writing::commit() {
  core_.end(change_, false);
  return core_.encode_change(change_);
}

}  // namespace palimpsest::crdt::internal
