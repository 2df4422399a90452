#include "log/row.hpp"

#include <algorithm>

#include "log/number.hpp"
#include "log/time_number.hpp"

namespace palimpsest::storage::log {

void RowWriter::add(const Append& append) {
  const std::uint64_t at = number_of(append.at);
  put_number(row_, difference(last_at_, at));
  put_number(row_, number_of(append.made_at, at));
  put_number(row_, append.author.client);
  put_number(row_, append.connection);
  put_number(row_, append.update->size());
  put_bytes(row_, *append.update);
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
