#include "crdt/condense.hpp"

#include <utility>

#include "crdt/writer.hpp"
#include "decoded_update.hpp"
#include "pieces.hpp"

namespace palimpsest::crdt {
namespace internal {
namespace {

// Writes one client's blocks in order, those as one that go on where the last one ended.
class RunWriter {
 public:
  explicit RunWriter(ClientId client) : client_(client) {}

  void put(const BlockView& block) {
    if (is_holding_ && goes_on(block)) return extend(block);
    flush();
    held_ = block;
    is_holding_ = true;
  }

  void flush() {
    if (!is_holding_) return;
    if (is_joined_) held_.content = text_;
    if (held_.raw.empty()) {
      write_fields(blocks_, held_);
    } else {
      write_block(blocks_, held_, client_, 0);
    }
    ++count_;
    is_holding_ = is_joined_ = false;
  }

  std::uint64_t count() const { return count_; }
  ByteView view() const { return blocks_.view(); }

 private:
  // Of a map entry the value is its last unit: what has a key is not joined.
  bool goes_on(const BlockView& block) const {
    if (block.kind != held_.kind || block.clock != held_.end() || held_.has_key ||
        held_.length + block.length > kMaxBlockLength) {
      return false;
    }
    if (block.kind == Kind::kGc) return true;
    if (block.kind != Kind::kString && block.kind != Kind::kDeleted) return false;
    return block.has_origin && block.origin == Id{client_, held_.end() - 1} &&
           block.has_right_origin == held_.has_right_origin &&
           (!block.has_right_origin || block.right_origin == held_.right_origin);
  }

  void extend(const BlockView& block) {
    if (!is_joined_) text_.assign(held_.content.begin(), held_.content.end());
    is_joined_ = true;
    text_.insert(text_.end(), block.content.begin(), block.content.end());
    held_.length += block.length;
    held_.raw = {};
  }

  const ClientId client_;
  Writer blocks_;
  std::uint64_t count_ = 0;
  BlockView held_{};
  bool is_holding_ = false;
  bool is_joined_ = false;
  Bytes text_;  // the content of what was joined
};

// What of `gone` is not to be deleted, since the block comes without it.
void note_taken(const BlockView& part, ClientId client, DeleteSet& taken) {
  if (part.kind == Kind::kDeleted || part.kind == Kind::kGc)
    taken.add(client, part.clock, part.length);
}

}  // namespace
}  // namespace internal

Bytes condense(ByteView bytes, const DeleteSet& gone, const DeleteSet& deletions) {
  const internal::DecodedUpdate update = internal::decode_update(bytes);
  static const DeleteSet::Ranges kNothing;
  DeleteSet taken;
  Writer writer;
  writer.write_var_uint(update.sections.size());
  for (const internal::Section& section : update.sections) {
    const auto entry = gone.clients().find(section.client);
    const DeleteSet::Ranges& ranges = entry == gone.clients().end() ? kNothing : entry->second;
    internal::RunWriter runs(section.client);
    for (internal::BlockCursor cursor(section); !cursor.at_end(); cursor.next()) {
      const internal::BlockView& block = cursor.block();
      const auto pieces = internal::pieces_of(block, ranges, internal::Pairs::kLeave);
      const auto put = [&](const internal::BlockView& part) {
        internal::note_taken(part, section.client, taken);
        runs.put(part);
      };
      if (pieces.empty()) {
        put(block);
      } else {
        internal::for_each_part(block, section.client, pieces, put);
      }
    }
    runs.flush();
    writer.write_var_uint(runs.count());
    writer.write_var_uint(section.client);
    writer.write_var_uint(section.clock);
    writer.write_bytes(runs.view());
  }
  taken.normalize();
  DeleteSet deleted = gone.without(taken);
  for (const auto& [client, ranges] : deletions.clients())
    for (const DeleteSet::Range& range : ranges) deleted.append(client, range.clock, range.length);
  deleted.normalize();
  deleted.write(writer);
  return std::move(writer).take();
}

}  // namespace palimpsest::crdt
