#pragma once

#include <string>
#include <vector>

#include "core.hpp"
#include "crdt/events.hpp"

namespace palimpsest::crdt::internal {

// Values of shared types, as Yjs' toString(), toJSON() and toDelta() answer them. Types nested
// deeper than kMaxReadDepth read as null.
class ValueReader {
 public:
  explicit ValueReader(const Core& core) : core_(core) {}

  std::string text(TypeIndex type) const;
  Any delta(TypeIndex type, std::size_t depth = 0) const;
  Any array(TypeIndex type, std::size_t depth = 0) const;
  Any map(TypeIndex type, std::size_t depth = 0) const;
  // The children one after the other, without a tag around them.
  std::string xml_children(TypeIndex type, std::size_t depth = 0) const;
  Doc::RootKind guess_kind(TypeIndex type) const;
  // What an item holds, deleted or not, as long as it has not been collected.
  std::vector<EventValue> elements(const Block& item) const;

  static constexpr std::size_t kMaxReadDepth = 256;

 private:
  Any json(TypeIndex type, std::size_t depth) const;
  std::string string(TypeIndex type, std::size_t depth) const;
  std::string xml_element(TypeIndex type, std::size_t depth) const;
  std::string xml_text(TypeIndex type, std::size_t depth) const;
  // Calls with each element of a visible item that is no text: a value, or null and a type.
  template <class Visit>
  void for_each_element(const Block& item, Visit&& visit) const;
  // The value that a map entry has now; false when it is deleted.
  template <class Visit>
  void for_each_entry(TypeIndex type, Visit&& visit) const;
  Any element_json(const Any& value, TypeIndex type, std::size_t depth) const;
  std::string element_string(const Any& value, TypeIndex type, std::size_t depth) const;
  // Calls with (text) or (embed value, type) and the attributes in force.
  template <class OnText, class OnEmbed>
  void for_each_run(TypeIndex type, OnText&& on_text, OnEmbed&& on_embed) const;

  const Core& core_;
};

// String(value) of JavaScript.
std::string to_js_string(const Any& value);

}  // namespace palimpsest::crdt::internal
