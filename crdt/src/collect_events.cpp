#include "collect_events.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "format.hpp"
#include "json.hpp"
#include "read.hpp"

namespace palimpsest::crdt::internal {
namespace {

// What a change did to single blocks (Yjs: YEvent.adds and deletes).
class ChangedBlocks {
 public:
  ChangedBlocks(const Core& core, const Change& change)
      : core_(core), change_(change), deleted_(change.deleted) {
    std::sort(deleted_.begin(), deleted_.end(), precedes);
  }

  bool adds(const Block& block) const {
    return block.clock >= core_.clock_before(change_, block.client);
  }
  bool deletes(const Block& block) const {
    if (!block.deleted) return false;
    const Change::Span here{block.client, block.clock, 0};
    const auto after = std::upper_bound(deleted_.begin(), deleted_.end(), here, precedes);
    if (after == deleted_.begin()) return false;
    const Change::Span& span = *std::prev(after);
    return span.client == block.client && block.clock < span.clock + span.length;
  }

  // Calls with each item that is new or deleted; with one that is both, twice.
  template <class Visit>
  void for_each(Visit&& visit) const {
    const auto visit_range = [&](ClientIndex client, Clock begin, Clock end) {
      core_.for_each_block(client, begin, end, [&](BlockIndex index) {
        if (is_item(core_.blocks[index].kind)) visit(index);
      });
    };
    for (const ClientIndex client : change_.clients) {
      visit_range(client, core_.clients[client].clock_before, core_.clock_of(client));
    }
    for (const Change::Span& span : deleted_) {
      visit_range(span.client, span.clock, span.clock + span.length);
    }
  }

 private:
  static bool precedes(const Change::Span& a, const Change::Span& b) {
    return a.client != b.client ? a.client < b.client : a.clock < b.clock;
  }

  const Core& core_;
  const Change& change_;
  std::vector<Change::Span> deleted_;  // none overlaps another
};

// Formatting values are the same where JavaScript's === says so, or where they are objects whose
// members are (Yjs: equalAttrs). So two objects in objects never are.
bool same_formatting(std::string_view left_json, std::string_view right_json) {
  const Any left = parse_json(left_json);
  const Any right = parse_json(right_json);
  const auto is_plain = [](const Any& value) {
    return value.get_if<Any::Object>() == nullptr && value.get_if<Any::Array>() == nullptr;
  };
  if (const auto* members = left.get_if<Any::Object>()) {
    const auto* others = right.get_if<Any::Object>();
    return others != nullptr && members->size() == others->size() &&
           std::all_of(members->begin(), members->end(), [&](const auto& member) {
             const Any* const other = right.find(member.first);
             return other != nullptr && is_plain(member.second) && member.second == *other;
           });
  }
  if (const auto* elements = left.get_if<Any::Array>()) {
    return left == right && std::all_of(elements->begin(), elements->end(), is_plain);
  }
  return left == right;
}

// Puts the steps through a text or list together, joining like to like.
class StepWriter {
 public:
  // The step that goes on; a new one where the last is of another kind or was closed.
  DeltaStep& step(DeltaStep::Action action) {
    if (!open_ || steps_.back().action != action) {
      steps_.emplace_back().action = action;
      open_ = true;
    }
    return steps_.back();
  }
  // What follows is a step of its own; `action` says whether only behind such a step.
  void close() { open_ = false; }
  void close(DeltaStep::Action action) {
    if (open_ && steps_.back().action == action) open_ = false;
  }

  // Without the steps at the end that change nothing.
  std::vector<DeltaStep> finish() && {
    while (!steps_.empty() && steps_.back().action == DeltaStep::Action::kRetain &&
           steps_.back().attributes.empty()) {
      steps_.pop_back();
    }
    return std::move(steps_);
  }

 private:
  std::vector<DeltaStep> steps_;
  bool open_ = false;
};

// Walks through what changed in a text with formatting and tells it (Yjs: YTextEvent.delta). Yjs
// deletes marks on the way that it finds to be needless; here they only count as deleted.
class TextDelta {
 public:
  TextDelta(Core& core, const ChangedBlocks& changed) : core_(core), changed_(changed) {}

