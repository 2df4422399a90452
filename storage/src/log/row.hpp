#pragma once

#include "crdt/bytes.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::log {

// The entries of one document and one commit, as they lie in a row of the live log.
//
// row   := number(entries) entry*
// entry := number(time, difference to the one before) number(made at: 0, or 1 + difference to the
//          time) number(author) number(connection) number(bytes) byte*
//
// Cost: writing is copying.
class RowWriter {
 public:
  void add(const Append& append);
  // The same of one that is in a log already.
  void add(const EntryView& entry);
  // The row, valid until clear().
  crdt::ByteView finish();
  void clear();

 private:
  static constexpr std::size_t kRoomForCount = 10;

  std::uint64_t entries_ = 0;
  std::uint64_t last_at_ = 0;
  crdt::Bytes row_ = crdt::Bytes(kRoomForCount);  // the count goes right before the entries
};

// Shows the entries from `first` to `last`, as far as they are in a row whose last one is `end`.
// Answers the first that it has. Throws Malformed.
Seq read_row(crdt::ByteView row, Seq end, Seq first, Seq last, const EntryVisitor& visit);

}  // namespace palimpsest::storage::log
