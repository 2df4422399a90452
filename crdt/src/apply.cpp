#include <algorithm>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "collect_events.hpp"
#include "core.hpp"

namespace palimpsest::crdt::internal {
namespace {

// Blocks that could not be integrated, and what they wait for.
struct Rest {
  std::map<ClientId, Section> sections;
  std::map<ClientId, Clock> missing;

  void wait_for(ClientId client, Clock clock) {
    const auto [entry, is_new] = missing.try_emplace(client, clock);
    if (!is_new) entry->second = std::min(entry->second, clock);
  }

  WaitingBlocks encode() && {
    WaitingBlocks waiting;
    Writer writer;
    writer.write_var_uint(sections.size());
    for (auto entry = sections.rbegin(); entry != sections.rend(); ++entry) {
      const Section& section = entry->second;
      Writer blocks;
      std::uint64_t count = 0;
      for (BlockCursor cursor(section); !cursor.at_end(); cursor.next()) {
        const BlockView& block = cursor.block();
        write_block(blocks, block, section.client, 0);
        ++count;
        if (block.kind != Kind::kSkip) add_run(waiting.runs, section.client, block);
      }
      writer.write_var_uint(count);
      writer.write_var_uint(section.client);
      writer.write_var_uint(section.clock);
      writer.write_bytes(blocks.view());
      waiting.blocks += static_cast<std::size_t>(count);
    }
    DeleteSet().write(writer);
    waiting.update = std::move(writer).take();
    waiting.missing = std::move(missing);
    return waiting;
  }

 private:
  static void add_run(std::vector<Update::Authored>& runs, ClientId client,
                      const BlockView& block) {
    if (!runs.empty() && runs.back().client == client && runs.back().end == block.clock) {
      runs.back().end = block.end();
    } else {
      runs.push_back({client, block.clock, block.end()});
    }
  }
};

// Integrates the blocks of one update, following what they depend on through the other clients'
// blocks of the same update (Yjs: integrateStructs). The order in which Yjs gives up on blocks
// decides what is kept as pending, so it is kept here to the letter.
class Integrator {
 public:
  Integrator(Core& core, Change& change, const DecodedUpdate& update)
      : core_(core), change_(change) {
    const auto& sections = update.sections;
    if (update.blocks == 1 && sections.size() == 1) {
      sources_.emplace_back(sections.front(), BlockCursor(update.only_block));
      return;
    }
    // Updates name the highest client first: from behind they are nearly always in order.
    sources_.reserve(sections.size());
    for (auto section = sections.rbegin(); section != sections.rend(); ++section) {
      sources_.emplace_back(*section);
    }
    const auto precedes = [](const Source& a, const Source& b) { return a.client < b.client; };
    if (!std::is_sorted(sources_.begin(), sources_.end(), precedes)) {
      std::stable_sort(sources_.begin(), sources_.end(), precedes);
    }
    // Of a client that stands in the update twice the last section counts, as in Yjs.
    const auto same = [](const Source& a, const Source& b) { return a.client == b.client; };
    sources_.erase(std::unique(sources_.begin(), sources_.end(), same), sources_.end());
  }

  Rest run() {
    // The highest client that has a block left comes first.
    while (!sources_.empty()) {
      Source& source = sources_.back();
      if (source.cursor.at_end()) {
        sources_.pop_back();
      } else if (integrates_at_once(source)) {
        source.cursor.next();
      } else {
        std::optional<Taken> head = take(source);
        while (head) head = step(*head);
      }
    }
    return std::move(rest_);
  }

 private:
  struct Source {
    explicit Source(const Section& from) : Source(from, BlockCursor(from)) {}
    Source(const Section& from, const BlockCursor& blocks)
        : client(from.client), section(&from), cursor(blocks) {}

    ClientId client;
    const Section* section;
    ClientIndex index = kNone;  // once a block of it was integrated
    BlockCursor cursor;
  };
  struct Taken {
    ClientId client;
    BlockView block;
    Section rest;  // this block and all behind it
  };

