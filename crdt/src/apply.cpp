#include <algorithm>
#include <map>

#include "core.hpp"

namespace palimpsest::crdt::internal {
namespace {

// Blocks that could not be integrated, and what they wait for.
struct Rest {
  std::map<ClientId, Section> sections;
  std::unordered_map<ClientId, Clock> missing;

  void wait_for(ClientId client, Clock clock) {
    const auto [entry, is_new] = missing.try_emplace(client, clock);
    if (!is_new) entry->second = std::min(entry->second, clock);
  }

  Bytes encode() const {
    Writer writer;
    writer.write_var_uint(sections.size());
    for (auto entry = sections.rbegin(); entry != sections.rend(); ++entry) {
      const Section& section = entry->second;
      Writer blocks;
      std::uint64_t count = 0;
      BlockCursor cursor(section);
      while (const std::optional<BlockView> block = cursor.next()) {
        write_block(blocks, *block, section.client, 0);
        ++count;
      }
      writer.write_var_uint(count);
      writer.write_var_uint(section.client);
      writer.write_var_uint(section.clock);
      writer.write_bytes(blocks.view());
    }
    DeleteSet().write(writer);
    return std::move(writer).take();
  }
};

// Integrates the blocks of one update, following what they depend on through the other clients'
// blocks of the same update (Yjs: integrateStructs). The order in which Yjs gives up on blocks
// decides what is kept as pending, so it is kept here to the letter.
class Integrator {
 public:
  Integrator(Core& core, Change& change, const std::vector<Section>& sections)
      : core_(core), change_(change) {
    // Of a client that stands there twice the last counts, as in Yjs.
    for (const Section& section : sections) {
      Source& source = sources_[section.client];
      source.cursor = BlockCursor(section);
      source.section = &section;
      source.next = source.cursor.next();
    }
  }

  Rest run() {
    while (std::optional<Taken> head = take_next()) {
      while (head) head = step(*head);
    }
    return std::move(rest_);
  }

 private:
  struct Source {
    BlockCursor cursor;
    const Section* section = nullptr;
    std::optional<BlockView> next;
  };
  struct Taken {
    ClientId client;
    BlockView block;
    Section rest;  // this block and all behind it
  };

  Taken take(ClientId client, Source& source) {
    Taken taken{client, *source.next, source.cursor.rest(client, *source.next)};
    source.next = source.cursor.next();
    return taken;
  }

  // The next block of the highest client that has one left.
  std::optional<Taken> take_next() {
    while (!sources_.empty()) {
      const auto last = std::prev(sources_.end());
      if (last->second.next) return take(last->first, last->second);
      sources_.erase(last);
    }
    return std::nullopt;
  }

  // Integrates one block, or puts it on the stack; answers the block to look at next, nullopt when
  // the stack is empty.
  std::optional<Taken> step(const Taken& head) {
    const BlockView& block = head.block;
    if (block.kind != Kind::kSkip) {
      const ClientIndex client = core_.client_index(head.client);
      const Clock clock = core_.clock_of(client);
      if (clock < block.clock) {
        rest_.wait_for(head.client, block.clock - 1);
        stack_.push_back(head);
        give_up_stack();
      } else if (clock < block.end()) {
        if (const auto missing = core_.missing_for(head.client, block)) {
          stack_.push_back(head);
          const auto source = sources_.find(*missing);
          if (source != sources_.end() && source->second.next) {
            return take(*missing, source->second);
          }
          rest_.wait_for(*missing, core_.clock_of_id(*missing));
          give_up_stack();
        } else {
          core_.integrate(change_, client, block, clock - block.clock);
        }
      }
    }
    if (stack_.empty()) return std::nullopt;
    Taken next = stack_.back();
    stack_.pop_back();
    return next;
  }

  void give_up_stack() {
    for (const Taken& taken : stack_) {
      rest_.sections.try_emplace(taken.client, taken.rest);
      sources_.erase(taken.client);
    }
    stack_.clear();
  }

