#include "log/segment.hpp"

#include <algorithm>
#include <vector>

#include "log/first_columns.hpp"
#include "log/number.hpp"
#include "log/time_number.hpp"

namespace palimpsest::storage::log {
namespace {

constexpr std::uint64_t kFirstVersion = 1;
constexpr std::uint64_t kVersion = 2;
constexpr std::uint64_t kLargestSegment = std::uint64_t{256} << 20;
// What is taken from elsewhere: some times what is written here.
constexpr std::uint64_t kMostForeignEntries = std::uint64_t{1} << 17;
constexpr std::uint64_t kLargestForeignSegment = std::uint64_t{64} << 20;
constexpr std::uint64_t kMostForeignMemory = std::uint64_t{256} << 20;
constexpr std::uint64_t kSmallSegment = std::uint64_t{64} << 10;
constexpr crdt::ClientId kNobody = ~crdt::ClientId{0};

struct Header {
  std::uint64_t version;
  std::uint64_t entries;
  std::uint64_t update_bytes;
};

Header read_header(Source& source) {
  Header header{};
  header.version = source.number();
  if (header.version != kVersion && header.version != kFirstVersion) {
    throw Malformed("a segment of an unknown version");
  }
  header.entries = source.number();
  header.update_bytes = source.number();
  if (header.update_bytes > kLargestSegment) throw Malformed("a segment that is too large");
  return header;
}

std::uint64_t unpacked_bytes_of(Source& source, std::uint64_t version) {
  if (version == kFirstVersion) return FirstColumns::unpacked_bytes_of(source);
  StepReader::skip(source);
  return ColumnReader::unpacked_bytes_of(source);
}

// What is behind the header of a segment: columns, and times beside them.
class Body {
 public:
  explicit Body(Source& source) : steps_(source), columns_(source) {}
  ColumnReader& columns() { return columns_; }
  std::uint64_t next_time(Form form, const Shape& shape) {
    return steps_.next(gesture_of(form, shape));
  }

 private:
  StepReader steps_;
  ColumnReader columns_;
};

// The same of the first version.
class FirstBody {
 public:
  explicit FirstBody(Source& source) : columns_(source) {}
  FirstColumns& columns() { return columns_; }
  std::uint64_t next_time(Form form, const Shape&) { return columns_.next_time(form); }

 private:
  FirstColumns columns_;
};

template <class Body>
void read_entries(Source& source, const Header& header, Seq end, Seq first, Seq last,
                  const EntryVisitor& visit) {
  Body body(source);
  if (!source.at_end()) throw Malformed("bytes behind the end of a segment");
  auto& columns = body.columns();
  UpdateColumns updates(OutOfColumns(columns, header.update_bytes));

  std::vector<std::pair<crdt::ClientId, std::uint64_t>> senders;
  EntryView entry;
  Shape shape;
  crdt::Bytes room;
  last = std::min(last, end);
  for (entry.seq = end - header.entries + 1; entry.seq <= last; ++entry.seq) {
    const std::uint64_t sender = columns.number(Numbers::kSender);
    if (sender > senders.size()) throw Malformed("a sender that was not introduced");
    if (sender == senders.size()) {
      crdt::ClientId client = 0;
      updates.client(Numbers::kClient, kNobody, client);
      senders.emplace_back(client, columns.number(Numbers::kConnection));
    }
    entry.author = senders[sender].first;
    entry.connection = senders[sender].second;

    const auto form = updates.update(entry.author, false, shape, entry.update);
    const std::uint64_t at = body.next_time(form, shape);
    entry.at = time_of(at);
    entry.made_at = made_at_of(columns.number(Numbers::kMadeAt), at);

    if (entry.seq < first) continue;
    if (form != Form::kWhole) {
      entry.update = shape.write(room);
    }
    visit(entry);
  }
}

}  // namespace

SegmentWriter::SegmentWriter() : updates_(IntoColumns(columns_)) {}

void SegmentWriter::add(const EntryView& entry) {
  const auto [known, is_new] =
      senders_.try_emplace({entry.author, entry.connection}, senders_.size());
  columns_.number(Numbers::kSender, known->second);
  crdt::ClientId sender = entry.author;
  if (is_new) {
    updates_.client(Numbers::kClient, kNobody, sender);
    columns_.number(Numbers::kConnection, entry.connection);
  }

  const bool is_whole = !Shape::read(entry.update, shape_);
  crdt::ByteView bytes = entry.update;
  const auto form = updates_.update(sender, is_whole, shape_, bytes);

  const std::uint64_t at = number_of(entry.at);
  steps_.add(at, gesture_of(form, shape_));
  columns_.number(Numbers::kMadeAt, number_of(entry.made_at, at));

  ++entries_;
  update_bytes_ += entry.update.size();
  earliest_ = std::min(earliest_, entry.at);
  latest_ = std::max(latest_, entry.at);
}

crdt::Bytes SegmentWriter::finish(int quality) && {
  crdt::Bytes segment;
  put_number(segment, kVersion);
  put_number(segment, entries_);
  put_number(segment, update_bytes_);
  std::move(steps_).write(segment);
  std::move(columns_).write(segment, quality);
  return segment;
}

std::uint64_t update_bytes_of(crdt::ByteView begin) {
  Source source(begin);
  return read_header(source).update_bytes;
}

void check_foreign_segment(crdt::ByteView segment, std::uint64_t entries) {
  Source source(segment);
  const Header header = read_header(source);
  if (header.entries != entries) throw Malformed("a number of entries that cannot be");
  if (entries > kMostForeignEntries || header.update_bytes > kLargestForeignSegment) {
    throw Malformed("a segment that is too large");
  }
  // A number takes up to 10 bytes, and an update some numbers for every few bytes.
  const std::uint64_t plausible = kSmallSegment + 128 * (entries + header.update_bytes);
  if (unpacked_bytes_of(source, header.version) > std::min(plausible, kMostForeignMemory)) {
    throw Malformed("a segment that would take too much memory");
  }
}

Seq read_segment(crdt::ByteView segment, Seq end, Seq first, Seq last, const EntryVisitor& visit) {
  Source source(segment);
  const Header header = read_header(source);
  if (header.entries == 0 || header.entries > end) {
    throw Malformed("a number of entries that cannot be");
  }
  if (header.version == kFirstVersion) {
    read_entries<FirstBody>(source, header, end, first, last, visit);
  } else {
    read_entries<Body>(source, header, end, first, last, visit);
  }
  return end - header.entries + 1;
}

}  // namespace palimpsest::storage::log
