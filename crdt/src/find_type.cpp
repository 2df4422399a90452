#include "find_type.hpp"

#include <stdexcept>

namespace palimpsest::crdt::internal {

std::optional<BlockIndex> find_item(const Core& core, Id id) {
  const ClientIndex client = core.find_client(id.client);
  if (client == kNone || id.clock >= core.clock_of(client)) return std::nullopt;
  const BlockIndex index = core.block_at(client, id.clock);
  return is_item(core.blocks[index].kind) ? std::optional(index) : std::nullopt;
}

std::optional<TypeIndex> find_type(const Core& core, const TypeRef& type) {
  if (type.is_root()) return core.find_root(type.root());
  const auto item = find_item(core, type.item());
  if (!item || core.blocks[*item].kind != Kind::kType) return std::nullopt;
  return core.blocks[*item].content;
}

TypeIndex type_to_write(Core& core, const TypeRef& type) {
  if (type.is_root()) return core.root(type.root());
  const auto nested = find_type(core, type);
  if (!nested) throw std::invalid_argument("no shared type has this id");
  if (core.blocks[core.types[*nested].item].deleted) {
    throw std::invalid_argument("the shared type is deleted");
  }
  return *nested;
}

Id id_of_type(const Core& core, TypeIndex type) {
  const Block& item = core.blocks[core.types[type].item];
  return {core.clients[item.client].id, item.clock};
}

std::optional<Unit> unit_at(const Core& core, TypeIndex type, std::size_t index) {
  if (core.positions.has(type)) {
    if (index >= core.positions.units(type)) return std::nullopt;
    const Positions::Place place = core.positions.find(type, index + 1);
    return Unit{place.item, place.units - 1};
  }
  for (BlockIndex i = core.types[type].start; i != kNone; i = core.blocks[i].right) {
    const Block& item = core.blocks[i];
    if (!item.is_visible()) continue;
    if (index < item.length) return Unit{i, static_cast<std::uint32_t>(index)};
    index -= item.length;
  }
  return std::nullopt;
}

std::size_t visible_before(const Core& core, BlockIndex item) {
  if (!core.blocks[item].in_map && core.positions.has(core.blocks[item].parent)) {
    return core.positions.index_of(item);
  }
  std::size_t units = 0;
  for (BlockIndex i = core.blocks[item].left; i != kNone; i = core.blocks[i].left) {
    if (core.blocks[i].is_visible()) units += core.blocks[i].length;
  }
  return units;
}

std::size_t visible_length(const Core& core, TypeIndex type) {
  if (core.positions.has(type)) return core.positions.units(type);
  std::size_t units = 0;
  for (BlockIndex i = core.types[type].start; i != kNone; i = core.blocks[i].right) {
    if (core.blocks[i].is_visible()) units += core.blocks[i].length;
  }
  return units;
}

}  // namespace palimpsest::crdt::internal
