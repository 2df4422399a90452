#include "format.hpp"

#include <algorithm>

#include "crdt/reader.hpp"

namespace palimpsest::crdt::internal {
namespace {

bool is_format(const Block& item) { return item.kind == Kind::kFormat; }

// Yjs: cleanupContextlessFormattingGap. Around an item, of several marks of one key in a row only
// the last has an effect.
void clean_gap_around(Core& core, Change& change, BlockIndex item) {
  const auto in_gap = [&](BlockIndex index) {
    return core.blocks[index].deleted || !is_countable(core.blocks[index].kind);
  };
  while (core.blocks[item].right != kNone && in_gap(core.blocks[item].right)) {
    item = core.blocks[item].right;
  }
  std::vector<std::string_view> keys;
  for (; item != kNone && in_gap(item); item = core.blocks[item].left) {
    if (core.blocks[item].deleted || !is_format(core.blocks[item])) continue;
    const std::string_view key = format_mark(core, core.blocks[item]).key;
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      core.erase(change, item);
    } else {
      keys.push_back(key);
    }
  }
}

// Yjs: cleanupYTextFormatting.
void clean_text(Core& core, Change& change, TypeIndex type) {
  BlockIndex start = core.types[type].start;
  Attributes<FormatValue> at_start;
  Attributes<FormatValue> current;
  for (BlockIndex end = start; end != kNone; end = core.blocks[end].right) {
    if (core.blocks[end].deleted) continue;
    if (is_format(core.blocks[end])) {
      update_attributes(core, end, current);
    } else {
      clean_gap(core, change, start, end, at_start, current);
      at_start = current;
      start = end;
    }
  }
}

void add_once(std::vector<TypeIndex>& types, TypeIndex type) {
  if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
}

}  // namespace

FormatMark format_mark(const Core& core, const Block& item) {
  Reader reader(core.content_of(item));
  const std::string_view key = reader.read_var_string();
  return {key, reader.read_var_string()};
}

FormatValue format_value(const Core& core, BlockIndex item) {
  const std::string_view json = format_mark(core, core.blocks[item]).json;
  const bool is_object = !json.empty() && (json.front() == '{' || json.front() == '[');
  return {std::string(json), is_object ? item : kNone};
}

void update_attributes(const Core& core, BlockIndex item, Attributes<FormatValue>& attributes) {
  const FormatMark mark = format_mark(core, core.blocks[item]);
  if (mark.ends()) {
    attributes.erase(mark.key);
  } else {
    attributes.set(mark.key, format_value(core, item));
  }
}

std::vector<BlockIndex> marks_before(Core& core, BlockIndex item) {
  const auto read = [&core](BlockIndex index) -> std::optional<Positions::Mark> {
    const Block& block = core.blocks[index];
    if (block.deleted || !is_format(block)) return std::nullopt;
    const FormatMark mark = format_mark(core, block);
    return Positions::Mark{core.names.intern(mark.key), mark.ends()};
  };
  return core.positions_of(core.blocks[item].parent).marks_before(item, read);
}

void clean_gap(Core& core, Change& change, BlockIndex start, BlockIndex at,
               const Attributes<FormatValue>& at_start, Attributes<FormatValue>& current) {
  const FormatValue none{"null", kNone};
  const auto value_or_none = [&](const Attributes<FormatValue>& attributes, std::string_view key) {
    const FormatValue* value = attributes.find(key);
    return value != nullptr ? *value : none;
  };

  Attributes<BlockIndex> last_marks;
  BlockIndex end = start;
  for (; end != kNone; end = core.blocks[end].right) {
    const Block& item = core.blocks[end];
    if (item.is_visible()) break;
    if (!item.deleted && is_format(item)) last_marks.set(format_mark(core, item).key, end);
  }
  bool reached = false;
  for (BlockIndex index = start; index != end; index = core.blocks[index].right) {
    if (index == at) reached = true;
    if (core.blocks[index].deleted || !is_format(core.blocks[index])) continue;
    const std::string key(format_mark(core, core.blocks[index]).key);
    const FormatValue value = format_value(core, index);
    const FormatValue before = value_or_none(at_start, key);
    const BlockIndex* const last = last_marks.find(key);
    if ((last == nullptr || *last != index) || before == value) {
      core.erase(change, index);
      if (!reached && value_or_none(current, key) == value && before != value) {
        if (before == none) {
          current.erase(key);
        } else {
          current.set(key, before);
        }
      }
    }
    if (!reached && !core.blocks[index].deleted) update_attributes(core, index, current);
  }
}

void Core::clean_formatting(Change& change, Change& cleanup) {
  std::vector<TypeIndex> whole;  // texts in which a mark was added or deleted
  for (const ClientIndex client : change.clients) {
    const Clock before = clients[client].clock_before;
    if (clock_of(client) == before) continue;
    for_each_block(client, before, clock_of(client), [&](BlockIndex index) {
      const Block& block = blocks[index];
      if (!block.deleted && is_format(block)) add_once(whole, type_of(block));
    });
  }
  for (const Change::Span& span : change.deleted) {
    for_each_block(span.client, span.clock, span.clock + span.length, [&](BlockIndex index) {
      const Block& block = blocks[index];
      if (!is_item(block.kind)) return;
      const TypeIndex parent = type_of(block);
      if (!types[parent].has_formatting ||
          std::find(whole.begin(), whole.end(), parent) != whole.end()) {
        return;
      }
      if (is_format(block)) {
        whole.push_back(parent);
      } else {
        clean_gap_around(*this, cleanup, index);
      }
    });
  }
  for (const TypeIndex type : whole) clean_text(*this, cleanup, type);
}

}  // namespace palimpsest::crdt::internal
