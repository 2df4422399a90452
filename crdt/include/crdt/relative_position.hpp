#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"
#include "crdt/shared_type.hpp"

namespace palimpsest::crdt {

// A place in a text, an array or an XML type that stays where it is while others edit around it:
// beside one unit, or at an end of a type. Carets and comments travel as these.
//
// position := (varUint(0) id | varUint(1) varString(root) | varUint(2) id) varInt(assoc)
//
// With assoc >= 0 it belongs to the unit behind the place, and to the end of the type where there
// is none; with assoc < 0 to the unit before it, and to the start. A unit that is deleted leaves
// the position where the unit was.
struct RelativePosition {
  struct Nested {
    Id item;  // that carries the type
    friend bool operator==(const Nested&, const Nested&) = default;
  };
  // A unit; the name of a root; a nested type.
  using Anchor = std::variant<Id, std::string, Nested>;

  Anchor anchor;
  std::int64_t assoc = 0;

  // Throws DecodeError. Without assoc, as old versions wrote it, it is 0.
  static RelativePosition decode(ByteView bytes);
  // As Yjs' encodeRelativePosition() writes it.
  Bytes encode() const;

  friend bool operator==(const RelativePosition&, const RelativePosition&) = default;
};

// Where a relative position is now. Units: UTF-16 code units of text, or elements.
struct AbsolutePosition {
  std::variant<std::string, Id> of;  // a root's name, or the item that carries the nested type
  std::size_t index = 0;

  TypeRef type() const {
    const auto* const root = std::get_if<std::string>(&of);
    return root != nullptr ? TypeRef(*root) : TypeRef(std::get<Id>(of));
  }

  friend bool operator==(const AbsolutePosition&, const AbsolutePosition&) = default;
};

}  // namespace palimpsest::crdt
