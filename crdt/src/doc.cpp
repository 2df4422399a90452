#include "crdt/doc.hpp"

#include <algorithm>
#include <map>

#include "collect_events.hpp"
#include "core.hpp"
#include "crdt/writer.hpp"
#include "find_type.hpp"
#include "load.hpp"
#include "read.hpp"
#include "touched.hpp"

namespace palimpsest::crdt {
namespace {

using internal::BlockView;
using internal::ClientIndex;
using internal::Core;
using internal::DecodedUpdate;
using internal::kNone;
using internal::Section;

// The part of each deletion that is still to be done.
DeleteSet missing_deletes(const Core& core, const DecodedUpdate& update) {
  DeleteSet missing;
  for (const internal::Deletion& deletion : update.deletions) {
    const ClientIndex client = core.find_client(deletion.client);
    const Clock known = client != kNone ? core.clock_of(client) : 0;
    Clock at = deletion.clock;
    if (at < known) {
      core.for_each_block(client, at, std::min(deletion.end(), known), [&](auto index) {
        const internal::Block& block = core.blocks[index];
        const Clock end = std::min(block.end(), deletion.end());
        if (!block.deleted) missing.add(deletion.client, at, end - at);
        at = end;
      });
    }
    if (at < deletion.end()) missing.add(deletion.client, at, deletion.end() - at);
  }
  return missing;
}

// Whether the document has a part of what the update brings.
bool repeats_something(const Core& core, const DecodedUpdate& update) {
  for (const Section& section : update.sections) {
    if (section.clock < core.clock_of_id(section.client)) return true;
  }
  for (const internal::Deletion& deletion : update.deletions) {
    const ClientIndex client = core.find_client(deletion.client);
    const Clock known = client != kNone ? core.clock_of(client) : 0;
    if (deletion.clock >= known) continue;
    bool deleted = false;
    core.for_each_block(client, deletion.clock, std::min(deletion.end(), known),
                        [&](auto index) { deleted = deleted || core.blocks[index].deleted; });
    if (deleted) return true;
  }
  return false;
}

// Whether the update refers to something that is neither in the document nor in the update.
bool would_wait(const Core& core, const DecodedUpdate& update) {
  std::map<ClientId, Clock> known;
  for (const Section& section : update.sections) {
    const Clock clock = core.clock_of_id(section.client);
    if (section.end > section.clock && section.clock > clock) return true;
    known[section.client] = std::max(clock, section.end);
  }
  const auto is_missing = [&](Id id) {
    const auto entry = known.find(id.client);
    return id.clock >= (entry != known.end() ? entry->second : core.clock_of_id(id.client));
  };
  for (const Section& section : update.sections) {
    if (!section.refers_elsewhere) continue;
    for (internal::BlockCursor cursor(section); !cursor.at_end(); cursor.next()) {
      const BlockView& block = cursor.block();
      if (block.kind == internal::Kind::kSkip) return true;
      if ((block.has_origin && is_missing(block.origin)) ||
          (block.has_right_origin && is_missing(block.right_origin)) ||
          (block.has_parent_id && is_missing(block.parent_id))) {
        return true;
      }
    }
  }
  return std::any_of(update.deletions.begin(), update.deletions.end(), [&](const auto& deletion) {
    return is_missing({deletion.client, deletion.end() - 1});
  });
}

// Whether what waits would be more than the limits if all of the update did.
bool would_fill_pending(const Core& core, const DecodedUpdate& update, const Limits& limits) {
  const auto is_over = [&] {
    // A deletion takes as much memory as a small block.
    constexpr std::size_t kDeletionBytes = 8;
    const std::size_t deletions = core.pending_deletes.count();
    const std::size_t bytes = core.pending ? core.pending->size_bytes() : 0;
    const std::size_t blocks = core.pending ? core.pending->block_count() : 0;
    return bytes + deletions * kDeletionBytes + update.size_bytes > limits.pending_bytes ||
           blocks + deletions + update.blocks + update.deletions.size() > limits.pending_blocks;
  };
  if (!is_over()) return false;
  if (!core.pending) return true;
  core.pending->settle();
  return is_over();
}

// How deep the types nest that the update brings, as far as their parents are known.
std::size_t deepest_type(const Core& core, const DecodedUpdate& update) {
  // Depth of the parent of each item of the update, by client and last clock.
  std::map<ClientId, std::vector<std::pair<Clock, std::size_t>>> parents;
  const auto parent_depth_of = [&](Id id) -> std::size_t {
    if (const auto own = parents.find(id.client); own != parents.end()) {
      const auto at =
          std::lower_bound(own->second.begin(), own->second.end(), id.clock,
                           [](const auto& entry, Clock clock) { return entry.first < clock; });
      if (at != own->second.end()) return at->second;
    }
    const ClientIndex client = core.find_client(id.client);
    if (client == kNone || id.clock >= core.clock_of(client)) return 0;
    const internal::Block& block = core.blocks[core.block_at(client, id.clock)];
    return block.parent == kNone ? 0 : core.types[core.type_of(block)].depth;
  };
  std::size_t deepest = 0;
  for (auto section = update.sections.rbegin(); section != update.sections.rend(); ++section) {
    for (internal::BlockCursor cursor(*section); !cursor.at_end(); cursor.next()) {
      const BlockView& block = cursor.block();
      if (!internal::is_item(block.kind)) continue;
      std::size_t depth = 0;
      if (block.has_parent_id) {
        depth = parent_depth_of(block.parent_id) + 1;
      } else if (!block.names_parent()) {
        depth = parent_depth_of(block.has_origin ? block.origin : block.right_origin);
      }
      parents[section->client].emplace_back(block.end() - 1, depth);
      if (block.kind == internal::Kind::kType) deepest = std::max(deepest, depth + 1);
    }
  }
  return deepest;
}

}  // namespace

Doc::Doc() : Doc(Options{}) {}
Doc::Doc(Options options) : core_(std::make_unique<Core>(options)) {}
Doc::Doc(Doc&&) noexcept = default;
Doc& Doc::operator=(Doc&&) noexcept = default;
Doc::~Doc() = default;

std::optional<Refusal> Doc::check(const Update& update, const Limits& limits) const {
  const DecodedUpdate& decoded = update.decoded();
  std::size_t new_clients = 0;
  for (const Section& section : decoded.sections) {
    new_clients += core_->find_client(section.client) == kNone;
  }
  if (new_clients > 0 && core_->clients.size() + new_clients > limits.clients) {
    return Refusal::kTooManyClients;
  }
  if (would_fill_pending(*core_, decoded, limits) && would_wait(*core_, decoded)) {
    return Refusal::kPendingFull;
  }
  if (decoded.brings_types && deepest_type(*core_, decoded) > limits.type_depth) {
    return Refusal::kTooDeep;
  }
  return std::nullopt;
}

Touched Doc::touched_by(const Update& update) const {
  return internal::touched_by(*core_, update.decoded());
}

Doc Doc::load(ByteView update, Options options) {
  Doc doc(options);
  if (internal::load_state(*doc.core_, update)) return doc;
  doc.core_ = std::make_unique<Core>(options);
  doc.apply(Update::decode(update));
  return doc;
}

Doc Doc::load_v2(ByteView update, const V2Limits& limits, Options options) {
  Doc doc(options);
  if (internal::load_state_v2(*doc.core_, update, limits)) return doc;
  doc.core_ = std::make_unique<Core>(options);
  doc.apply(Update::decode_v2(update, limits));
  return doc;
}

Doc::Applied Doc::apply(const Update& update) { return core_->apply(update.decoded()); }

Doc::Applied Doc::apply(const Update& update, Events& events,
                        std::span<const std::string> text_roots) {
  const internal::EventRequest request{text_roots, events};
  return core_->apply(update.decoded(), &request);
}

bool Doc::covers(const Update& update) const { return core_->covers(update.decoded()); }

std::optional<Bytes> Doc::novel_part(const Update& update) const {
  const DecodedUpdate& decoded = update.decoded();
  if (!repeats_something(*core_, decoded)) return std::nullopt;
  return internal::diff_update(decoded, state_vector(), missing_deletes(*core_, decoded));
}

Bytes Doc::encode() const { return core_->encode_since({}); }
Bytes Doc::encode_since(const StateVector& known) const { return core_->encode_since(known); }
StateVector Doc::state_vector() const { return core_->state_vector(); }
DeleteSet Doc::delete_set() const { return core_->delete_set(); }

bool Doc::has_pending() const {
  return core_->pending.has_value() || !core_->pending_deletes.empty();
}

std::vector<std::string> Doc::root_names() const {
  std::vector<std::string> names;
  for (const internal::TypeIndex root : core_->roots) {
    names.emplace_back(core_->names[core_->types[root].name]);
  }
  return names;
}

std::string Doc::text(const TypeRef& type) const {
  const auto found = internal::find_type(*core_, type);
  return found ? internal::ValueReader(*core_).text(*found) : std::string();
}

Any Doc::delta(const TypeRef& type) const {
  const auto found = internal::find_type(*core_, type);
  return found ? internal::ValueReader(*core_).delta(*found) : Any(Any::Array{});
}

Any Doc::array(const TypeRef& type) const {
  const auto found = internal::find_type(*core_, type);
  return found ? internal::ValueReader(*core_).array(*found) : Any(Any::Array{});
}

Any Doc::map(const TypeRef& type) const {
  const auto found = internal::find_type(*core_, type);
  return found ? internal::ValueReader(*core_).map(*found) : Any(Any::Object{});
}

std::string Doc::xml(const TypeRef& type) const {
  const auto found = internal::find_type(*core_, type);
  return found ? internal::ValueReader(*core_).xml_children(*found) : std::string();
}

std::optional<Id> Doc::nested(const TypeRef& parent, std::string_view key) const {
  const auto type = internal::find_type(*core_, parent);
  const auto slot = type ? core_->find_slot(*type, key) : std::nullopt;
  const auto last = slot ? core_->slots[*slot].last : internal::kNone;
  if (last == internal::kNone) return std::nullopt;
  const internal::Block& item = core_->blocks[last];
  if (item.deleted || item.kind != internal::Kind::kType) return std::nullopt;
  return internal::id_of_type(*core_, item.content);
}

std::optional<Id> Doc::nested(const TypeRef& parent, std::size_t index) const {
  const auto type = internal::find_type(*core_, parent);
  const auto unit = type ? internal::unit_at(*core_, *type, index) : std::nullopt;
  if (!unit) return std::nullopt;
  const internal::Block& item = core_->blocks[unit->item];
  if (item.kind != internal::Kind::kType) return std::nullopt;
  return internal::id_of_type(*core_, item.content);
}

std::optional<SharedType> Doc::kind(Id type) const {
  const auto found = internal::find_type(*core_, type);
  if (!found) return std::nullopt;
  return static_cast<SharedType>(core_->types[*found].kind);
}

Doc::RootKind Doc::guess_kind(std::string_view root) const {
  const auto type = core_->find_root(root);
  return type ? internal::ValueReader(*core_).guess_kind(*type) : RootKind::kEmpty;
}

void Doc::check_invariants() const { core_->check_invariants(); }
std::size_t Doc::memory_bytes() const { return core_->memory_bytes(); }

}  // namespace palimpsest::crdt
