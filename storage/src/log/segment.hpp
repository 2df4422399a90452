#pragma once

#include <cstddef>
#include <map>
#include <utility>

#include "crdt/bytes.hpp"
#include "log/columns.hpp"
#include "log/steps.hpp"
#include "log/update_columns.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::log {

// Makes a segment: a stretch of a document's log in columns, from which every entry can be had back
// to the byte.
//
// No more than 256 MiB of updates are read from one; who writes stays far below.
//
// segment := number(2) number(entries) number(bytes of all updates) steps columns
//          | number(1) number(entries) number(bytes of all updates) columns, as they were first:
//            read, and no longer written (first_columns.hpp)
//
// Cost: add() some 0.3 µs for a keystroke; finish() is the compression.
class SegmentWriter {
 public:
  SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  // The next entry; its seq is one more than the last.
  void add(const EntryView& entry);

  std::size_t entries() const { return entries_; }
  std::size_t update_bytes() const { return update_bytes_; }
  Time earliest() const { return earliest_; }
  Time latest() const { return latest_; }

  // `quality`: of brotli, up to 11.
  crdt::Bytes finish(int quality) &&;

 private:
  using Sender = std::pair<crdt::ClientId, std::uint64_t>;  // and its connection

  std::size_t entries_ = 0;
  std::size_t update_bytes_ = 0;
  Time earliest_ = Time::max();
  Time latest_ = Time::min();
  std::map<Sender, std::uint64_t> senders_;
  Shape shape_;
  StepWriter steps_;
  ColumnWriter columns_;
  UpdateColumns<IntoColumns> updates_;
};

// How many bytes of updates a segment holds that begins with these bytes. Throws Malformed.
std::uint64_t update_bytes_of(crdt::ByteView begin);

// Throws Malformed for a segment of another number of entries, and for one that is larger than any
// of ours, or would take more memory than that to read: before anything of it is unpacked. For
// bytes that nobody has checked yet.
void check_foreign_segment(crdt::ByteView segment, std::uint64_t entries);

// Shows the entries from `first` to `last`, as far as they are in a segment whose last one is
// `end`. Answers the first that it has. Throws Malformed.
Seq read_segment(crdt::ByteView segment, Seq end, Seq first, Seq last, const EntryVisitor& visit);

}  // namespace palimpsest::storage::log