  // `items` are those that came or went.
  std::vector<DeltaStep> run(TypeIndex text, const std::vector<BlockIndex>& items) {
    if (items.empty()) return {};
    const Positions& positions = core_.positions_of(text);
    const auto [first, last] = std::minmax_element(
        items.begin(), items.end(),
        [&](BlockIndex left, BlockIndex right) { return positions.precedes(left, right); });
    keep_all_before(*first);
    bool passed_last = false;
    // Behind the last one marks that were there before can still end what the change did.
    for (BlockIndex i = *first; i != kNone; i = core_.blocks[i].right) {
      if (passed_last && changed_marks_.empty()) break;
      passed_last = passed_last || i == *last;
      const Block& item = core_.blocks[i];
      if (item.kind == Kind::kFormat) {
        take_mark(item);
      } else if (item.kind == Kind::kString || item.kind == Kind::kEmbed ||
                 item.kind == Kind::kType) {
        take_content(item);
      }
    }
    return std::move(steps_).finish();
  }

 private:
  using Action = DeltaStep::Action;
  using Marks = Attributes<std::string>;  // key → JSON

  void keep_all_before(BlockIndex item) {
    for (const BlockIndex index : marks_before(core_, item)) {
      const FormatMark mark = format_mark(core_, core_.blocks[index]);
      current_.set(mark.key, std::string(mark.json));
      old_.set(mark.key, std::string(mark.json));
    }
    if (const std::uint64_t units = core_.positions_of(core_.blocks[item].parent).index_of(item)) {
      steps_.step(Action::kRetain).length += units;
    }
  }

  static std::string_view value_in(const Marks& marks, std::string_view key) {
    const std::string* const value = marks.find(key);
    return value != nullptr ? std::string_view(*value) : "null";
  }

  static Any::Object to_object(const Marks& marks) {
    Any::Object object;
    for (const auto& [key, json] : marks.entries()) object.emplace_back(key, parse_json(json));
    return object;
  }

  void take_content(const Block& item) {
    const bool is_new = changed_.adds(item);
    if (item.deleted) {
      if (!is_new && changed_.deletes(item)) steps_.step(Action::kDelete).length += item.length;
      return;
    }
    if (!is_new) {
      DeltaStep& step = steps_.step(Action::kRetain);
      if (step.length == 0) step.attributes = to_object(changed_marks_);
      step.length += item.length;
      return;
    }
    if (item.kind != Kind::kString) steps_.close();
    DeltaStep& step = steps_.step(Action::kInsert);
    if (step.length == 0) step.attributes = to_object(current_);
    step.length += item.length;
    if (item.kind == Kind::kString) {
      step.text += as_text(core_.content_of(item));
    } else {
      step.values = ValueReader(core_).elements(item);
      steps_.close();
    }
  }

  void take_mark(const Block& item) {
    const FormatMark mark = format_mark(core_, item);
    const bool is_new = changed_.adds(item);
    bool counts = !item.deleted;
    if (item.deleted) {
      if (!is_new && changed_.deletes(item)) take_deleted_mark(mark);
    } else if (is_new) {
      counts = take_new_mark(mark);
    } else {
      counts = take_old_mark(mark);
    }
    if (!counts) return;
    steps_.close(Action::kInsert);
    if (mark.ends()) {
      current_.erase(mark.key);
    } else {
      current_.set(mark.key, std::string(mark.json));
    }
  }

  // Answer whether the mark has an effect at all.
  bool take_new_mark(const FormatMark& mark) {
    if (same_formatting(value_in(current_, mark.key), mark.json)) return mark.ends();
    steps_.close(Action::kRetain);
    if (same_formatting(mark.json, value_in(old_, mark.key))) {
      changed_marks_.erase(mark.key);
    } else {
      changed_marks_.set(mark.key, std::string(mark.json));
    }
    return true;
  }

  bool take_old_mark(const FormatMark& mark) {
    old_.set(mark.key, std::string(mark.json));
    const std::string* const change = changed_marks_.find(mark.key);
    if (change == nullptr) return true;
    if (same_formatting(*change, mark.json)) return mark.ends();
    steps_.close(Action::kRetain);
    if (mark.ends()) {
      changed_marks_.erase(mark.key);
    } else {
      changed_marks_.set(mark.key, std::string(mark.json));
    }
    return true;
  }

