#include "crdt/relative_position.hpp"

#include <utility>

#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "find_type.hpp"

namespace palimpsest::crdt {
namespace {

using internal::Block;
using internal::BlockIndex;
using internal::Core;
using internal::kNone;
using internal::TypeIndex;

enum Tag : std::uint64_t { kUnit = 0, kRoot = 1, kNested = 2 };

Id read_id(Reader& reader) {
  const ClientId client = reader.read_var_uint();
  return {client, reader.read_var_uint()};
}

RelativePosition::Anchor read_anchor(Reader& reader) {
  switch (reader.read_var_uint()) {
    case kUnit:
      return read_id(reader);
    case kRoot:
      return std::string(reader.read_var_string());
    case kNested:
      return RelativePosition::Nested{read_id(reader)};
    default:
      reader.fail_at(0, "an unknown kind of position");
  }
}

struct AnchorWriter {
  Writer& writer;

  void write(Tag tag, Id id) {
    writer.write_var_uint(tag);
    writer.write_var_uint(id.client);
    writer.write_var_uint(id.clock);
  }
  void operator()(Id unit) { write(kUnit, unit); }
  void operator()(RelativePosition::Nested nested) { write(kNested, nested.item); }
  void operator()(const std::string& root) {
    writer.write_var_uint(kRoot);
    writer.write_var_string(root);
  }
};

// Beside a unit of the type, or nullopt where the position is at an end of it
// (Yjs: createRelativePositionFromTypeIndex).
std::optional<Id> unit_beside(const Core& core, TypeIndex type, std::size_t index,
                              std::int64_t assoc) {
  const auto id_of = [&](BlockIndex item, std::uint64_t offset) {
    return Id{core.clients[core.blocks[item].client].id, core.blocks[item].clock + offset};
  };
  if (assoc >= 0) {
    const auto unit = internal::unit_at(core, type, index);
    return unit ? std::optional(id_of(unit->item, unit->offset)) : std::nullopt;
  }
  if (index == 0) return std::nullopt;
  if (const auto unit = internal::unit_at(core, type, index - 1)) {
    return id_of(unit->item, unit->offset);
  }
  // Behind the end: the last that was ever there.
  BlockIndex last = core.types[type].start;
  if (last == kNone) return std::nullopt;
  while (core.blocks[last].right != kNone) last = core.blocks[last].right;
  return id_of(last, core.blocks[last].length - 1);
}

AbsolutePosition in_type(const Core& core, TypeIndex type, std::size_t index) {
  if (core.types[type].item == kNone) {
    return {std::string(core.names[core.types[type].name]), index};
  }
  return {internal::id_of_type(core, type), index};
}

std::optional<AbsolutePosition> resolve_unit(const Core& core, Id id, std::int64_t assoc) {
  const auto found = internal::find_item(core, id);
  if (!found) return std::nullopt;
  const Block& item = core.blocks[*found];
  const TypeIndex type = core.type_of(item);
  const BlockIndex carrier = core.types[type].item;
  std::size_t index = 0;
  if (carrier == kNone || !core.blocks[carrier].deleted) {
    if (item.is_visible()) index = id.clock - item.clock + (assoc >= 0 ? 0 : 1);
    index += internal::visible_before(core, *found);
  }
  return in_type(core, type, index);
}

}  // namespace

RelativePosition RelativePosition::decode(ByteView bytes) {
  Reader reader(bytes);
  RelativePosition position;
  position.anchor = read_anchor(reader);
  if (!reader.at_end()) position.assoc = reader.read_var_int().value;
  if (!reader.at_end()) reader.fail("bytes after the end of the position");
  return position;
}

Bytes RelativePosition::encode() const {
  Writer writer;
  std::visit(AnchorWriter{writer}, anchor);
  writer.write_var_int(assoc);
  return std::move(writer).take();
}

std::optional<RelativePosition> Doc::relative_position(const TypeRef& type, std::size_t index,
                                                       std::int64_t assoc) const {
  const auto found = internal::find_type(*core_, type);
  if (!found && !type.is_root()) return std::nullopt;
  if (found) {
    if (const auto unit = unit_beside(*core_, *found, index, assoc)) {
      return RelativePosition{*unit, assoc};
    }
  }
  if (type.is_root()) return RelativePosition{std::string(type.root()), assoc};
  return RelativePosition{RelativePosition::Nested{type.item()}, assoc};
}

std::optional<AbsolutePosition> Doc::resolve(const RelativePosition& position) const {
  if (const auto* const unit = std::get_if<Id>(&position.anchor)) {
    return resolve_unit(*core_, *unit, position.assoc);
  }
  const auto* const root = std::get_if<std::string>(&position.anchor);
  const TypeRef ref = root != nullptr
                          ? TypeRef(*root)
                          : TypeRef(std::get<RelativePosition::Nested>(position.anchor).item);
  const auto type = internal::find_type(*core_, ref);
  if (!type) return root != nullptr ? std::optional(AbsolutePosition{*root, 0}) : std::nullopt;
  return in_type(*core_, *type, position.assoc >= 0 ? internal::visible_length(*core_, *type) : 0);
}

}  // namespace palimpsest::crdt
