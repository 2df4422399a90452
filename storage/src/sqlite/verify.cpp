#include <algorithm>
#include <string>
#include <utility>

#include "log/number.hpp"
#include "log/replay.hpp"
#include "log/row.hpp"
#include "log/segment.hpp"
#include "log/time_number.hpp"
#include "sqlite/limits.hpp"
#include "sqlite/position.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/transaction.hpp"
#include "storage/history.hpp"

// Reader::verify(): SQLite's own checks of the file, then ours of every payload. SQLite sees the
// structure but not the content of its pages; our checksums see the content; and replaying the log
// sees what was wrong before it had a checksum.
namespace palimpsest::storage::sqlite {
namespace {

// Runs one check. Where the damage is such that it can't go on, that is what it found.
template <typename Check>
void collect(const std::string& document, std::vector<Finding>& findings, Check check) {
  try {
    check();
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::kCorrupt) throw;
    findings.push_back({document, 0, error.what()});
  }
}

}  // namespace

std::vector<Finding> SqliteReader::verify(const std::function<bool()>& go_on) {
  connection_.describe("verify");
  std::vector<Finding> findings;
  collect("", findings, [&] { verify_database(findings); });
  std::vector<std::string> names;
  collect("", findings, [&] { names = document_names(); });
  for (const std::string& name : names) {
    if (!go_on()) break;
    const std::vector<Finding> found = findings_in(name);
    findings.insert(findings.end(), found.begin(), found.end());
  }
  return findings;
}

// A log that is rewritten or goes while it is read is read again: it was read in pieces, which do
// not fit each other then.
std::vector<Finding> SqliteReader::findings_in(const std::string& name) {
  for (;;) {
    std::vector<Finding> found;
    LogVersion before;
    LogVersion behind;
    collect(name, found, [&] {
      before = log_version(name);
      verify_document(name, found);
    });
    if (found.empty()) return found;
    collect(name, found, [&] { behind = log_version(name); });
    if (before == behind) return found;
  }
}

void SqliteReader::verify_database(std::vector<Finding>& findings) {
  Statement integrity(connection_, "PRAGMA integrity_check");
  Execution problem = integrity.run();
  while (problem.next()) {
    if (problem.text(0) != "ok") findings.push_back({"", 0, std::string(problem.text(0))});
  }
  Statement references(connection_, "PRAGMA foreign_key_check");
  Execution orphan = references.run();
  while (orphan.next()) {
    findings.push_back({"", 0,
                        "row " + std::to_string(orphan.integer(1)) + " of " +
                            std::string(orphan.text(0)) + " refers to a row of " +
                            std::string(orphan.text(2)) + " that is not there"});
  }
}

std::vector<std::string> SqliteReader::document_names() {
  // From the table itself, not from an index that may have lost one.
  Statement all(connection_, "SELECT name FROM documents NOT INDEXED ORDER BY id");
  std::vector<std::string> names;
  Execution row = all.run();
  while (row.next()) names.emplace_back(row.text(0));
  return names;
}

void SqliteReader::verify_document(const std::string& name, std::vector<Finding>& findings) {
  std::optional<Header> document;
  std::optional<StoredDocument> checkpoint;
  {
    Transaction snapshot(connection_);
    document = find(name);
    if (!document) {
      Statement unindexed(connection_, "SELECT 1 FROM documents NOT INDEXED WHERE name = ?1");
      Execution row = unindexed.run(std::string_view(name));
      if (row.next()) findings.push_back({name, 0, "is not found by its name"});
      return;
    }
    checkpoint = verify_checkpoint(*document, findings);
    verify_end(*document, findings);
    verify_history(*document, findings);
  }
  Names names = this->names(*document);
  log::Replay replay(checkpoint ? checkpoint->checkpoint_seq : 0);
  const EntryVisitor check_entry = [&](const EntryView& entry) {
    if (names.try_emplace(entry.author).second) {  // once
      findings.push_back({document->name, entry.seq, "the author is missing"});
    }
    if (auto fault = replay.add(entry)) {
      findings.push_back({document->name, entry.seq, std::move(*fault)});
    }
  };
  for (Seq first = 1; first <= document->last_seq;) {
    Transaction snapshot(connection_);  // a short one each time: the writer is never held up
    first = verify_log(*document, first, check_entry, findings);
  }
  if (!checkpoint) return;
  if (auto fault = replay.fault_of(checkpoint->state)) {
    findings.push_back({document->name, checkpoint->checkpoint_seq, std::move(*fault)});
  }
}