  Core& core_;
  Change& change_;
  std::map<ClientId, Source> sources_;
  std::vector<Taken> stack_;
  Rest rest_;
};

// Deletes what is known of the ranges and answers the rest (Yjs: readAndApplyDeleteSet). The
// highest client comes first, as in the bytes that Yjs writes: the order decides which blocks are
// tried for merging at the end.
DeleteSet apply_deletes(Core& core, Change& change, const DeleteSet& deletes) {
  DeleteSet rest;
  for (auto entry = deletes.clients().rbegin(); entry != deletes.clients().rend(); ++entry) {
    const auto& [id, ranges] = *entry;
    const auto client = core.find_client(id);
    const Clock known = client ? core.clock_of(*client) : 0;
    for (const DeleteSet::Range& range : ranges) {
      if (range.end() > known) {
        const Clock from = std::max(range.clock, known);
        rest.add(id, from, range.end() - from);
      }
      if (range.clock >= known) continue;
      std::size_t i = core.find(*client, range.clock);
      const auto block = [&]() -> const Block& {
        return core.blocks[core.clients[*client].blocks[i]];
      };
      if (!block().deleted && block().clock < range.clock) {
        core.split(change, *client, i, range.clock - block().clock);
        ++i;
      }
      for (; i < core.clients[*client].blocks.size() && block().clock < range.end(); ++i) {
        if (block().deleted) continue;
        if (range.end() < block().end()) {
          core.split(change, *client, i, range.end() - block().clock);
        }
        core.erase(change, core.clients[*client].blocks[i]);
      }
    }
  }
  return rest;
}

DeleteSet merge(const DeleteSet& a, const DeleteSet& b) {
  DeleteSet merged = a;
  for (const auto& [client, ranges] : b.clients()) {
    for (const DeleteSet::Range& range : ranges) merged.add(client, range.clock, range.length);
  }
  merged.normalize();
  return merged;
}

// One round of Yjs' readUpdate: blocks, then what waits, then deletions. Answers whether what
// waits should be tried again.
bool apply_once(Core& core, Change& change, const DecodedUpdate& update, Doc::Applied& applied) {
  const Rest rest = Integrator(core, change, update.sections).run();
  bool try_again = false;
  if (core.pending) {
    for (const auto& [client, clock] : core.pending->missing) {
      if (clock < core.clock_of_id(client)) try_again = true;
    }
  }
  if (!rest.sections.empty()) {
    applied.complete = false;
    const Bytes encoded = rest.encode();
    if (core.pending) {
      for (const auto& [client, clock] : rest.missing) {
        const auto [entry, is_new] = core.pending->missing.try_emplace(client, clock);
        if (!is_new) entry->second = std::min(entry->second, clock);
      }
      const ByteView both[] = {core.pending->update, encoded};
      Bytes merged = merge_updates(both);
      if (merged != core.pending->update) applied.changed = true;
      core.pending->update = std::move(merged);
    } else {
      core.pending = PendingBlocks{encoded, rest.missing};
      applied.changed = true;
    }
  }
  const DeleteSet before = core.pending_deletes;
  const DeleteSet waiting = apply_deletes(core, change, update.deletes);
  const DeleteSet still_waiting = apply_deletes(core, change, core.pending_deletes);
  if (!waiting.empty()) applied.complete = false;
  core.pending_deletes = !waiting.empty() && !still_waiting.empty()
                             ? merge(waiting, still_waiting)
                             : (waiting.empty() ? still_waiting : waiting);
  if (core.pending_deletes != before) applied.changed = true;
  return try_again;
}

}  // namespace

Doc::Applied Core::apply(const DecodedUpdate& update) {
  Change change = begin();
  change.tracks_types = options.clean_formatting;
  Doc::Applied applied;
  if (apply_once(*this, change, update, applied)) {
    const Bytes waiting = std::move(pending->update);
    pending.reset();
    apply_once(*this, change, decode_update(waiting), applied);
    applied.changed = true;
    applied.complete = covers(update);
  }
  if (!change.clients.empty() || !change.deleted.empty()) applied.changed = true;
  end(change, true);
  return applied;
}

bool Core::is_deleted(ClientId id, DeleteSet::Range range) const {
  const auto client = find_client(id);
  if (!client || clock_of(*client) < range.end()) return false;
  const std::vector<BlockIndex>& own = clients[*client].blocks;
  for (std::size_t i = find(*client, range.clock);
       i < own.size() && blocks[own[i]].clock < range.end(); ++i) {
    if (!blocks[own[i]].deleted) return false;
  }
  return true;
}

bool Core::covers(const DecodedUpdate& update) const {
  for (const Section& section : update.sections) {
    if (section.end > section.clock && clock_of_id(section.client) < section.end) return false;
  }
  for (const auto& [client, ranges] : update.deletes.clients()) {
    for (const DeleteSet::Range& range : ranges) {
      if (!is_deleted(client, range)) return false;
    }
  }
  return true;
}

}  // namespace palimpsest::crdt::internal
