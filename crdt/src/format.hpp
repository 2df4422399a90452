#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core.hpp"

namespace palimpsest::crdt::internal {

// What a Format item says: from here on `key` has the value that `json` writes out.
struct FormatMark {
  std::string_view key;
  std::string_view json;

  bool ends() const { return json == "null"; }
};
FormatMark format_mark(const Core& core, const Block& item);

// The formatting in force at a place in a text, in the order in which it was begun.
template <class Value>
class Attributes {
 public:
  const Value* find(std::string_view key) const {
    for (const auto& [name, value] : entries_) {
      if (name == key) return &value;
    }
    return nullptr;
  }
  void set(std::string_view key, Value value) {
    for (auto& [name, old] : entries_) {
      if (name == key) {
        old = std::move(value);
        return;
      }
    }
    entries_.emplace_back(key, std::move(value));
  }
  void erase(std::string_view key) {
    std::erase_if(entries_, [&](const auto& entry) { return entry.first == key; });
  }
  const std::vector<std::pair<std::string, Value>>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }

 private:
  std::vector<std::pair<std::string, Value>> entries_;
};

// A formatting value as JavaScript's === sees it: objects are equal only to themselves.
struct FormatValue {
  std::string json;
  BlockIndex object = kNone;  // the item whose object it is

  friend bool operator==(const FormatValue&, const FormatValue&) = default;
};
FormatValue format_value(const Core& core, BlockIndex item);

// Deletes marks between `start` and the next visible content that are overwritten there or repeat
// what held at `start` (Yjs: cleanupFormattingGap). `current` is the formatting at `at`, and is
// corrected for what was deleted before it.
void clean_gap(Core& core, Change& change, BlockIndex start, BlockIndex at,
               const Attributes<FormatValue>& at_start, Attributes<FormatValue>& current);

void update_attributes(const Core& core, BlockIndex item, Attributes<FormatValue>& attributes);

// The last mark of each key in force where an item of a list begins, in the order in which their
// formatting was begun. O(log n) for each key that is set in the list; the first time O(n).
std::vector<BlockIndex> marks_before(Core& core, BlockIndex item);

}  // namespace palimpsest::crdt::internal
