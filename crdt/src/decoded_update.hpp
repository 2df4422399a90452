#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

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
  Clock end = 0;  // after the last block that is no Skip
  bool brings_types = false;
  ByteView bytes;
};

struct DecodedUpdate {
  std::vector<Section> sections;  // in the order of the update
  DeleteSet deletes;
  std::size_t size_bytes = 0;
  std::size_t blocks = 0;
};

// Walks the blocks of a section, first to last. Blocks of length 0 are passed over: they are
// nothing to refer to.
class BlockCursor {
 public:
  BlockCursor() : reader_(ByteView{}) {}
  explicit BlockCursor(const Section& section)
      : reader_(section.bytes), remaining_(section.blocks), next_clock_(section.clock) {}

  // nullopt behind the last block.
  std::optional<BlockView> next();
  // What next() has not yet given, as a section of `client` that starts at `first`.
  Section rest(ClientId client, const BlockView& first) const;

 private:
  Reader reader_;
  std::uint64_t remaining_ = 0;
  Clock next_clock_ = 0;
};

// Throws DecodeError.
DecodedUpdate decode_update(ByteView bytes);

// The same changes as one update, as Yjs' mergeUpdates() writes it: clients in descending order,
// each block once, Skip for what is missing between two of them. At least two updates.
Bytes merge_updates(std::span<const ByteView> updates);

// The blocks that a replica at `known` lacks, and all deletions (Yjs: diffUpdate()).
Bytes diff_update(ByteView update, const StateVector& known);
Bytes diff_update(const DecodedUpdate& update, const StateVector& known, const DeleteSet& deletes);

}  // namespace palimpsest::crdt::internal
