#include "write.hpp"

#include <algorithm>
#include <stdexcept>

#include "crdt/writer.hpp"
#include "json.hpp"

namespace palimpsest::crdt::internal {
namespace {

ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Attributes<FormatValue> to_attributes(const Any& object) {
  Attributes<FormatValue> attributes;
  if (const auto* members = object.get_if<Any::Object>()) {
    for (const auto& [key, value] : *members) attributes.set(key, {value.to_json(), kNone});
  }
  return attributes;
}

}  // namespace

bool same_value(const FormatValue* a, const FormatValue* b) {
  const auto json_of = [](const FormatValue* value) {
    return value != nullptr ? std::string_view(value->json) : std::string_view("null");
  };
  const std::string_view left = json_of(a);
  const std::string_view right = json_of(b);
  return left == right || parse_json(left) == parse_json(right);
}

// The values of `content` are in no vector of the client's: storing them may move those.
Block Writing::new_item(TypeIndex parent, const Content& content) {
  Block item;
  item.client = client_;
  item.clock = core_.clock_of(client_);
  item.length = static_cast<std::uint32_t>(content.length);
  item.kind = content.kind;
  if (content.kind != Kind::kType) {
    item.content = core_.store_content(client_, content.bytes);
    item.content_bytes = static_cast<std::uint32_t>(content.bytes.size());
    return item;
  }
  Type type;
  type.kind = static_cast<TypeKind>(content.type.kind);
  if (type.kind == TypeKind::kXmlElement || type.kind == TypeKind::kXmlHook) {
    type.name = core_.names.intern(content.type.name);
  }
  type.depth = static_cast<std::uint16_t>(
      std::min<std::size_t>(std::size_t{core_.types[parent].depth} + 1, 0xFFFF));
  item.content = static_cast<std::uint32_t>(core_.types.size());
  core_.types.push_back(type);
  return item;
}

Id Writing::id_of(BlockIndex item) const {
  return {core_.clients[core_.blocks[item].client].id, core_.blocks[item].clock};
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

Writing::Position Writing::find(TypeIndex list, std::size_t index) {
  Position position = find_place(list, index);
  if (!core_.types[list].has_formatting || position.left == kNone) return position;
  // What stands left of it is no mark.
  for (const BlockIndex mark : marks_before(core_, position.left)) {
    update_attributes(core_, mark, position.attributes);
  }
  return position;
}

Writing::Position Writing::find_place(TypeIndex list, std::size_t index) {
  const Positions& positions = core_.positions_of(list);
  if (index > positions.units(list)) {
    throw std::out_of_range("a position behind the end of the text");
  }
  Position position;
  if (index == 0) {
    position.right = core_.types[list].start;
    return position;
  }
  const Positions::Place place = positions.find(list, index);
  position.right = place.item;
  cut_right(position, place.units);
  position.left = place.item;
  position.right = core_.blocks[place.item].right;
  return position;
}

bool Writing::is_inside_pair(TypeIndex text, std::size_t index) const {
  const Positions& positions = core_.positions_of(text);
  if (index >= positions.units(text)) return false;
  const Positions::Place place = positions.find(text, index + 1);
  const Block& item = core_.blocks[place.item];
  return place.units > 1 && item.kind == Kind::kString &&
         cut_content(item.kind, core_.content_of(item), item.length, place.units - 1)
             .needs_replacement;
}

BlockIndex Writing::insert(TypeIndex parent, Position& position, const Content& content) {
  Block item = new_item(parent, content);
  item.parent = parent;
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
  position.right = core_.integrate_local(change_, item);
  step(position);
  return position.left;
}

void Writing::insert_mark(TypeIndex text, Position& position, std::string_view key,
                          const std::string& json) {
  Writer content;
  content.write_var_string(key);
  content.write_var_string(json);
  insert(text, position, {.kind = Kind::kFormat, .bytes = content.view()});
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

// Yjs: insertText.
BlockIndex Writing::insert_formatted(TypeIndex text, Position position, const Content& content,
                                     const Any* attributes) {
  Attributes<FormatValue> wanted = position.attributes;
  if (attributes != nullptr) {
    wanted = to_attributes(*attributes);
    for (const auto& [key, value] : position.attributes.entries()) {
      if (wanted.find(key) == nullptr) wanted.set(key, {"null", kNone});
    }
  }
  skip_marks_in_force(position, wanted);
  Attributes<FormatValue> negated = insert_marks(text, position, wanted);
  const BlockIndex item = insert(text, position, content);
  insert_negated_marks(text, position, std::move(negated));
  return item;
}

void Writing::text_insert(TypeIndex text, std::size_t index, std::string_view utf8,
                          const Any* attributes) {
  if (!is_utf8(utf8)) throw std::invalid_argument("the text is not UTF-8");
  if (utf8.empty()) return;
  const std::size_t length = length_utf16(utf8);
  if (attributes == nullptr && type_at_caret(text, index, utf8, length)) return;
  const BlockIndex item = insert_formatted(
      text, find(text, index), {.kind = Kind::kString, .length = length, .bytes = as_bytes(utf8)},
      attributes);
  if (!core_.types[text].has_formatting) set_caret(text, index + length, item);
}

void Writing::set_caret(TypeIndex text, std::size_t index, BlockIndex item) {
  core_.caret = {text, index, core_.blocks[item].client, core_.blocks[item].end() - 1};
}

bool Writing::type_at_caret(TypeIndex text, std::size_t index, std::string_view utf8,
                            std::size_t length) {
  const Caret& caret = core_.caret;
  if (request_ || caret.text != text || caret.index != index || caret.client != client_)
    return false;
  const Client& own = core_.clients[client_];
  if (own.blocks.clock() != caret.clock + 1) return false;
  const Block& last = core_.blocks[own.blocks.back()];
  const ClientId id = own.id;
  BlockView key{};
  key.kind = Kind::kString;
  key.clock = caret.clock + 1;
  key.length = length;
  key.content = as_bytes(utf8);
  key.has_origin = true;
  key.origin = {id, caret.clock};
  if (last.right != kNone) {
    const Block& right = core_.blocks[last.right];
    if (right.deleted) return false;  // what is typed goes behind what was deleted here
    key.has_right_origin = true;
    key.right_origin = {core_.clients[right.client].id, right.clock};
  }
  if (!core_.append(id, key)) return false;
  if (own.epoch != change_.epoch) {
    if (change_.typed.length == 0) change_.typed = {client_, key.clock, 0};
    change_.typed.length += length;
    change_.typed_bytes += utf8.size();
  }
  core_.caret = {text, index + length, client_, key.clock + length - 1};
  return true;
}

bool Writing::erase_at_caret(TypeIndex text, std::size_t index, std::size_t length) {
  const Caret caret = core_.caret;
  if (request_ || caret.text != text || caret.index != index + length || caret.clock + 1 < length)
    return false;
  const Deletion deletion{core_.clients[caret.client].id, caret.clock + 1 - length, length};
  if (!core_.options.gc || !core_.erase_at_edge(deletion)) return false;
  change_.erased.push_back({caret.client, deletion.clock, length});
  // What stands before it is known where it belongs to the same block.
  const Block& before =
      core_.blocks[core_.block_at(caret.client, deletion.clock == 0 ? 0 : deletion.clock - 1)];
  core_.caret.text = kNone;
  if (deletion.clock > 0 && before.is_visible() && before.end() == deletion.clock) {
    core_.caret = {text, index, caret.client, deletion.clock - 1};
  }
  return true;
}

void Writing::text_embed(TypeIndex text, std::size_t index, const Any& embed,
                         const Any& attributes) {
  Writer content;
  content.write_var_string(embed.to_json());
  insert_formatted(text, find(text, index), {.kind = Kind::kEmbed, .bytes = content.view()},
                   &attributes);
}

Id Writing::text_embed(TypeIndex text, std::size_t index, NewType type, const Any& attributes) {
  return id_of(
      insert_formatted(text, find(text, index), {.kind = Kind::kType, .type = type}, &attributes));
}

void Writing::erase_right(Position& position, std::size_t length) {
  while (length > 0) {
    if (core_.blocks[position.right].is_visible()) {
      cut_right(position, length);
      length -= core_.blocks[position.right].length;
      core_.erase(change_, position.right);
    }
    step(position);
  }
}

void Writing::text_delete(TypeIndex text, std::size_t index, std::size_t length) {
  if (length == 0 || erase_at_caret(text, index, length)) return;
  if (!core_.types[text].has_formatting) {
    const BlockIndex before = erase_range(text, index, length);
    if (before != kNone && core_.blocks[before].is_visible()) set_caret(text, index, before);
    return;
  }
  find_place(text, index + length);  // long enough?
  Position position = find(text, index);
  const Attributes<FormatValue> at_start = position.attributes;
  const BlockIndex start = position.right;
  erase_right(position, length);
  clean_gap(core_, change_, start, position.right, at_start, position.attributes);
}

BlockIndex Writing::erase_range(TypeIndex list, std::size_t index, std::size_t length) {
  const Positions& positions = core_.positions_of(list);
  const std::uint64_t units = positions.units(list);
  if (length > units || index > units - length) {
    throw std::out_of_range("a position behind the end of the text");
  }
  std::optional<BlockIndex> before;
  while (length > 0) {
    const Positions::Place place = positions.find(list, index + 1);
    Position position;
    position.left = core_.blocks[place.item].left;
    position.right = place.item;
    if (place.units > 1) {
      cut_right(position, place.units - 1);
      step(position);
    }
    if (!before) before = position.left;
    cut_right(position, length);
    length -= core_.blocks[position.right].length;
    core_.erase(change_, position.right);
  }
  return *before;
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
  find_place(text, index + length);  // long enough?
  format(text, index, length, to_attributes(attributes));
}

// Yjs: formatText.
void Writing::format(TypeIndex text, std::size_t index, std::size_t length,
                     const Attributes<FormatValue>& wanted) {
  Position position = find(text, index);
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

Bytes Writing::commit() {
  if (request_) request_->events = collect_events(core_, change_, request_->text_roots);
  core_.look_again_at_pending = true;  // somebody else may have had our blocks before us
  if (change_.clients.empty() && change_.deleted.empty() && change_.split.empty()) {
    // Nothing is left to do where the ends of blocks were moved.
    if (change_.erased.empty() && change_.typed.length > 0) return core_.encode_typed(change_);
    if (change_.typed.length == 0) return core_.encode_change(change_);
  }
  if (change_.typed.length > 0) core_.touch(change_, change_.typed.client);
  core_.end(change_, false);
  return core_.encode_change(change_);
}

}  // namespace palimpsest::crdt::internal
