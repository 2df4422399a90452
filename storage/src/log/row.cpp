#include "log/row.hpp"

#include <algorithm>

#include "log/number.hpp"
#include "log/time_number.hpp"

namespace palimpsest::storage::log {

void RowWriter::add(const Append& append) {
  add({append.seq, append.at, append.made_at, append.author.client, append.connection,
       *append.update});
}

void RowWriter::add(const EntryView& entry) {
  const std::uint64_t at = number_of(entry.at);
  put_number(row_, difference(last_at_, at));
  put_number(row_, number_of(entry.made_at, at));
  put_number(row_, entry.author);
  put_number(row_, entry.connection);
  put_number(row_, entry.update.size());
  put_bytes(row_, entry.update);
  last_at_ = at;
  ++entries_;
}

crdt::ByteView RowWriter::finish() {
  crdt::Bytes count;
  put_number(count, entries_);
  const std::size_t begin = kRoomForCount - count.size();
  std::ranges::copy(count, row_.begin() + static_cast<std::ptrdiff_t>(begin));
  return crdt::ByteView(row_).subspan(begin);
}

void RowWriter::clear() {
  entries_ = 0;
  last_at_ = 0;
  row_.resize(kRoomForCount);
}

Seq read_row(crdt::ByteView row, Seq end, Seq first, Seq last, const EntryVisitor& visit) {
  Source source(row);
  const std::uint64_t entries = source.number();
  if (entries == 0 || entries > end) throw Malformed("a number of entries that cannot be");
  const Seq begin = end - entries + 1;
  EntryView entry;
  std::uint64_t at = 0;
  for (entry.seq = begin; entry.seq <= end; ++entry.seq) {
    at = advance(at, source.number());
    entry.at = time_of(at);
    entry.made_at = made_at_of(source.number(), at);
    entry.author = source.number();
    entry.connection = source.number();
    const std::uint64_t size = source.number();
    entry.update = source.bytes(size);
    if (entry.seq >= first && entry.seq <= last) visit(entry);
  }
  if (!source.at_end()) throw Malformed("bytes behind the end of a row");
  return begin;
}

}  // namespace palimpsest::storage::log
