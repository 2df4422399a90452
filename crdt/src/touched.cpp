#include "touched.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace palimpsest::crdt::internal {
namespace {

// The roots of the types of a document. Each step from a type to the one around it is made once.
class RootsOfTypes {
 public:
  explicit RootsOfTypes(const Core& core) : core_(core) {}

  NameIndex of_block(const Block& block) {
    return is_item(block.kind) ? of_type(core_.type_of(block)) : kNone;
  }

 private:
  NameIndex of_type(TypeIndex type) {
    passed_.clear();
    NameIndex root = kNone;
    for (;; type = core_.type_of(core_.blocks[core_.types[type].item])) {
      if (const auto known = known_.find(type); known != known_.end()) {
        root = known->second;
        break;
      }
      passed_.push_back(type);
      if (core_.types[type].item == kNone) {
        root = core_.types[type].name;
        break;
      }
    }
    for (const TypeIndex passed : passed_) known_.emplace(passed, root);
    return root;
  }

  const Core& core_;
  std::unordered_map<TypeIndex, NameIndex> known_;
  std::vector<TypeIndex> passed_;
};

// Says of each block of an update under which root it will stand: that of the block that it refers
// to, in the update or in the document.
class UpdateRoots {
 public:
  enum class State : std::uint8_t {
    kOpen,
    kKnown,
    kNothing,  // it will be collected at once, like what it refers to
    kUnknown,
  };
  struct Entry {
    Clock clock;
    Clock end;
    State state = State::kOpen;
    Id refers_to{0, 0};
    std::string_view root = {};
  };

  UpdateRoots(const Core& core, const DecodedUpdate& update) : core_(core), types_(core) {
    for (const Section& section : update.sections) {
      // Of a client that stands in the update twice the last section counts.
      std::vector<Entry>& entries = clients_[section.client];
      entries.clear();
      for (BlockCursor cursor(section); !cursor.at_end(); cursor.next()) {
        if (cursor.block().kind != Kind::kSkip) entries.push_back(entry_of(cursor.block()));
      }
    }
  }

  // Calls `visit(entry)` with those of the client that hold clocks of [begin, end), settled;
  // answers whether they hold them all.
  template <class Visit>
  bool for_each(ClientId client, Clock begin, Clock end, Visit&& visit) {
    const auto found = clients_.find(client);
    if (found == clients_.end()) return begin >= end;
    auto at = first_behind(found->second, begin);
    for (; at != found->second.end() && at->clock < end; ++at) {
      if (at->clock > begin) return false;
      settle(*at);
      visit(*at);
      begin = at->end;
    }
    return begin >= end;
  }

  // The same with all from a clock on, over gaps; answers how many they are.
  template <class Visit>
  std::size_t for_each_from(ClientId client, Clock begin, Visit&& visit) {
    std::vector<Entry>& entries = clients_.at(client);
    const auto first = first_behind(entries, begin);
    for (auto at = first; at != entries.end(); ++at) {
      settle(*at);
      visit(*at);
    }
    return static_cast<std::size_t>(entries.end() - first);
  }

  NameIndex root_of(const Block& block) { return types_.of_block(block); }

 private:
  static Entry entry_of(const BlockView& block) {
    Entry entry{block.clock, block.end()};
    if (!is_item(block.kind)) {
      entry.state = State::kNothing;
    } else if (block.has_origin || block.has_right_origin || block.has_parent_id) {
      entry.refers_to = block.has_origin         ? block.origin
                        : block.has_right_origin ? block.right_origin
                                                 : block.parent_id;
    } else {
      entry.state = State::kKnown;
      entry.root = block.parent_root;
    }
    return entry;
  }

  static std::vector<Entry>::iterator first_behind(std::vector<Entry>& entries, Clock clock) {
    return std::upper_bound(entries.begin(), entries.end(), clock,
                            [](Clock value, const Entry& entry) { return value < entry.end; });
  }

  Entry* find(Id id) {
    const auto client = clients_.find(id.client);
    if (client == clients_.end()) return nullptr;
    const auto at = first_behind(client->second, id.clock);
    return at != client->second.end() && at->clock <= id.clock ? &*at : nullptr;
  }

