#include "crdt/update.hpp"

#include <algorithm>

#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "decoded_update.hpp"
#include "read_deletions.hpp"
#include "v2_reader.hpp"

namespace palimpsest::crdt {
namespace internal {
namespace {

// Reads one client's blocks; `block` is the last of them afterwards.
void read_section(Reader& reader, Section& section, BlockView& block, bool& brings_types) {
  // The shortest block takes two bytes.
  section.blocks = reader.read_count(2, "more blocks than the bytes can hold");
  section.client = reader.read_var_uint();
  section.clock = reader.read_var_uint();
  const std::uint8_t* const begin = reader.data();
  Clock clock = section.clock;
  section.end = clock;
  for (std::uint64_t i = 0; i < section.blocks; ++i) {
    const std::size_t start = reader.position();
    read_block(reader, clock, block);
    const auto is_own_future = [&](Id id) {
      return id.client == section.client && id.clock >= clock;
    };
    if ((block.has_origin && is_own_future(block.origin)) ||
        (block.has_right_origin && is_own_future(block.right_origin)) ||
        (block.has_parent_id && is_own_future(block.parent_id))) {
      reader.fail_at(start, "a block that refers to itself or to a later one of its client");
    }
    clock = block.end();
    if (block.kind != Kind::kSkip) section.end = clock;
    if (block.kind == Kind::kType) brings_types = true;
    if ((block.has_origin && block.origin.client != section.client) ||
        (block.has_right_origin && block.right_origin.client != section.client) ||
        (block.has_parent_id && block.parent_id.client != section.client) ||
        block.kind == Kind::kSkip) {
      section.refers_elsewhere = true;
    }
    section.content_bytes += block.content.size();
  }
  section.bytes = {begin, reader.data()};
}

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

// Merges the blocks of several updates (Yjs: mergeUpdatesV2). The block to be written next is held
// back, because what follows may extend it.
class Merger {
 public:
  explicit Merger(std::vector<UpdateCursor> cursors) : cursors_(std::move(cursors)) {
    for (UpdateCursor& cursor : cursors_) order_.push_back(&cursor);
  }
  Merger(const Merger&) = delete;
  Merger& operator=(const Merger&) = delete;

  void run() {
    while (UpdateCursor* cursor = first_cursor()) {
      if (!held_) {
        hold(cursor->client(), cursor->block(), 0);
        cursor->next();
      } else if (!join(*cursor)) {
        continue;
      }
      write_on(*cursor);
    }
    flush();
  }

  Bytes finish(const DeleteSet& deletes) { return writer_.finish(deletes); }

 private:
  // The highest client first, of one client the lowest clock. Where two stand at the same block the
  // one that was in front stays there, so that the order is carried from round to round as in Yjs;
  // and of a block and its collected form the one that was behind comes to the front, since Yjs'
  // comparison puts each before the other.
  UpdateCursor* first_cursor() {
    std::erase_if(order_, [](const UpdateCursor* cursor) { return cursor->at_end(); });
    for (std::size_t i = 1; i < order_.size(); ++i) {
      for (std::size_t j = i; j > 0 && precedes(*order_[j], *order_[j - 1]); --j) {
        std::swap(order_[j], order_[j - 1]);
      }
    }
    return order_.empty() ? nullptr : order_.front();
  }