  // The common case: the next block of a client, which waits for nothing.
  bool integrates_at_once(Source& source) {
    const BlockView& block = source.cursor.block();
    if (block.kind == Kind::kSkip) return true;
    if (source.index == kNone) {
      source.index = core_.client_index(source.client);
      core_.expect(source.index, static_cast<std::size_t>(source.section->blocks),
                   source.section->content_bytes);
    }
    const Clock clock = core_.clock_of(source.index);
    if (clock >= block.end()) {
      cut_beside(source.index, block);
      return true;
    }
    if (clock < block.clock) return false;
    Core::Neighbours neighbours;
    if (core_.find_neighbours(source.index, block, neighbours) != Core::kNobody) return false;
    core_.integrate(change_, source.index, block, neighbours, clock - block.clock);
    return true;
  }

  // Yjs cuts at the neighbours of a block before it sees that it has the block. The parts are
  // joined again, but a surrogate pair that is cut stays torn.
  void cut_beside(ClientIndex client, const BlockView& block) {
    Core::Neighbours neighbours;
    if (core_.find_neighbours(client, block, neighbours) != Core::kNobody) return;
    if (block.has_origin) core_.clean_end(change_, neighbours.origin, block.origin.clock);
    if (block.has_right_origin) {
      core_.clean_start(change_, neighbours.right_origin, block.right_origin.clock);
    }
  }

  Taken take(Source& source) {
    Taken taken{source.client, source.cursor.block(), source.cursor.rest(source.client)};
    source.cursor.next();
    return taken;
  }

  // Of the client, where it has a block left.
  Source* find_source(ClientId client) {
    const auto source = std::lower_bound(sources_.begin(), sources_.end(), client,
                                         [](const Source& a, ClientId b) { return a.client < b; });
    const bool found =
        source != sources_.end() && source->client == client && !source->cursor.at_end();
    return found ? &*source : nullptr;
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
        Core::Neighbours neighbours;
        const ClientId missing = core_.find_neighbours(client, block, neighbours);
        if (missing == Core::kNobody) {
          core_.integrate(change_, client, block, neighbours, clock - block.clock);
        } else {
          stack_.push_back(head);
          if (Source* source = find_source(missing)) return take(*source);
          rest_.wait_for(missing, core_.clock_of_id(missing));
          give_up_stack();
        }
      } else {
        cut_beside(client, block);
      }
    }
    if (stack_.empty()) return std::nullopt;
    const Taken next = stack_.back();
    stack_.pop_back();
    return next;
  }

  void give_up_stack() {
    for (const Taken& taken : stack_) {
      rest_.sections.try_emplace(taken.client, taken.rest);
      if (Source* source = find_source(taken.client)) source->cursor.finish();
    }
    stack_.clear();
  }

  Core& core_;
  Change& change_;
  boost::container::small_vector<Source, 1> sources_;  // ascending by client
  std::vector<Taken> stack_;
  Rest rest_;
};

// The clients whose clocks may have reached what waits for them: the highest first, as in the bytes
// that Yjs writes.
std::vector<ClientId> clients_to_look_at(const Core& core, const Change& change, bool look_at_all) {
  if (look_at_all) return core.pending_deletes.clients();
  std::vector<ClientId> clients;
  for (const ClientIndex client : change.clients) clients.push_back(core.clients[client].id);
  std::sort(clients.rbegin(), clients.rend());
  return clients;
}

// Whether a block has come that others waited for.
bool reached_missing(const Core& core, const Change& change, bool look_at_all) {
  if (!core.pending) return false;
  if (look_at_all) {
    const auto& missing = core.pending->missing();
    return std::any_of(missing.begin(), missing.end(), [&](const auto& entry) {
      return entry.second < core.clock_of_id(entry.first);
    });
  }
  return std::any_of(change.clients.begin(), change.clients.end(), [&](ClientIndex client) {
    const Clock* const clock = core.pending->missing_of(core.clients[client].id);
    return clock != nullptr && *clock < core.clock_of(client);
  });
}

void keep_waiting_blocks(Core& core, Rest rest, Doc::Applied& applied) {
  applied.complete = false;
  // Integration may have gone on to what this waits for, and Yjs finds that with the next update.
  for (const auto& [client, clock] : rest.missing) {
    if (clock < core.clock_of_id(client)) core.look_again_at_pending = true;
  }
  WaitingBlocks waiting = std::move(rest).encode();
  if (!core.pending) {
    core.pending.emplace(std::move(waiting));
    applied.changed = true;
  } else if (core.pending->keep(std::move(waiting))) {
    applied.changed = true;
  }
}

