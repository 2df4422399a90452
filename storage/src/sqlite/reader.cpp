#include "sqlite/reader.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "sqlite/checksum.hpp"
#include "sqlite/limits.hpp"
#include "sqlite/position.hpp"
#include "sqlite/schema.hpp"
#include "sqlite/transaction.hpp"

namespace palimpsest::storage::sqlite {
namespace {

Time time_from(std::int64_t milliseconds) { return Time(std::chrono::milliseconds(milliseconds)); }

std::optional<Time> time_from(std::optional<std::int64_t> milliseconds) {
  return milliseconds ? std::optional(time_from(*milliseconds)) : std::nullopt;
}

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
      find_(connection_, "SELECT id, name, generation, last_seq FROM documents WHERE name = ?1"),
      checkpoint_(connection_,
                  "SELECT seq, generation, checksum, state FROM checkpoints "
                  "WHERE document_id = ?1"),
      log_(connection_,
           "SELECT log.seq, log.generation, at_ms, made_at_ms, connection, checksum, bytes, "
           "client_id, name FROM log JOIN authors ON authors.id = author_id "
           "WHERE position BETWEEN ?1 AND ?2 ORDER BY position LIMIT ?3"),
      list_(connection_,
            "SELECT id, name, title, excerpt, created_at_ms, edited_at_ms, last_seq, summary_seq "
            "FROM documents ORDER BY edited_at_ms DESC, id DESC LIMIT ?1 OFFSET ?2"),
      authors_(connection_,
               "SELECT client_id, authors.name FROM documents, "
               // A summary without authors is better than no list at all.
               "json_each(iif(json_valid(recent_authors), recent_authors, '[]')) AS recent "
               "JOIN authors ON authors.id = recent.value "
               "WHERE documents.id = ?1 ORDER BY recent.key") {}

std::optional<StoredDocument> SqliteReader::load(std::string_view name) {
  connection_.describe("load of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return std::nullopt;
  StoredDocument stored;
  stored.generation = document->generation;
  stored.last_seq = document->last_seq;
  read_checkpoint(*document, stored);
  stored.tail = read_log(*document, stored.checkpoint_seq + 1, kMaxSeq);
  if (stored.checkpoint_seq + stored.tail.size() != stored.last_seq) {
    fail_corrupt(*document, "the log does not end with entry " + std::to_string(stored.last_seq));
  }
  return stored;
}

std::vector<LogEntry> SqliteReader::log(std::string_view name, Seq first, std::size_t limit) {
  connection_.describe("log of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return {};
  return read_log(*document, std::max<Seq>(first, 1), limit);
}

std::vector<DocumentSummary> SqliteReader::list(std::size_t limit, std::size_t offset) {
  connection_.describe("list");
  Transaction snapshot(connection_);
  std::vector<DocumentSummary> summaries;
  Execution row = list_.run(row_count(limit), row_count(offset));
  while (row.next()) {
    DocumentSummary& summary = summaries.emplace_back();
    summary.name = row.text(1);
    summary.title = row.text(2);
    summary.excerpt = row.text(3);
    summary.created_at = time_from(row.integer(4));
    summary.edited_at = time_from(row.integer(5));
    summary.last_seq = row.unsigned_integer(6);
    summary.summary_seq = row.unsigned_integer(7);
    summary.authors = recent_authors(row.integer(0));
  }
  return summaries;
}

std::optional<SqliteReader::Header> SqliteReader::find(std::string_view name) {
  Execution row = find_.run(name);
  if (!row.next()) return std::nullopt;
  return Header{row.integer(0), std::string(row.text(1)), row.unsigned_integer(2),
                row.unsigned_integer(3)};
}

void SqliteReader::read_checkpoint(const Header& document, StoredDocument& into) {
  Execution row = checkpoint_.run(document.id);
  if (!row.next()) return;
  if (const auto fault = fault_of_checkpoint(document, row)) fail_corrupt(document, *fault);
  into.checkpoint_seq = row.unsigned_integer(0);
  into.state = to_bytes(row.blob(3));
}

std::vector<LogEntry> SqliteReader::read_log(const Header& document, Seq first, std::size_t limit) {
  std::vector<LogEntry> entries;
  if (first > kMaxSeq) return entries;
  Execution row =
      log_.run(position(document.id, first), position(document.id, kMaxSeq), row_count(limit));
  for (Seq expected = first; row.next(); ++expected) {
    const Seq seq = row.unsigned_integer(0);
    if (seq != expected) fail_corrupt(document, missing_entry(expected));
    if (const auto fault = fault_of_entry(document, row)) fail_corrupt(document, *fault);
    entries.push_back({seq, time_from(row.integer(2)), time_from(row.optional_integer(3)),
                       Author{row.unsigned_integer(7), std::string(row.text(8))},
                       row.unsigned_integer(4), to_bytes(row.blob(6))});
  }
  return entries;
}

std::optional<std::string> SqliteReader::fault_of_checkpoint(const Header& document,
                                                             const Execution& row) {
  const Seq seq = row.unsigned_integer(0);
  const Place place{Place::Kind::kCheckpoint, document.id, row.unsigned_integer(1), seq};
  const std::string checkpoint = "the checkpoint at seq " + std::to_string(seq);
  if (seq > document.last_seq) return checkpoint + " is ahead of the log";
  if (row.unsigned_integer(2) == checksum(place, row.blob(3))) return std::nullopt;
  return checkpoint + " does not match its checksum";
}

std::optional<std::string> SqliteReader::fault_of_entry(const Header& document,
                                                        const Execution& row) {
  const Seq seq = row.unsigned_integer(0);
  const Place place{Place::Kind::kLogEntry, document.id, row.unsigned_integer(1), seq};
  if (row.unsigned_integer(5) == checksum(place, row.blob(6))) return std::nullopt;
  return "entry " + std::to_string(seq) + " of the log does not match its checksum";
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