  void take_deleted_mark(const FormatMark& mark) {
    old_.set(mark.key, std::string(mark.json));
    const std::string current(value_in(current_, mark.key));
    if (same_formatting(current, mark.json)) return;
    steps_.close(Action::kRetain);
    changed_marks_.set(mark.key, current);
  }

  Core& core_;
  const ChangedBlocks& changed_;
  StepWriter steps_;
  Marks current_;        // in force now
  Marks old_;            // in force before the change
  Marks changed_marks_;  // how one differs from the other
};

class EventCollector {
 public:
  EventCollector(Core& core, const Change& change, std::span<const std::string> text_roots)
      : core_(core), changed_(core, change), text_roots_(text_roots) {}

  Events run() {
    find_changed_types();
    find_steps();
    Events events;
    for (auto& [type, changed] : types_) {
      TypeEvent& event = events.emplace_back();
      event.is_text = is_text(type);
      if (const BlockIndex item = core_.types[type].item; item != kNone) {
        event.type = Id{core_.clients[core_.blocks[item].client].id, core_.blocks[item].clock};
      }
      set_path(event, type);
      if (changed.list) event.delta = delta_of(type, changed, event.is_text);
      for (const SlotIndex slot : changed.slots) add_key(event, core_.slots[slot]);
    }
    std::stable_sort(events.begin(), events.end(), [](const TypeEvent& a, const TypeEvent& b) {
      return a.path.size() < b.path.size();
    });
    return events;
  }

 private:
  struct Changed {
    bool list = false;
    std::vector<BlockIndex> items;  // of the list: that came or went
    std::set<SlotIndex> slots;
  };

  // Of a type that is new or deleted nobody is told (Yjs: addChangedTypeToTransaction).
  bool is_told_of(TypeIndex type) const {
    if (core_.types[type].depth > ValueReader::kMaxReadDepth) return false;
    const BlockIndex item = core_.types[type].item;
    return item == kNone || (!core_.blocks[item].deleted && !changed_.adds(core_.blocks[item]));
  }

  void find_changed_types() {
    changed_.for_each([&](BlockIndex index) {
      const Block& item = core_.blocks[index];
      const TypeIndex type = core_.type_of(item);
      if (!is_told_of(type)) return;
      if (item.in_map) {
        types_[type].slots.insert(item.parent);
      } else {
        Changed& changed = types_[type];
        changed.list = true;
        if (item.deleted != changed_.adds(item)) changed.items.push_back(index);
      }
    });
  }

  // The step to every changed type, and to those it is in, from the type around it.
  void find_steps() {
    for (const auto& [changed, how] : types_) {
      for (TypeIndex type = changed; core_.types[type].item != kNone;) {
        const Block& item = core_.blocks[core_.types[type].item];
        const auto [step, is_new] = steps_.try_emplace(type);
        if (!is_new) break;
        type = core_.type_of(item);
        if (item.in_map) {
          step->second = std::string(core_.names[core_.slots[item.parent].key]);
        } else {
          step->second = core_.positions_of(type).index_of(core_.types[step->first].item);
        }
      }
    }
  }

  void set_path(TypeEvent& event, TypeIndex type) const {
    while (core_.types[type].item != kNone) {
      event.path.push_back(steps_.at(type));
      type = core_.type_of(core_.blocks[core_.types[type].item]);
    }
    std::reverse(event.path.begin(), event.path.end());
    event.root = core_.names[core_.types[type].name];
  }

  bool is_text(TypeIndex index) const {
    const Type& type = core_.types[index];
    if (type.item != kNone) {
      return type.kind == TypeKind::kText || type.kind == TypeKind::kXmlText;
    }
    const std::string_view name = core_.names[type.name];
    return std::find(text_roots_.begin(), text_roots_.end(), name) != text_roots_.end() ||
           ValueReader(core_).guess_kind(index) == Doc::RootKind::kText;
  }

