#include "crdt/merge.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "crdt/writer.hpp"
#include "decoded_update.hpp"

namespace palimpsest::crdt {
namespace internal {
namespace {

// Appends blocks to an update, client by client (Yjs: LazyStructWriter).
class SectionWriter {
 public:
  void write(ClientId client, const BlockView& block, std::uint64_t offset) {
    if (blocks_ > 0 && client_ != client) flush();
    if (blocks_ == 0) {
      client_ = client;
      section_.write_var_uint(client);
      section_.write_var_uint(block.clock + offset);
    }
    write_block(section_, block, client, offset);
    ++blocks_;
  }

  Bytes finish(const DeleteSet& deletes) {
    flush();
    Writer update;
    update.write_var_uint(sections_);
    update.write_bytes(body_.view());
    deletes.write(update);
    return std::move(update).take();
  }

 private:
  void flush() {
    if (blocks_ == 0) return;
    body_.write_var_uint(blocks_);
    body_.write_bytes(section_.view());
    section_ = Writer();
    blocks_ = 0;
    ++sections_;
  }

  ClientId client_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t sections_ = 0;
  Writer section_;
  Writer body_;
};

// The blocks of an update one after the other, over all clients.
class UpdateCursor {
 public:
  UpdateCursor(const DecodedUpdate& update, bool pass_over_skips)
      : update_(&update), pass_over_skips_(pass_over_skips) {
    settle();
  }

  bool at_end() const { return blocks_.at_end(); }
  ClientId client() const { return update_->sections[section_ - 1].client; }
  const BlockView& block() const { return blocks_.block(); }

  void next() {
    blocks_.next();
    settle();
  }

 private:
  // Goes on to the next block that counts, from where it is.
  void settle() {
    while (true) {
      while (blocks_.at_end() && section_ < update_->sections.size()) {
        blocks_ = BlockCursor(update_->sections[section_++]);
      }
      if (blocks_.at_end() || !pass_over_skips_ || block().kind != Kind::kSkip) return;
      blocks_.next();
    }
  }

  const DecodedUpdate* update_;
  bool pass_over_skips_;
  std::size_t section_ = 0;  // the one after the current
  BlockCursor blocks_;
};

// The cursors of several updates, the one that Yjs looks at next in front: of the highest client,
// of one client at the lowest clock.
//
// Yjs sorts its readers anew in each round, and where two stand at the same block the outcome hangs
// on how they stood before: the one that came last was in front and stays there. Of a block and
// its collected form Yjs' comparison puts each before the other, so that they change places in
// every round.
class CursorQueue {
 public:
  explicit CursorQueue(std::vector<UpdateCursor> cursors) : cursors_(std::move(cursors)) {
    entries_.reserve(cursors_.size());
    for (std::size_t i = 0; i < cursors_.size(); ++i) {
      if (!cursors_[i].at_end()) entries_.push_back({i, 0, cursors_.size() - i});
    }
    std::make_heap(entries_.begin(), entries_.end(), IsBehind{cursors_});
  }

  // Null when all are at their end. It has to be put back before the next is taken.
  UpdateCursor* take() {
    if (entries_.empty()) return nullptr;
    ++round_;
    taken_ = pop();
    if (!entries_.empty() && changes_place(taken_, entries_.front())) {
      const Entry other = pop();
      push(taken_);
      taken_ = other;
    }
    return &cursors_[taken_.cursor];
  }

  // Puts the cursor back that take() gave, wherever it stands now.
  void put_back() {
    if (!cursors_[taken_.cursor].at_end()) push({taken_.cursor, round_, cursors_.size() + round_});
  }

 private:
  struct Entry {
    std::size_t cursor;
    std::uint64_t came_in;  // the round in which it came to where it stands
    std::uint64_t rank;     // of those at one block, the highest is in front
  };

  struct IsBehind {
    const std::vector<UpdateCursor>& cursors;

    bool operator()(const Entry& a, const Entry& b) const {
      const UpdateCursor& left = cursors[a.cursor];
      const UpdateCursor& right = cursors[b.cursor];
      if (left.client() != right.client()) return left.client() < right.client();
      if (left.block().clock != right.block().clock) {
        return left.block().clock > right.block().clock;
      }
      return a.rank < b.rank;
    }
  };

  bool changes_place(const Entry& first, const Entry& second) const {
    const UpdateCursor& a = cursors_[first.cursor];
    const UpdateCursor& b = cursors_[second.cursor];
    return a.client() == b.client() && a.block().clock == b.block().clock &&
           is_item(a.block().kind) != is_item(b.block().kind) &&
           (round_ - std::max(first.came_in, second.came_in)) % 2 == 1;
  }

  Entry pop() {
    std::pop_heap(entries_.begin(), entries_.end(), IsBehind{cursors_});
    const Entry entry = entries_.back();
    entries_.pop_back();
    return entry;
  }

  void push(const Entry& entry) {
    entries_.push_back(entry);
    std::push_heap(entries_.begin(), entries_.end(), IsBehind{cursors_});
  }

  std::vector<UpdateCursor> cursors_;
  std::vector<Entry> entries_;  // a heap, without the one taken
  Entry taken_{};
  std::uint64_t round_ = 0;
};

// Merges the blocks of several updates (Yjs: mergeUpdatesV2). The block to be written next is held
// back, because what follows may extend it.
class Merger {
 public:
  explicit Merger(std::vector<UpdateCursor> cursors) : queue_(std::move(cursors)) {}

  void run() {
    while (UpdateCursor* cursor = queue_.take()) {
      take_from(*cursor);
      queue_.put_back();
    }
    flush();
  }

