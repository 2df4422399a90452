#pragma once

#include <cstddef>
#include <new>
#include <optional>
#include <span>

#include <boost/container/small_vector.hpp>

#include "block.hpp"
#include "crdt/bytes.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/id.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/update.hpp"

namespace palimpsest::crdt::internal {

// One client's blocks in an update. They are not kept decoded: a cursor reads them again.
struct Section {
  ClientId client = 0;
  Clock clock = 0;  // of the first block
  std::uint64_t blocks = 0;
  Clock end = 0;                  // after the last block that is no Skip
  bool refers_elsewhere = false;  // to another client's content, or has gaps
  std::size_t content_bytes = 0;
  ByteView bytes;
};

// Refuses a block of `client`, read from `start` on, that refers to itself or to a later one.
inline void check_reference_order(const Reader& reader, std::size_t start, ClientId client,
                                  const BlockView& block) {
  const auto is_own_future = [&](Id id) { return id.client == client && id.clock >= block.clock; };
  if ((block.has_origin && is_own_future(block.origin)) ||
      (block.has_right_origin && is_own_future(block.right_origin)) ||
      (block.has_parent_id && is_own_future(block.parent_id))) {
    reader.fail_at(start, "a block that refers to itself or to a later one of its client");
  }
}

// Notes what the section has to say of its next block.
inline void note_block(Section& section, const BlockView& block, bool& brings_types) {
  if (block.kind != Kind::kSkip) section.end = block.end();
  if (block.kind == Kind::kType) brings_types = true;
  if ((block.has_origin && block.origin.client != section.client) ||
      (block.has_right_origin && block.right_origin.client != section.client) ||
      (block.has_parent_id && block.parent_id.client != section.client) ||
      block.kind == Kind::kSkip) {
    section.refers_elsewhere = true;
  }
  section.content_bytes += block.content.size();
}

struct Deletion {
  ClientId client = 0;
  Clock clock = 0;
  std::uint64_t length = 0;

  Clock end() const { return clock + length; }
};

// Most updates are one keystroke: one block or one deletion, for which nothing is allocated.
struct DecodedUpdate {
  DecodedUpdate() {}  // leaves `only_block` as it is

  boost::container::small_vector<Section, 1> sections;    // in the order of the update
  boost::container::small_vector<Deletion, 1> deletions;  // likewise; none is empty
  std::size_t size_bytes = 0;
  std::size_t blocks = 0;
  bool brings_types = false;
  BlockView only_block;  // where `blocks` is 1, else not set
};

// Deletions that overlap would have the same blocks visited again and again: a few bytes each, a
// whole document each time. No replica writes such, so their order may be another afterwards.
void join_overlapping(boost::container::small_vector<Deletion, 1>& deletions);

DeleteSet to_delete_set(const DecodedUpdate& update);

// Walks the blocks of a section, first to last.
class BlockCursor {
 public:
  BlockCursor() : reader_(ByteView{}) {}
  explicit BlockCursor(const Section& section)
      : reader_(section.bytes), remaining_(section.blocks) {
    block_.clock = section.clock;
    next();
  }

  // Of a section of one block, which is decoded already.
  explicit BlockCursor(const BlockView& only) : reader_(only.raw.last(0)), block_(only) {}

  bool at_end() const { return block_.length == 0; }
  // Where it is not at its end.
  const BlockView& block() const { return block_; }
  void next();
  void finish();
  // The block and those behind it, as a section of `client`.
  Section rest(ClientId client) const;

 private:
  Reader reader_;
  std::uint64_t remaining_ = 0;  // behind the block
  BlockView block_{};
};

// Throws DecodeError; `update` is new.
void decode_update(ByteView bytes, DecodedUpdate& update);
DecodedUpdate decode_update(ByteView bytes);

// The blocks that a replica at `known` lacks, and these deletions.
Bytes diff_update(const DecodedUpdate& update, const StateVector& known, const DeleteSet& deletes);

}  // namespace palimpsest::crdt::internal

namespace palimpsest::crdt {

inline internal::DecodedUpdate& Update::decoded() {
  return *std::launder(reinterpret_cast<internal::DecodedUpdate*>(state_));
}

inline const internal::DecodedUpdate& Update::decoded() const {
  return *std::launder(reinterpret_cast<const internal::DecodedUpdate*>(state_));
}

}  // namespace palimpsest::crdt