  std::vector<DeltaStep> delta_of(TypeIndex type, Changed& changed, bool is_text) {
    if (!core_.types[type].has_formatting) return delta_of(type, changed.items, is_text);
    return is_text ? TextDelta(core_, changed_).run(type, changed.items) : list_delta(type);
  }

  // Of a list without formatting, from what came and went.
  std::vector<DeltaStep> delta_of(TypeIndex type, std::vector<BlockIndex>& items, bool is_text) {
    const Positions& positions = core_.positions_of(type);
    std::sort(items.begin(), items.end(),
              [&](BlockIndex left, BlockIndex right) { return positions.precedes(left, right); });
    StepWriter steps;
    std::uint64_t told = 0;  // units of the list, as it is now
    for (const BlockIndex index : items) {
      const Block& item = core_.blocks[index];
      const std::uint64_t at = positions.index_of(index);
      if (at > told) steps.step(DeltaStep::Action::kRetain).length += at - told;
      told = at;
      if (item.deleted) {
        steps.step(DeltaStep::Action::kDelete).length += item.length;
        continue;
      }
      told += item.length;
      const bool is_value = is_text && item.kind != Kind::kString;
      if (is_value) steps.close();
      DeltaStep& step = steps.step(DeltaStep::Action::kInsert);
      step.length += item.length;
      if (is_text && !is_value) {
        step.text += as_text(core_.content_of(item));
      } else {
        for (EventValue& value : ValueReader(core_).elements(item)) {
          step.values.push_back(std::move(value));
        }
      }
      if (is_value) steps.close();
    }
    return std::move(steps).finish();
  }

  // Yjs: YEvent.changes.delta. Formatting marks count as elements here, and as nothing in indices.
  std::vector<DeltaStep> list_delta(TypeIndex list) const {
    StepWriter steps;
    for (BlockIndex i = core_.types[list].start; i != kNone; i = core_.blocks[i].right) {
      const Block& item = core_.blocks[i];
      const bool is_new = changed_.adds(item);
      if (item.deleted) {
        if (!is_new && changed_.deletes(item)) {
          steps.step(DeltaStep::Action::kDelete).length += item.length;
        }
      } else if (is_new) {
        DeltaStep& step = steps.step(DeltaStep::Action::kInsert);
        for (EventValue& value : ValueReader(core_).elements(item)) {
          step.values.push_back(std::move(value));
        }
        step.length += item.length;
      } else {
        steps.step(DeltaStep::Action::kRetain).length += item.length;
      }
    }
    return std::move(steps).finish();
  }

  // The last value of an item, which is the one that counts in a map.
  EventValue value_of(const Block& item) const {
    std::vector<EventValue> values = ValueReader(core_).elements(item);
    return values.empty() ? EventValue{} : std::move(values.back());
  }

  // Yjs: YEvent.keys.
  void add_key(TypeEvent& event, const Slot& slot) const {
    if (slot.last == kNone) return;
    const Block& now = core_.blocks[slot.last];
    BlockIndex before = slot.last;
    while (before != kNone && changed_.adds(core_.blocks[before])) {
      before = core_.blocks[before].left;
    }
    const bool had_value = before != kNone && changed_.deletes(core_.blocks[before]);
    const bool has_value = changed_.adds(now) && !now.deleted;
    if (!had_value && !has_value) return;
    KeyChange& change = event.keys.emplace_back();
    change.key = core_.names[slot.key];
    change.action = !had_value  ? KeyChange::Action::kAdd
                    : has_value ? KeyChange::Action::kUpdate
                                : KeyChange::Action::kDelete;
    if (had_value) change.before = value_of(core_.blocks[before]);
    if (has_value) change.after = value_of(now);
  }

  Core& core_;
  ChangedBlocks changed_;
  std::span<const std::string> text_roots_;
  std::map<TypeIndex, Changed> types_;
  std::map<TypeIndex, TypeEvent::Step> steps_;
};

}  // namespace

Events collect_events(Core& core, const Change& change, std::span<const std::string> text_roots) {
  return EventCollector(core, change, text_roots).run();
}

}  // namespace palimpsest::crdt::internal