void apply_and_keep_deletions(Core& core, Change& change, const DecodedUpdate& update,
                              bool look_at_all, Doc::Applied& applied) {
  const std::vector<Deletion> waiting = core.apply_deletions(change, update.deletions);
  if (!core.pending_deletes.empty()) {
    std::vector<Deletion> reached;
    for (const ClientId client : clients_to_look_at(core, change, look_at_all)) {
      core.pending_deletes.take_below(client, core.clock_of_id(client), reached);
    }
    if (!reached.empty()) applied.changed = true;
    core.apply_deletions(change, reached);
  }
  if (!waiting.empty()) applied.complete = false;
  for (const Deletion& deletion : waiting) {
    if (core.pending_deletes.add(deletion.client, deletion.clock, deletion.end())) {
      applied.changed = true;
    }
  }
}

// One round of Yjs' readUpdate: blocks, then what waits, then deletions. Answers whether what
// waits should be tried again.
bool apply_once(Core& core, Change& change, const DecodedUpdate& update, Doc::Applied& applied) {
  Rest rest = Integrator(core, change, update).run();
  const bool look_at_all = std::exchange(core.look_again_at_pending, false);
  const bool try_again = reached_missing(core, change, look_at_all);
  if (!rest.sections.empty()) keep_waiting_blocks(core, std::move(rest), applied);
  apply_and_keep_deletions(core, change, update, look_at_all, applied);
  return try_again;
}

}  // namespace

std::vector<Deletion> Core::apply_deletions(Change& change, std::span<const Deletion> deletions) {
  std::vector<Deletion> rest;
  for (const Deletion& deletion : deletions) {
    const ClientIndex client = find_client(deletion.client);
    const Clock known = client != kNone ? clock_of(client) : 0;
    if (deletion.end() > known) {
      const Clock from = std::max(deletion.clock, known);
      rest.push_back({deletion.client, from, deletion.end() - from});
    }
    if (deletion.clock >= known) continue;
    const BlockList& own = clients[client].blocks;
    BlockList::Place place = own.find(deletion.clock);
    if (own.clock_at(place) < deletion.clock && !blocks[own[place]].deleted) {
      place = split(change, client, place, deletion.clock - own.clock_at(place));
    }
    for (; place != own.end() && own.clock_at(place) < deletion.end(); place = own.next(place)) {
      const Block& block = blocks[own[place]];
      if (block.deleted) continue;
      if (deletion.end() < block.end()) {
        place = own.previous(split(change, client, place, deletion.end() - block.clock));
      }
      erase(change, own[place]);
    }
  }
  return rest;
}

Doc::Applied Core::apply(const DecodedUpdate& update, const EventRequest* request) {
  Doc::Applied applied;
  if (request == nullptr && apply_keystroke(update)) {
    applied.changed = true;
    return applied;
  }
  Change& change = begin();
  change.tracks_types = options.clean_formatting;
  if (apply_once(*this, change, update, applied)) {
    const PendingBlocks waiting = *std::exchange(pending, std::nullopt);
    apply_once(*this, change, decode_update(waiting.update()), applied);
    applied.changed = true;
    applied.complete = covers(update);
  }
  if (!change.clients.empty() || !change.deleted.empty()) applied.changed = true;
  if (request != nullptr) request->events = collect_events(*this, change, request->text_roots);
  end(change, true);
  return applied;
}

bool Core::is_deleted(const Deletion& deletion) const {
  const ClientIndex client = find_client(deletion.client);
  if (client == kNone || clock_of(client) < deletion.end()) return false;
  bool all = true;
  for_each_block(client, deletion.clock, deletion.end(),
                 [&](BlockIndex index) { all = all && blocks[index].deleted; });
  return all;
}

bool Core::covers(const DecodedUpdate& update) const {
  for (const Section& section : update.sections) {
    if (section.end > section.clock && clock_of_id(section.client) < section.end) return false;
  }
  return std::all_of(update.deletions.begin(), update.deletions.end(),
                     [&](const Deletion& deletion) { return is_deleted(deletion); });
}

}  // namespace palimpsest::crdt::internal
