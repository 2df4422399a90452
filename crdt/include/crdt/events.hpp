#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crdt/any.hpp"
#include "crdt/id.hpp"

namespace palimpsest::crdt {

// What one change did to the shared types of a document, as an observer of Yjs is told it
// (observeDeep): of texts and lists where what was inserted and deleted, of maps and XML attributes
// which keys have another value.
//
// Units: UTF-16 code units in a text, elements in a list; an embed counts 1.

// What was put into a type: a plain value, or another shared type.
struct EventValue {
  Any value;               // of a shared type what its toJSON() answers behind the change
  std::optional<Id> type;  // the item that carries the shared type, where it is one

  friend bool operator==(const EventValue&, const EventValue&) = default;
};

// One step through a text or list, from its start (Quill's delta, YEvent.delta). What lies behind
// the last step stays as it is.
struct DeltaStep {
  enum class Action { kRetain, kInsert, kDelete };

  Action action = Action::kRetain;
  std::uint64_t length = 0;
  // What is inserted: into a text either characters (UTF-8) or one embed, into a list values.
  std::string text;
  std::vector<EventValue> values;
  // In a text: the formatting of what is inserted, or how that of what stays has changed; null
  // takes a formatting away.
  Any::Object attributes;

  friend bool operator==(const DeltaStep&, const DeltaStep&) = default;
};

// A key of a map, or an attribute, whose value is another than before (YEvent.changes.keys).
struct KeyChange {
  enum class Action { kAdd, kUpdate, kDelete };

  std::string key;
  Action action = Action::kAdd;
  EventValue before;  // undefined where added
  EventValue after;   // undefined where deleted

  friend bool operator==(const KeyChange&, const KeyChange&) = default;
};

// What became of one shared type that was there before and is still.
struct TypeEvent {
  // A key of a map or the index of an element.
  using Step = std::variant<std::string, std::uint64_t>;

  std::string root;
  std::vector<Step> path;  // from the root to the type, as it is behind the change
  std::optional<Id> type;  // the item that carries the type; nullopt for a root
  bool is_text = false;
  std::vector<DeltaStep> delta;
  std::vector<KeyChange> keys;  // in the order in which they were first set

  friend bool operator==(const TypeEvent&, const TypeEvent&) = default;
};

// Those nearer to the root first. A type that is new is a value in the event of what it was put
// into; of one that was deleted nothing is told but that. Types nested deeper than 256 are left
// out.
using Events = std::vector<TypeEvent>;

}  // namespace palimpsest::crdt