  Bytes finish(const DeleteSet& deletes) { return writer_.finish(deletes); }

 private:
  void take_from(UpdateCursor& cursor) {
    if (!held_) {
      hold(cursor.client(), cursor.block(), 0);
      cursor.next();
    } else if (!join(cursor)) {
      return;
    }
    write_on(cursor);
  }

  void hold(ClientId client, const BlockView& block, std::uint64_t offset) {
    held_ = true;
    held_client_ = client;
    held_block_ = block;
    held_offset_ = offset;
  }

  void flush() {
    if (held_) writer_.write(held_client_, held_block_, held_offset_);
    held_ = false;
  }

  void replace(ClientId client, const BlockView& block, std::uint64_t offset) {
    flush();
    hold(client, block, offset);
  }

  // Takes the cursor's next block up; false when another cursor has to be looked at first.
  bool join(UpdateCursor& cursor) {
    const ClientId client = cursor.client();
    bool moved = false;
    while (!cursor.at_end() && cursor.block().end() <= held_block_.end() &&
           cursor.client() >= held_client_) {
      cursor.next();
      moved = true;
    }
    if (cursor.at_end() || cursor.client() != client ||
        (moved && cursor.block().clock > held_block_.end())) {
      return false;
    }
    const BlockView& block = cursor.block();
    if (client != held_client_) {
      replace(client, block, 0);
      cursor.next();
    } else if (held_block_.end() < block.clock) {
      join_across_gap(block);
    } else {
      join_adjacent(cursor);
    }
    return true;
  }

  void join_across_gap(const BlockView& block) {
    if (held_block_.kind == Kind::kSkip) {
      held_block_.length = block.end() - held_block_.clock;
      return;
    }
    BlockView skip{};
    skip.kind = Kind::kSkip;
    skip.clock = held_block_.end();
    skip.length = block.clock - skip.clock;
    replace(held_client_, skip, 0);
  }

  void join_adjacent(UpdateCursor& cursor) {
    const BlockView& block = cursor.block();
    std::uint64_t known = held_block_.end() - block.clock;
    if (known > 0 && held_block_.kind == Kind::kSkip) {
      held_block_.length -= known;
      known = 0;
    }
    if (held_block_.kind == Kind::kGc && block.kind == Kind::kGc &&
        held_block_.length + block.length - known <= kMaxBlockLength) {
      held_block_.length += block.length - known;
    } else {
      replace(held_client_, block, known);
    }
    cursor.next();
  }

  // Writes the cursor's blocks while they follow on without a gap.
  void write_on(UpdateCursor& cursor) {
    while (!cursor.at_end() && cursor.client() == held_client_ &&
           cursor.block().clock == held_block_.end() && cursor.block().kind != Kind::kSkip) {
      replace(held_client_, cursor.block(), 0);
      cursor.next();
    }
  }

  CursorQueue queue_;
  SectionWriter writer_;
  bool held_ = false;
  ClientId held_client_ = 0;
  BlockView held_block_{};
  std::uint64_t held_offset_ = 0;
};

}  // namespace

Bytes diff_update(const DecodedUpdate& update, const StateVector& known, const DeleteSet& deletes) {
  SectionWriter writer;
  for (const Section& section : update.sections) {
    const Clock clock = known.clock_of(section.client);
    bool begun = false;
    for (BlockCursor cursor(section); !cursor.at_end(); cursor.next()) {
      const BlockView& block = cursor.block();
      if (begun) {
        writer.write(section.client, block, 0);
      } else if (block.kind != Kind::kSkip && block.end() > clock) {
        writer.write(section.client, block, clock > block.clock ? clock - block.clock : 0);
        begun = true;
      }
    }
  }
  return writer.finish(deletes);
}

}  // namespace internal

Bytes merge_updates(std::span<const ByteView> updates) {
  using internal::DecodedUpdate;
  std::vector<DecodedUpdate> decoded;
  decoded.reserve(updates.size());
  for (const ByteView bytes : updates) decoded.push_back(internal::decode_update(bytes));
  if (updates.size() == 1) return Bytes(updates.front().begin(), updates.front().end());

  std::vector<internal::UpdateCursor> cursors;
  cursors.reserve(decoded.size());
  DeleteSet deletes;
  for (const DecodedUpdate& update : decoded) {
    cursors.emplace_back(update, true);
    for (const internal::Deletion& deletion : update.deletions) {
      deletes.add(deletion.client, deletion.clock, deletion.length);
    }
  }
  deletes.normalize();
  internal::Merger merger(std::move(cursors));
  merger.run();
  return merger.finish(deletes);
}

Bytes diff_update(ByteView update, const StateVector& known) {
  const internal::DecodedUpdate decoded = internal::decode_update(update);
  return internal::diff_update(decoded, known, internal::to_delete_set(decoded));
}

StateVector state_vector_of(ByteView update) {
  const internal::DecodedUpdate decoded = internal::decode_update(update);
  std::vector<std::pair<ClientId, Clock>> entries;
  for (const internal::Section& section : decoded.sections) {
    if (section.clock != 0) continue;
    Clock clock = 0;
    for (internal::BlockCursor cursor(section); !cursor.at_end(); cursor.next()) {
      if (cursor.block().kind == internal::Kind::kSkip) break;
      clock = cursor.block().end();
    }
    if (clock > 0) entries.emplace_back(section.client, clock);
  }
  // Of a client that stands in the update twice the last counts.
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  entries.erase(entries.begin(), std::unique(entries.rbegin(), entries.rend(), same).base());
  return StateVector(std::move(entries));
}

}  // namespace palimpsest::crdt
