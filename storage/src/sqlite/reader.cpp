#include "sqlite/reader.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "log/number.hpp"
#include "log/row.hpp"
#include "log/segment.hpp"
#include "sqlite/checksum.hpp"
#include "sqlite/limits.hpp"
#include "sqlite/position.hpp"
#include "sqlite/schema.hpp"
#include "sqlite/transaction.hpp"

namespace palimpsest::storage::sqlite {
namespace {

Time time_from(std::int64_t milliseconds) { return Time(std::chrono::milliseconds(milliseconds)); }

crdt::Bytes to_bytes(crdt::ByteView view) { return {view.begin(), view.end()}; }

// SQLite counts with signs; to it, -1 is no limit.
std::int64_t row_count(std::size_t count) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(count, kMost));
}

std::string missing_entry(Seq seq) {
  return "entry " + std::to_string(seq) + " of the log is missing";
}

Connection open_own(const std::filesystem::path& file) {
  Connection connection(file, Role::kReader);
  check_version(connection, migrations());
  connection.configure();
  return connection;
}

}  // namespace

SqliteReader::SqliteReader(const std::filesystem::path& file)
    : connection_(open_own(file)),
      find_(connection_,
            "SELECT id, name, generation, last_seq, deleted_at_ms FROM documents WHERE name = ?1"),
      checkpoint_(connection_,
                  "SELECT seq, generation, checksum, state FROM checkpoints "
                  "WHERE document_id = ?1"),
      segments_(connection_,
                "SELECT last_seq, generation, checksum, entries, first_seq, earliest_ms, latest_ms "
                "FROM segments WHERE position BETWEEN ?1 AND ?2 ORDER BY position"),
      rows_(connection_,
            "SELECT last_seq, generation, checksum, entries "
            "FROM log WHERE position BETWEEN ?1 AND ?2 ORDER BY position"),
      list_(connection_,
            "SELECT " + std::string(kSummaryColumns) +
                " FROM documents ORDER BY edited_at_ms DESC, id DESC LIMIT ?1 OFFSET ?2"),
      authors_(connection_,
               "SELECT client_id, authors.name FROM documents, "
               // A summary without authors is better than no list at all.
               "json_each(iif(json_valid(recent_authors), recent_authors, '[]')) AS recent "
               "JOIN authors ON authors.id = recent.value "
               "WHERE documents.id = ?1 ORDER BY recent.key"),
      names_(connection_, "SELECT client_id, name FROM authors WHERE document_id = ?1 ORDER BY id"),
      tags_(connection_, "SELECT tag FROM tags WHERE document_id = ?1 ORDER BY tag"),
      star_(connection_, "SELECT 1 FROM stars WHERE document_id = ?1 AND user = ?2"),
      size_(connection_,
            "SELECT coalesce(covered.bytes, 0) + (SELECT coalesce(sum(length(entries)), 0) "
            "FROM log WHERE position > (?1 << 32 | coalesce(covered.seq, 0)) AND position <= ?2) "
            "FROM (SELECT 1) LEFT JOIN (SELECT seq, length(state) AS bytes FROM checkpoints "
            "WHERE document_id = ?1) AS covered"),
      activity_(connection_, "SELECT activity FROM indexed WHERE document_id = ?1"),
      name_(connection_, "SELECT name FROM authors WHERE document_id = ?1 AND client_id = ?2"),
      versions_(connection_,
                "SELECT name, seq, named_at_ms, named_by FROM versions "
                "WHERE document_id = ?1 ORDER BY seq, name"),
      generations_(connection_) {}

