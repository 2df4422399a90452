#include "sqlite/pack_log.hpp"

#include <memory>

#include "log/row.hpp"
#include "log/time_number.hpp"
#include "sqlite/checksum.hpp"
#include "sqlite/position.hpp"
#include "sqlite/statement.hpp"

namespace palimpsest::storage::sqlite {
namespace {

// Of one row: as a busy commit would have made them.
constexpr std::size_t kRowEntries = 256;
constexpr std::size_t kRowBytes = std::size_t{64} << 10;

// Collects entries and writes them as rows.
class Packing {
 public:
  explicit Packing(Connection& connection)
      : insert_(connection,
                "INSERT INTO log (position, generation, checksum, entries) "
                "VALUES (?1, ?2, ?3, ?4)") {}

  struct Entry {
    DocumentId document = 0;
    std::uint64_t generation = 0;
    Append append;  // without names
    bool is_damaged = false;
  };

  void add(const Entry& entry) {
    const bool goes_on = entry.document == document_ && entry.generation == generation_ &&
                         entry.append.seq == last_seq_ + 1 && !entry.is_damaged && !is_damaged_ &&
                         entries_ < kRowEntries && bytes_ < kRowBytes;
    if (!goes_on) end_row();
    document_ = entry.document;
    generation_ = entry.generation;
    last_seq_ = entry.append.seq;
    is_damaged_ = entry.is_damaged;
    row_.add(entry.append);
    ++entries_;
    bytes_ += entry.append.update->size();
  }

  void end_row() {
    if (entries_ == 0) return;
    const Place place{Place::Kind::kLogRow, document_, generation_, last_seq_};
    const crdt::ByteView entries = row_.finish();
    const std::uint64_t sum = checksum(place, entries);
    insert_.execute(position(document_, last_seq_), generation_, is_damaged_ ? ~sum : sum, entries);
    row_.clear();
    entries_ = bytes_ = 0;
  }

 private:
  Statement insert_;
  log::RowWriter row_;
  DocumentId document_ = 0;
  std::uint64_t generation_ = 0;
  Seq last_seq_ = 0;
  bool is_damaged_ = false;
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;
};

// A row of log_1 with its author, whom it may have lost.
Packing::Entry read_entry(const Execution& row) {
  Packing::Entry entry;
  entry.document = row.integer(0) >> 32;
  entry.generation = row.unsigned_integer(1);
  entry.append.seq = row.unsigned_integer(0) & kMaxSeq;
  entry.append.at = log::time_of(row.unsigned_integer(2));
  if (const auto made_at = row.optional_integer(3)) {
    entry.append.made_at = log::time_of(static_cast<std::uint64_t>(*made_at));
  }
  entry.append.connection = row.unsigned_integer(4);
  const crdt::ByteView update = row.blob(6);
  entry.append.update = std::make_shared<const crdt::Bytes>(update.begin(), update.end());
  const std::optional<std::int64_t> client = row.optional_integer(7);
  entry.append.author.client = static_cast<crdt::ClientId>(client.value_or(0));
  const Place place{Place::Kind::kLogEntry, entry.document, entry.generation, entry.append.seq};
  entry.is_damaged = !client || row.unsigned_integer(5) != checksum(place, update);
  return entry;
}

}  // namespace

void pack_log_of_version_1(Connection& connection) {
  {
    Packing packing(connection);
    Statement select(connection,
                     "SELECT position, generation, at_ms, made_at_ms, connection, checksum, bytes, "
                     "client_id FROM log_1 LEFT JOIN authors ON authors.id = author_id "
                     "ORDER BY position");
    Execution row = select.run();
    while (row.next()) packing.add(read_entry(row));
    packing.end_row();
  }
  connection.execute("DROP TABLE log_1");
}

}  // namespace palimpsest::storage::sqlite