  // Where a reference into the document leads; kOpen for one that does not lead there.
  Entry in_document(Id id) {
    Entry answer{id.clock, id.clock + 1};
    const ClientIndex client = core_.find_client(id.client);
    if (client == kNone || id.clock >= core_.clock_of(client)) return answer;
    const NameIndex name = root_of(core_.blocks[core_.block_at(client, id.clock)]);
    answer.state = name != kNone ? State::kKnown : State::kNothing;
    if (name != kNone) answer.root = core_.names[name];
    return answer;
  }

  // Follows the references from an entry to the first one that knows, and tells all on the way.
  // References in a circle lead nowhere: whoever is on the way counts as unknown meanwhile.
  void settle(Entry& first) {
    path_.clear();
    Entry answer{0, 0, State::kUnknown};
    for (Entry* entry = &first; entry != nullptr; entry = find(path_.back()->refers_to)) {
      if (entry->state != State::kOpen) {
        answer = *entry;
        break;
      }
      entry->state = State::kUnknown;
      path_.push_back(entry);
      if (const Entry known = in_document(entry->refers_to); known.state != State::kOpen) {
        answer = known;
        break;
      }
    }
    for (Entry* const entry : path_) {
      entry->state = answer.state;
      entry->root = answer.root;
    }
  }

  const Core& core_;
  RootsOfTypes types_;
  std::map<ClientId, std::vector<Entry>> clients_;
  std::vector<Entry*> path_;
};

class TouchCollector {
 public:
  TouchCollector(const Core& core, const DecodedUpdate& update)
      : core_(core), update_(update), blocks_(core, update) {}

  Touched run() {
    touched_.size_bytes = update_.size_bytes;
    touched_.block_count = update_.blocks;
    for (const Section& section : update_.sections) add_content(section);
    for (const Deletion& deletion : update_.deletions) add_deletion(deletion);
    std::sort(touched_.content.begin(), touched_.content.end(),
              [](const auto& a, const auto& b) { return a.client < b.client; });
    touched_.deletions.normalize();
    touched_.roots.assign(roots_.begin(), roots_.end());
    return std::move(touched_);
  }

 private:
  void add(const UpdateRoots::Entry& entry) {
    if (entry.state == UpdateRoots::State::kKnown) {
      roots_.insert(entry.root);
    } else if (entry.state != UpdateRoots::State::kNothing) {
      touched_.unknown_roots = true;
    }
  }

  void add_content(const Section& section) {
    const Clock begin = std::max(section.clock, core_.clock_of_id(section.client));
    if (begin >= section.end) return;
    const std::size_t blocks =
        blocks_.for_each_from(section.client, begin, [&](const auto& entry) { add(entry); });
    touched_.content.push_back({section.client, begin, section.end, blocks});
  }

  void add_deletion(const Deletion& deletion) {
    const ClientIndex client = core_.find_client(deletion.client);
    const Clock known = client != kNone ? core_.clock_of(client) : 0;
    if (deletion.clock < known) {
      core_.for_each_block(client, deletion.clock, std::min(deletion.end(), known),
                           [&](BlockIndex index) { add_deleted(core_.blocks[index], deletion); });
    }
    const Clock from = std::max(deletion.clock, known);
    if (from >= deletion.end()) return;
    touched_.deletions.add(deletion.client, from, deletion.end() - from);
    const bool has_all = blocks_.for_each(deletion.client, from, deletion.end(),
                                          [&](const UpdateRoots::Entry& entry) { add(entry); });
    if (!has_all) touched_.unknown_roots = true;
  }

  void add_deleted(const Block& block, const Deletion& deletion) {
    if (block.deleted) return;
    const Clock from = std::max(block.clock, deletion.clock);
    const Clock end = std::min(block.end(), deletion.end());
    touched_.deletions.add(deletion.client, from, end - from);
    roots_.insert(core_.names[blocks_.root_of(block)]);
  }

  const Core& core_;
  const DecodedUpdate& update_;
  UpdateRoots blocks_;
  std::set<std::string_view> roots_;
  Touched touched_;
};

}  // namespace

Touched touched_by(const Core& core, const DecodedUpdate& update) {
  return TouchCollector(core, update).run();
}

}  // namespace palimpsest::crdt::internal
