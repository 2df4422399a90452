#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core.hpp"
#include "crdt/shared_type.hpp"

namespace palimpsest::crdt::internal {

static_assert(static_cast<int>(SharedType::kXmlText) == static_cast<int>(TypeKind::kXmlText));

// The item that holds the unit; nullopt where it is not known, or collected.
std::optional<BlockIndex> find_item(const Core& core, Id id);
// The type of that name; of a nested one also where it is deleted but not collected.
std::optional<TypeIndex> find_type(const Core& core, const TypeRef& type);
// The type to write into; a root is made. Throws std::invalid_argument where there is no nested
// type of that id or it is deleted.
TypeIndex type_to_write(Core& core, const TypeRef& type);
// As the interface names it: by the item that carries it. Of a nested type.
Id id_of_type(const Core& core, TypeIndex type);

// --- Places by index: O(log n) where the list has a tree of positions, else O(n), since reading
// makes none. ---

struct Unit {
  BlockIndex item;
  std::uint32_t offset;
};
// The visible unit at `index` of the type.
std::optional<Unit> unit_at(const Core& core, TypeIndex type, std::size_t index);
// How many visible units stand left of the item in its list.
std::size_t visible_before(const Core& core, BlockIndex item);
std::size_t visible_length(const Core& core, TypeIndex type);

}  // namespace palimpsest::crdt::internal