  static bool precedes(const UpdateCursor& a, const UpdateCursor& b) {
    if (a.client() != b.client()) return a.client() > b.client();
    if (a.block().clock != b.block().clock) return a.block().clock < b.block().clock;
    return is_item(a.block().kind) != is_item(b.block().kind);
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

  std::vector<UpdateCursor> cursors_;
  std::vector<UpdateCursor*> order_;  // those not at their end, as they were last sorted
  SectionWriter writer_;
  bool held_ = false;
  ClientId held_client_ = 0;
  BlockView held_block_{};
  std::uint64_t held_offset_ = 0;
};

}  // namespace

void BlockCursor::next() {
  Clock clock = block_.end();
  while (remaining_ > 0) {
    --remaining_;
    reread_block(reader_, clock, block_);
    clock = block_.end();
    if (block_.length > 0) return;
  }
  finish();
}

void BlockCursor::finish() {
  remaining_ = 0;
  block_.length = 0;
}

Section BlockCursor::rest(ClientId client) const {
  Section section;
  section.client = client;
  section.clock = block_.clock;
  section.blocks = remaining_ + 1;
  section.bytes = {block_.raw.data(), reader_.data() + reader_.remaining()};
  return section;
}

void decode_update(ByteView bytes, DecodedUpdate& update) {
  Reader reader(bytes);
  update.size_bytes = bytes.size();
  // A client without blocks takes three bytes.
  const std::uint64_t count = reader.read_count(3, "more clients than the bytes can hold");
  update.sections.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    Section& section = update.sections.emplace_back();
    read_section(reader, section, update.only_block, update.brings_types);
    update.blocks += static_cast<std::size_t>(section.blocks);
  }
  read_deletions(reader, [&](ClientId client, Clock clock, std::uint64_t length) {
    update.deletions.push_back({client, clock, length});
  });
  if (!reader.at_end()) reader.fail("bytes after the end of the update");
}

DecodedUpdate decode_update(ByteView bytes) {
  DecodedUpdate update;
  decode_update(bytes, update);
  return update;
}

DeleteSet to_delete_set(const DecodedUpdate& update) {
  DeleteSet deletes;
  for (const Deletion& deletion : update.deletions) {
    deletes.append(deletion.client, deletion.clock, deletion.length);
  }
  return deletes;
}

Bytes merge_updates(std::span<const ByteView> updates) {
  std::vector<DecodedUpdate> decoded;
  decoded.reserve(updates.size());
  for (const ByteView bytes : updates) decoded.push_back(decode_update(bytes));

  std::vector<UpdateCursor> cursors;
  cursors.reserve(decoded.size());
  DeleteSet deletes;
  for (const DecodedUpdate& update : decoded) {
    cursors.emplace_back(update, true);
    for (const Deletion& deletion : update.deletions) {
      deletes.add(deletion.client, deletion.clock, deletion.length);
    }
  }
  deletes.normalize();
  Merger merger(std::move(cursors));
  merger.run();
  return merger.finish(deletes);
}

Bytes diff_update(ByteView update, const StateVector& known) {
  const DecodedUpdate decoded = decode_update(update);
  return diff_update(decoded, known, to_delete_set(decoded));
}

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

Update::Update() {
  static_assert(sizeof(internal::DecodedUpdate) <= sizeof(state_));
  static_assert(alignof(internal::DecodedUpdate) <= kStateAlignment);
  std::construct_at(&decoded());
}

Update::Update(Update&& other) noexcept : own_bytes_(std::move(other.own_bytes_)) {
  std::construct_at(&decoded(), std::move(other.decoded()));
}

Update& Update::operator=(Update&& other) noexcept {
  decoded() = std::move(other.decoded());
  own_bytes_ = std::move(other.own_bytes_);
  return *this;
}

Update::~Update() { std::destroy_at(&decoded()); }

Update Update::decode(ByteView bytes) {
  Update update;
  internal::decode_update(bytes, update.decoded());
  return update;
}

Update Update::decode_v2(ByteView bytes, const V2Limits& limits) {
  Update update;
  update.own_bytes_ = internal::decode_update_v2(bytes, limits, update.decoded());
  return update;
}

bool Update::empty() const {
  return decoded().deletions.empty() &&
         std::all_of(decoded().sections.begin(), decoded().sections.end(),
                     [](const auto& section) { return section.end == section.clock; });
}

std::size_t Update::size_bytes() const { return decoded().size_bytes; }
std::size_t Update::block_count() const { return decoded().blocks; }

std::vector<Update::Authored> Update::authored() const {
  std::vector<Authored> result;
  for (const internal::Section& section : decoded().sections) {
    if (section.end > section.clock) result.push_back({section.client, section.clock, section.end});
  }
  return result;
}

std::vector<ClientId> Update::deletes_from() const {
  std::vector<ClientId> result;
  for (const internal::Deletion& deletion : decoded().deletions) result.push_back(deletion.client);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

}  // namespace palimpsest::crdt