std::optional<StoredDocument> SqliteReader::load(std::string_view name) {
  connection_.describe("load of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  StoredDocument stored;
  stored.lost = generations_.lost(name);
  if (!document) {
    stored.generation = generations_.next(name);
    if (stored.generation == 1) return std::nullopt;
    return stored;
  }
  stored.generation = document->generation;
  stored.last_seq = document->last_seq;
  stored.is_in_bin = document->is_in_bin;
  read_checkpoint(*document, stored);
  stored.tail = read_log(*document, stored.checkpoint_seq + 1, kMaxSeq);
  if (stored.checkpoint_seq + stored.tail.size() != stored.last_seq) {
    fail_corrupt(*document, "the log does not end with entry " + std::to_string(stored.last_seq));
  }
  return stored;
}

std::vector<LogEntry> SqliteReader::log(std::string_view name, Seq first, std::size_t limit) {
  connection_.describe("log of \"" + std::string(name) + "\"");
  if (limit == 0) return {};
  first = std::max<Seq>(first, 1);
  const Seq last = first + std::min<std::size_t>(limit, kMaxSeq) - 1;
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return {};
  return read_log(*document, first, last);
}

void SqliteReader::visit(std::string_view name, Seq first, Seq last, const EntryVisitor& visitor) {
  connection_.describe("history of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (document) read_entries(*document, std::max<Seq>(first, 1), last, visitor);
}

std::vector<Author> SqliteReader::authors(std::string_view name) {
  connection_.describe("authors of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  std::vector<Author> authors;
  if (!document) return authors;
  Execution row = names_.run(document->id);
  while (row.next()) authors.push_back({row.unsigned_integer(0), std::string(row.text(1))});
  return authors;
}

std::vector<Version> SqliteReader::versions(std::string_view name) {
  connection_.describe("versions of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return {};
  return read_versions(document->id);
}

std::vector<Version> SqliteReader::read_versions(DocumentId document) {
  std::vector<Version> versions;
  Execution row = versions_.run(document);
  while (row.next()) {
    versions.push_back({std::string(row.text(0)), row.unsigned_integer(1),
                        time_from(row.integer(2)), std::string(row.text(3))});
  }
  return versions;
}

std::optional<Scan> SqliteReader::last_scan() {
  connection_.describe("when the store was read last");
  Statement last(connection_, "SELECT at_ms, findings FROM scans ORDER BY id DESC LIMIT 1");
  Execution row = last.run();
  if (!row.next()) return std::nullopt;
  return Scan{time_from(row.integer(0)), static_cast<std::size_t>(row.unsigned_integer(1))};
}

std::vector<DocumentSummary> SqliteReader::list(std::size_t limit, std::size_t offset) {
  connection_.describe("list");
  Transaction snapshot(connection_);
  std::vector<DocumentSummary> summaries;
  Execution row = list_.run(row_count(limit), row_count(offset));
  while (row.next()) {
    DocumentSummary& summary = summaries.emplace_back(read_summary(row));
    summary.authors = recent_authors(summary.id);
  }
  return summaries;
}

std::optional<SqliteReader::Header> SqliteReader::find(std::string_view name) {
  Execution row = find_.run(name);
  if (!row.next()) return std::nullopt;
  return Header{row.integer(0), std::string(row.text(1)), row.unsigned_integer(2),
                row.unsigned_integer(3), row.optional_integer(4).has_value()};
}

// Of kSummaryColumns.
DocumentSummary SqliteReader::read_summary(const Execution& row) {
  DocumentSummary summary;
  summary.id = row.integer(0);
  summary.name = row.text(1);
  summary.title = row.text(2);
  summary.excerpt = row.text(3);
  summary.has_own_title = row.integer(4) != 0;
  summary.created_at = time_from(row.integer(5));
  summary.edited_at = time_from(row.integer(6));
  summary.last_seq = row.unsigned_integer(7);
  summary.summary_seq = row.unsigned_integer(8);
  if (const auto deleted_at = row.optional_integer(9)) summary.deleted_at = time_from(*deleted_at);
  if (const auto days = row.optional_integer(10))
    summary.history_days = static_cast<std::uint32_t>(*days);
  return summary;
}

void SqliteReader::read_checkpoint(const Header& document, StoredDocument& into) {
  Execution row = checkpoint_.run(document.id);
  if (!row.next()) return;
  if (const auto fault = fault_of_checkpoint(document, row)) fail_corrupt(document, *fault);
  into.checkpoint_seq = row.unsigned_integer(0);
  into.state = to_bytes(row.blob(3));
}

std::vector<LogEntry> SqliteReader::read_log(const Header& document, Seq first, Seq last) {
  std::vector<LogEntry> entries;
  if (first > kMaxSeq) return entries;
  const Names names = this->names(document);
  read_entries(document, first, last, [&](const EntryView& entry) {
    const auto name = names.find(entry.author);
    if (name == names.end()) {
      fail_corrupt(document, "the author of entry " + std::to_string(entry.seq) + " is missing");
    }
    entries.push_back({entry.seq, entry.at, entry.made_at, Author{entry.author, name->second},
                       entry.connection, to_bytes(entry.update)});
  });
  return entries;
}

SqliteReader::Names SqliteReader::names(const Header& document) {
  Names names;
  Execution row = names_.run(document.id);
  while (row.next()) names.emplace(row.unsigned_integer(0), row.text(1));
  return names;
}

Seq SqliteReader::read_entries(const Header& document, Seq first, Seq last,
                               const EntryVisitor& visit) {
  last = std::min(last, kMaxSeq);
  if (first > last) return first;
  return read_rows(document, read_segments(document, first, last, visit), last, visit);
}

Seq SqliteReader::read_segments(const Header& document, Seq first, Seq last,
                                const EntryVisitor& visit) {
  Seq expected = first;
  Execution row = segments_.run(position(document.id, first), position(document.id, kMaxSeq));
  while (expected <= last && row.next()) {
    if (const auto fault = fault_of_segment(document, row)) fail_corrupt(document, *fault);
    expected = read_piece(document, row.unsigned_integer(0), expected, [&](Seq end) {
      return log::read_segment(row.blob(3), end, expected, last, visit);
    });
  }
  return expected;
}

Seq SqliteReader::read_rows(const Header& document, Seq first, Seq last,
                            const EntryVisitor& visit) {
  Seq expected = first;
  if (first > last) return expected;
  Execution row = rows_.run(position(document.id, first), position(document.id, kMaxSeq));
  while (expected <= last && row.next()) {
    if (const auto fault = fault_of_row(document, row)) fail_corrupt(document, *fault);
    expected = read_piece(document, row.unsigned_integer(0), expected, [&](Seq end) {
      return log::read_row(row.blob(3), end, expected, last, visit);
    });
  }
  return expected;
}

template <class Read>
Seq SqliteReader::read_piece(const Header& document, Seq end, Seq expected, Read read) {
  try {
    if (read(end) > expected) fail_corrupt(document, missing_entry(expected));
  } catch (const log::Malformed& malformed) {
    fail_corrupt(document, "the log up to entry " + std::to_string(end) +
                               " cannot be read: " + malformed.what());
  }
  return end + 1;
}

std::optional<std::string> SqliteReader::fault_of_checkpoint(const Header& document,
                                                             const Execution& row) {
  const Seq seq = row.unsigned_integer(0);
  const Place place{Place::Kind::kCheckpoint, document.id, row.unsigned_integer(1), seq};
  const bool matches = row.unsigned_integer(2) == checksum(place, row.blob(3));
  const char* flaw = flaw_of(document, place, matches);
  if (seq > document.last_seq) flaw = " is ahead of the log";
  if (!flaw) return std::nullopt;
  return "the checkpoint at seq " + std::to_string(seq) + flaw;
}

std::optional<std::string> SqliteReader::fault_of_segment(const Header& document,
                                                          const Execution& row) {
  const Seq seq = row.unsigned_integer(0);
  const SegmentPlace place{{Place::Kind::kSegment, document.id, row.unsigned_integer(1), seq},
                           row.unsigned_integer(4),
                           row.unsigned_integer(5),
                           row.unsigned_integer(6)};
  const bool matches = row.unsigned_integer(2) == checksum_of_segment(place, row.blob(3));
  const char* flaw = flaw_of(document, place.place, matches);
  if (!flaw) return std::nullopt;
  return "the segment of the log from entry " + std::string(row.text(4)) + " to " +
         std::to_string(seq) + flaw;
}

std::optional<std::string> SqliteReader::fault_of_row(const Header& document,
                                                      const Execution& row) {
  const Seq seq = row.unsigned_integer(0);
  const Place place{Place::Kind::kLogRow, document.id, row.unsigned_integer(1), seq};
  const bool matches = row.unsigned_integer(2) == checksum(place, row.blob(3));
  const char* flaw = flaw_of(document, place, matches);
  if (!flaw) return std::nullopt;
  return "entry " + std::to_string(seq) + " of the log" + flaw;
}

const char* SqliteReader::flaw_of(const Header& document, const Place& place, bool matches) {
  if (!matches) return " does not match its checksum";
  if (place.generation > document.generation) return " is of a later generation than the document";
  return nullptr;
}

std::vector<Author> SqliteReader::recent_authors(DocumentId document) {
  std::vector<Author> authors;
  Execution row = authors_.run(document);
  while (row.next()) authors.push_back({row.unsigned_integer(0), std::string(row.text(1))});
  return authors;
}

void SqliteReader::fail_corrupt(const Header& document, const std::string& cause) const {
  connection_.fail(Error::Kind::kCorrupt, "document \"" + document.name + "\": " + cause);
}

}  // namespace palimpsest::storage::sqlite
