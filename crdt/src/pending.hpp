#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/id.hpp"
#include "crdt/update.hpp"
#include "decoded_update.hpp"

// What waits for something that is missing: blocks whose neighbours have not come, and deletions of
// content that has not.
//
// Anybody can send any number of updates that wait, so each has to be cheap to keep however much
// waits already, and cheap to leave alone when something else arrives.

namespace palimpsest::crdt::internal {

// Ranges of clocks, per client; those that touch or overlap are one.
//
// Cost: O(log n) per range added, amortised.
class ClockRanges {
 public:
  // Answers whether a part of [begin, end) is new.
  bool add(ClientId client, Clock begin, Clock end);
  // Takes out what lies below `clock` and appends it, ascending.
  void take_below(ClientId client, Clock clock, std::vector<Deletion>& taken);

  bool empty() const { return clients_.empty(); }
  // Of ranges.
  std::size_t count() const { return count_; }
  // Descending, as Yjs writes them.
  std::vector<ClientId> clients() const;
  DeleteSet to_delete_set() const;

 private:
  using Ranges = std::map<Clock, Clock>;  // begin → end

  std::map<ClientId, Ranges> clients_;
  std::size_t count_ = 0;
};

// Blocks that could not be integrated, of one update or of several.
struct WaitingBlocks {
  Bytes update;
  std::size_t blocks = 0;
  std::vector<Update::Authored> runs;  // of blocks without a gap between them
  std::map<ClientId, Clock> missing;   // a block waits for the one at this clock of this client
};

// All blocks of a document that wait (Yjs: store.pendingStructs).
//
// Yjs merges what waits with each further update that does. While little waits so does this, and
// then the bytes are those of Yjs. When much does, updates are laid aside, and merged when somebody
// asks for the bytes or as much has come as had been merged before.
//
// Cost: keep() O(log n) per run of blocks and O(log n) per byte, amortised; update() O(bytes log
//       updates) where something was laid aside, else O(1).
class PendingBlocks {
 public:
  explicit PendingBlocks(WaitingBlocks first);

  // Answers whether something of it did not wait already.
  bool keep(WaitingBlocks more);

  // All that waits, as one update.
  const Bytes& update() const;
  // At most a small multiple of what update() would have; exact behind settle().
  std::size_t size_bytes() const { return merged_.size() + laid_aside_bytes_; }
  std::size_t block_count() const { return blocks_; }
  void settle() const { update(); }

  // The clock of `client` that something waits for; nullptr where nothing does.
  const Clock* missing_of(ClientId client) const;
  const std::map<ClientId, Clock>& missing() const { return missing_; }

  std::size_t memory_bytes() const;

 private:
  void merge() const;

  // Merging changes how it is kept and not what it is.
  mutable Bytes merged_;
  mutable std::vector<Bytes> laid_aside_;
  mutable std::size_t laid_aside_bytes_ = 0;
  mutable std::size_t blocks_ = 0;
  ClockRanges ranges_;
  std::map<ClientId, Clock> missing_;
};

}  // namespace palimpsest::crdt::internal
