#include "log/segment.hpp"

#include <algorithm>
#include <vector>

#include "log/number.hpp"
#include "log/time_number.hpp"

namespace palimpsest::storage::log {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kLargestSegment = std::uint64_t{256} << 20;
// What is taken from elsewhere: some times what is written here.
constexpr std::uint64_t kMostForeignEntries = std::uint64_t{1} << 17;
constexpr std::uint64_t kLargestForeignSegment = std::uint64_t{64} << 20;
constexpr std::uint64_t kMostForeignMemory = std::uint64_t{256} << 20;
constexpr std::uint64_t kSmallSegment = std::uint64_t{64} << 10;
constexpr crdt::ClientId kNobody = ~crdt::ClientId{0};

// The time since the entry before. Up to some bound it stands in one byte; the bytes of a person's
// typing are distributed in a way that Huffman codes gain from. Above, the byte says how long it
// was about, and another one, close to random, stands elsewhere.
constexpr std::uint64_t kShortSteps = 192;
constexpr std::uint64_t kFarStep = 255;
constexpr std::uint64_t kFineSteps = 256;

void put_step(ColumnWriter& columns, Content column, std::uint64_t from, std::uint64_t to) {
  const std::uint64_t step = to - from;
  const auto put = [&](Content where, std::uint64_t value) {
    const auto byte = static_cast<std::uint8_t>(value);
    columns.content(where, {&byte, 1});
  };
  if (step < kShortSteps) return put(column, step);
  const std::uint64_t coarse = kShortSteps + (step - kShortSteps) / kFineSteps;
  if (coarse < kFarStep) {
    put(column, coarse);
    return put(Content::kFineAt, (step - kShortSteps) % kFineSteps);
  }
  put(column, kFarStep);
  columns.number(Numbers::kFarAt, difference(from, to));
}

std::uint64_t take_step(ColumnReader& columns, Content column, std::uint64_t from) {
  const std::uint64_t coarse = columns.content(column, 1)[0];
  if (coarse < kShortSteps) return from + coarse;
  if (coarse == kFarStep) return advance(from, columns.number(Numbers::kFarAt));
  const std::uint64_t fine = columns.content(Content::kFineAt, 1)[0];
  return from + kShortSteps + (coarse - kShortSteps) * kFineSteps + fine;
}

// Who types on does so at a pace.
Content step_column(Form form) {
  return form <= Form::kErasedForward ? Content::kTypedAt : Content::kAt;
}

struct Header {
  std::uint64_t entries;
  std::uint64_t update_bytes;
};

Header read_header(Source& source) {
  if (source.number() != kVersion) throw Malformed("a segment of an unknown version");
  const std::uint64_t entries = source.number();
  const Header header{entries, source.number()};
  if (header.update_bytes > kLargestSegment) throw Malformed("a segment that is too large");
  return header;
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
  put_step(columns_, step_column(form), last_at_, at);
  last_at_ = at;
  columns_.number(Numbers::kMadeAt, number_of(entry.made_at, at));

  ++entries_;
  update_bytes_ += entry.update.size();
  earliest_ = std::min(earliest_, entry.at);
  latest_ = std::max(latest_, entry.at);
}

crdt::Bytes SegmentWriter::finish(int level) && {
  crdt::Bytes segment;
  put_number(segment, kVersion);
  put_number(segment, entries_);
  put_number(segment, update_bytes_);
  std::move(columns_).write(segment, level);
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
  if (unpacked_bytes_of(source) > std::min(plausible, kMostForeignMemory)) {
    throw Malformed("a segment that would take too much memory");
  }
}

Seq read_segment(crdt::ByteView segment, Seq end, Seq first, Seq last, const EntryVisitor& visit) {
  Source source(segment);
  const Header header = read_header(source);
  if (header.entries == 0 || header.entries > end) {
    throw Malformed("a number of entries that cannot be");
  }
  const Seq begin = end - header.entries + 1;
  ColumnReader columns(source);
  if (!source.at_end()) throw Malformed("bytes behind the end of a segment");
  UpdateColumns<OutOfColumns> updates(OutOfColumns(columns, header.update_bytes));

  std::vector<std::pair<crdt::ClientId, std::uint64_t>> senders;
  EntryView entry;
  std::uint64_t at = 0;
  Shape shape;
  crdt::Bytes bytes;
  last = std::min(last, end);
  for (entry.seq = begin; entry.seq <= last; ++entry.seq) {
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
    at = take_step(columns, step_column(form), at);
    entry.at = time_of(at);
    entry.made_at = made_at_of(columns.number(Numbers::kMadeAt), at);

    if (entry.seq < first) continue;
    if (form != Form::kWhole) {
      bytes.clear();
      shape.write(bytes);
      entry.update = bytes;
    }
    visit(entry);
  }
  return begin;
}

}  // namespace palimpsest::storage::log