// Answers the checkpoint as far as it goes without the log; nullopt where there is no sound one.
std::optional<StoredDocument> SqliteReader::verify_checkpoint(const Header& document,
                                                              std::vector<Finding>& findings) {
  Execution row = checkpoint_.run(document.id);
  if (!row.next()) return std::nullopt;
  if (auto fault = fault_of_checkpoint(document, row)) {
    findings.push_back({document.name, row.unsigned_integer(0), std::move(*fault)});
    return std::nullopt;
  }
  const crdt::ByteView state = row.blob(3);
  StoredDocument checkpoint;
  checkpoint.checkpoint_seq = row.unsigned_integer(0);
  checkpoint.state.assign(state.begin(), state.end());
  return checkpoint;
}

void SqliteReader::verify_end(const Header& document, std::vector<Finding>& findings) {
  Statement last(connection_,
                 "SELECT max(position) FROM (SELECT position FROM log UNION ALL "
                 "SELECT position FROM segments) WHERE position BETWEEN ?1 AND ?2");
  Execution row = last.run(position(document.id, 1), position(document.id, kMaxSeq));
  if (row.next() && row.integer(0) == position(document.id, document.last_seq)) return;
  findings.push_back({document.name, document.last_seq, "is not where the log ends"});
}

// Made from the log, it is passed by where it is damaged, and made again.
void SqliteReader::verify_history(const Header& document, std::vector<Finding>& findings) {
  const std::optional<HistoryHead> head = history_head(document);
  if (!head) return;
  const std::optional<crdt::Bytes> bytes = read_history(document, *head);
  if (bytes && History::is_encoded(*bytes)) return;
  findings.push_back({document.name, head->seq,
                      "what opens its history is damaged; the log itself is not concerned"});
}

// Looks at the segment that has entry `first`, or at up to kVerifyChunk rows from there on, and
// answers where to go on. The log may be packed between two calls.
Seq SqliteReader::verify_log(const Header& document, Seq first, const EntryVisitor& visit,
                             std::vector<Finding>& findings) {
  Seq expected = first;
  const auto verify_piece = [&](Seq end, const std::optional<std::string>& fault, auto read) {
    if (fault) {
      findings.push_back({document.name, end, *fault});
    } else {
      try {
        if (read() > expected) {
          findings.push_back({document.name, expected, "entries are missing"});
        }
      } catch (const log::Malformed& malformed) {
        findings.push_back(
            {document.name, end, std::string("cannot be read: ") + malformed.what()});
      }
    }
    expected = end + 1;
  };
  const std::int64_t last = position(document.id, document.last_seq);
  {
    Execution row = segments_.run(position(document.id, first), last);
    if (row.next()) {
      const Seq end = row.unsigned_integer(0);
      verify_piece(end, fault_of_segment(document, row), [&] {
        Time earliest = Time::max();
        Time latest = Time::min();
        const Seq begin = log::read_segment(row.blob(3), end, 0, end, [&](const EntryView& entry) {
          earliest = std::min(earliest, entry.at);
          latest = std::max(latest, entry.at);
          visit(entry);
        });
        if (begin != row.unsigned_integer(4) ||
            log::number_of(earliest) != row.unsigned_integer(5) ||
            log::number_of(latest) != row.unsigned_integer(6)) {
          throw log::Malformed("it is not of the entries and the time that it is filed under");
        }
        return begin;
      });
      return expected;
    }
  }
  Execution row = rows_.run(position(document.id, first), last);
  for (std::size_t i = 0; i < kVerifyChunk && row.next(); ++i) {
    const Seq end = row.unsigned_integer(0);
    verify_piece(end, fault_of_row(document, row),
                 [&] { return log::read_row(row.blob(3), end, expected, end, visit); });
  }
  if (expected > first) return expected;
  findings.push_back({document.name, expected, "entries are missing"});
  return document.last_seq + 1;
}

}  // namespace palimpsest::storage::sqlite
