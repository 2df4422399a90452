#include <stdexcept>

#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "write.hpp"

namespace palimpsest::crdt::internal {
namespace {

Kind kind_of(const Any& value) {
  if (value.get_if<Bytes>() != nullptr) return Kind::kBinary;
  return value.get_if<Any::SubDocument>() != nullptr ? Kind::kDoc : Kind::kAny;
}

void write_value(Writer& writer, const Any& value) {
  if (const auto* const bytes = value.get_if<Bytes>()) {
    writer.write_var_bytes(*bytes);
  } else if (const auto* const document = value.get_if<Any::SubDocument>()) {
    writer.write_var_string(document->guid);
    Any(document->options).write(writer);
  } else {
    value.write(writer);
  }
}

}  // namespace

// Neighbours that are lib0 values share an item.
void Writing::array_insert(TypeIndex array, std::size_t index, const Any::Array& values) {
  Position position = find(array, index);
  for (std::size_t i = 0; i < values.size();) {
    const Kind kind = kind_of(values[i]);
    Writer content;
    const std::size_t first = i;
    do {
      write_value(content, values[i++]);
    } while (kind == Kind::kAny && i < values.size() && kind_of(values[i]) == Kind::kAny);
    insert(array, position, {.kind = kind, .length = i - first, .bytes = content.view()});
  }
}

Id Writing::array_insert(TypeIndex array, std::size_t index, NewType type) {
  Position position = find(array, index);
  return id_of(insert(array, position, {.kind = Kind::kType, .type = type}));
}

void Writing::array_delete(TypeIndex array, std::size_t index, std::size_t length) {
  if (length > 0) erase_range(array, index, length);
}

BlockIndex Writing::set_entry(TypeIndex map, std::string_view key, const Content& content) {
  const SlotIndex slot = core_.slot(map, key);
  return set_entry_behind(core_.slots[slot].last, slot, content);
}

BlockIndex Writing::set_entry_behind(BlockIndex left, SlotIndex slot, const Content& content) {
  Block item = new_item(core_.slots[slot].type, content);
  item.in_map = true;
  item.parent = slot;
  item.left = left;
  if (left != kNone) {
    item.origin_client = core_.blocks[left].client;
    item.origin_clock = core_.blocks[left].end() - 1;
  }
  return core_.integrate_local(change_, item);
}

void Writing::map_set(TypeIndex map, std::string_view key, const Any& value) {
  if (!is_utf8(key)) throw std::invalid_argument("the key is not UTF-8");
  Writer content;
  write_value(content, value);
  set_entry(map, key, {.kind = kind_of(value), .bytes = content.view()});
}

Id Writing::map_set(TypeIndex map, std::string_view key, NewType type) {
  if (!is_utf8(key)) throw std::invalid_argument("the key is not UTF-8");
  return id_of(set_entry(map, key, {.kind = Kind::kType, .type = type}));
}

void Writing::map_delete(TypeIndex map, std::string_view key) {
  const auto slot = core_.find_slot(map, key);
  if (slot && core_.slots[*slot].last != kNone) core_.erase(change_, core_.slots[*slot].last);
}

}  // namespace palimpsest::crdt::internal
