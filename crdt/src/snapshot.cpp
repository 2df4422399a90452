#include "crdt/snapshot.hpp"

#include <stdexcept>

#include "core.hpp"
#include "crdt/change_set.hpp"
#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "moment.hpp"

namespace palimpsest::crdt {
namespace {

using internal::BlockView;
using internal::Kind;

std::size_t var_uint_size(std::uint64_t value) {
  std::size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

// Writes the first `units` of a block that was encoded here. What stands before the count of its
// content stays as it is.
void write_prefix(Writer& writer, const BlockView& view, std::uint64_t units) {
  const std::uint64_t count = view.kind == Kind::kString ? view.content.size() : view.length;
  writer.write_bytes(view.raw.first(view.raw.size() - view.content.size() - var_uint_size(count)));
  const internal::ContentCut cut =
      internal::cut_content(view.kind, view.content, static_cast<std::size_t>(view.length),
                            static_cast<std::size_t>(units));
  const std::string_view half = cut.needs_replacement ? internal::kReplacement : std::string_view();
  writer.write_var_uint(view.kind == Kind::kString ? cut.left_bytes + half.size() : units);
  writer.write_bytes(view.content.first(cut.left_bytes));
  writer.write_bytes(half);
}

// One client's blocks below `end`, all from clock 0.
void write_section_until(Writer& writer, const internal::Section& section, Clock end) {
  Writer blocks;
  std::uint64_t count = 0;
  for (internal::BlockCursor cursor(section); !cursor.at_end(); cursor.next()) {
    const BlockView& block = cursor.block();
    if (block.clock >= end) break;
    if (block.end() <= end) {
      blocks.write_bytes(block.raw);
    } else {
      write_prefix(blocks, block, end - block.clock);
    }
    ++count;
  }
  writer.write_var_uint(count);
  writer.write_var_uint(section.client);
  writer.write_var_uint(0);
  writer.write_bytes(blocks.view());
}

}  // namespace

Snapshot Snapshot::decode(ByteView bytes) {
  Reader reader(bytes);
  DeleteSet deletes = DeleteSet::read(reader);
  StateVector state = StateVector::read(reader);
  if (!reader.at_end()) reader.fail("bytes after the end of the snapshot");
  return {std::move(state), std::move(deletes)};
}

Bytes Snapshot::encode() const {
  Writer writer;
  delete_set.write(writer);
  writer.write_bytes(state_vector.encode());
  return std::move(writer).take();
}

Snapshot Doc::snapshot() const { return {core_->state_vector(), core_->delete_set()}; }

std::optional<SnapshotRefusal> Doc::check(const Snapshot& snapshot) const {
  if (internal::is_ahead(*core_, snapshot)) return SnapshotRefusal::kAhead;
  if (internal::has_lost_content(*core_, snapshot)) return SnapshotRefusal::kCollected;
  return std::nullopt;
}

Bytes Doc::encode_at(const Snapshot& snapshot) const {
  if (const auto refusal = check(snapshot)) {
    throw std::invalid_argument(*refusal == SnapshotRefusal::kAhead
                                    ? "the snapshot is ahead of the document"
                                    : "content visible at the snapshot has been collected");
  }
  const Bytes now = core_->encode_since({});
  const internal::DecodedUpdate decoded = internal::decode_update(now);
  Writer writer;
  writer.write_var_uint(snapshot.state_vector.size());
  for (const internal::Section& section : decoded.sections) {
    const Clock end = snapshot.state_vector.clock_of(section.client);
    if (end > 0) write_section_until(writer, section, end);
  }
  snapshot.delete_set.write(writer);
  return std::move(writer).take();
}

Doc Doc::at(const Snapshot& snapshot, Options options) const {
  const Bytes update = encode_at(snapshot);
  Doc doc(options);
  doc.apply(Update::decode(update));
  return doc;
}

ChangeSet Doc::changes_since(const Snapshot& snapshot) const {
  return internal::changes_since(*core_, snapshot);
}

void ChangeSet::add(const Update& update) {
  for (const internal::Section& section : update.decoded().sections) {
    for (internal::BlockCursor cursor(section); !cursor.at_end(); cursor.next()) {
      const BlockView& block = cursor.block();
      if (block.kind != Kind::kSkip) inserted.add(section.client, block.clock, block.length);
    }
  }
  for (const internal::Deletion& deletion : update.decoded().deletions) {
    deleted.add(deletion.client, deletion.clock, deletion.length);
  }
}

void ChangeSet::add(const ChangeSet& changes) {
  const auto add_all = [](DeleteSet& to, const DeleteSet& from) {
    for (const auto& [client, ranges] : from.clients()) {
      for (const DeleteSet::Range& range : ranges) to.add(client, range.clock, range.length);
    }
  };
  add_all(inserted, changes.inserted);
  add_all(deleted, changes.deleted);
}

}  // namespace palimpsest::crdt
