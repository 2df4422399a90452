#include "moment.hpp"

namespace palimpsest::crdt::internal {

ChangeSet changes_since(const Core& core, const Snapshot& snapshot) {
  DeleteSet deleted_then = snapshot.delete_set;
  deleted_then.normalize();
  ChangeSet changes;
  for (ClientIndex client = 0; client < core.clients.size(); ++client) {
    const ClientId id = core.clients[client].id;
    const Clock end = core.clock_of(client);
    const Clock known = std::min(snapshot.state_vector.clock_of(id), end);
    changes.inserted.add(id, known, end - known);
    core.for_each_block(client, 0, known, [&](BlockIndex index) {
      const Block& block = core.blocks[index];
      if (!block.deleted) return;
      const DeleteSet::Range now{block.clock, std::min(block.end(), known) - block.clock};
      for_each_gap(deleted_then, id, now, [&](DeleteSet::Range since) {
        changes.deleted.add(id, since.clock, since.length);
      });
    });
  }
  return changes;
}

bool is_ahead(const Core& core, const Snapshot& snapshot) {
  const auto& known = snapshot.state_vector.entries();
  return std::any_of(known.begin(), known.end(), [&](const auto& entry) {
    return entry.second > core.clock_of_id(entry.first);
  });
}

bool has_lost_content(const Core& core, const Snapshot& snapshot) {
  DeleteSet deleted = snapshot.delete_set;
  deleted.normalize();
  bool is_lost = false;
  for (const auto& [id, clock] : snapshot.state_vector.entries()) {
    const ClientIndex client = core.find_client(id);
    for_each_gap(deleted, id, {0, clock}, [&](DeleteSet::Range visible) {
      core.for_each_block(client, visible.clock, visible.end(), [&](BlockIndex index) {
        const Kind kind = core.blocks[index].kind;
        is_lost = is_lost || !is_item(kind) || kind == Kind::kDeleted;
      });
    });
  }
  return is_lost;
}

}  // namespace palimpsest::crdt::internal
