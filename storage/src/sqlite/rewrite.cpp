#include <string>

#include "crdt/error.hpp"
#include "log/row.hpp"
#include "log/segment.hpp"
#include "sqlite/checksum.hpp"
#include "sqlite/limits.hpp"
#include "sqlite/position.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/transaction.hpp"

// Reader::prepare_rewrite(): the pieces of a log that change, each written as the kind of piece
// that it was, so that seqs and senders stay as they are.
namespace palimpsest::storage::sqlite {
namespace {

crdt::Bytes finish(log::RowWriter&& row) {
  const crdt::ByteView view = row.finish();
  return {view.begin(), view.end()};
}
crdt::Bytes finish(log::SegmentWriter&& segment) {
  return std::move(segment).finish(kSegmentQuality);
}

Seq read_again(const LogRewrite::Piece& piece, const EntryVisitor& visit) {
  const auto read = piece.is_segment ? log::read_segment : log::read_row;
  return read(piece.entries, piece.last, piece.first, piece.last, visit);
}

}  // namespace

LogVersion SqliteReader::log_version(std::string_view name) {
  connection_.describe("which log is that of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return {};
  return {document->generation, rewrites(*document)};
}

std::size_t SqliteReader::version_count(const Header& document) {
  Statement count(connection_, "SELECT count(*) FROM versions WHERE document_id = ?1");
  Execution row = count.run(document.id);
  return row.next() ? static_cast<std::size_t>(row.unsigned_integer(0)) : 0;
}

std::uint64_t SqliteReader::rewrites(const Header& document) {
  Statement statement(connection_, "SELECT rewrites FROM documents WHERE id = ?1");
  Execution row = statement.run(document.id);
  return row.next() ? row.unsigned_integer(0) : 0;
}

std::optional<Retention> SqliteReader::retention(std::string_view name) {
  connection_.describe("retention of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return std::nullopt;
  return retention(*document);
}

Retention SqliteReader::retention(const Header& document) {
  Retention retention;
  retention.last_seq = document.last_seq;
  Statement select(connection_,
                   "SELECT history_days, thinned_until, thinned_at_ms, thinned_days, "
                   "(SELECT seq FROM checkpoints WHERE document_id = id) "
                   "FROM documents WHERE id = ?1");
  Execution row = select.run(document.id);
  if (!row.next()) return retention;
  if (const auto days = row.optional_integer(0)) retention.days = static_cast<std::uint32_t>(*days);
  if (row.integer(1) > 0) {
    retention.thinned = {row.unsigned_integer(1), Time(std::chrono::milliseconds(row.integer(2))),
                         static_cast<std::uint32_t>(row.integer(3))};
  }
  retention.checkpoint_seq = row.unsigned_integer(4);  // NULL is 0
  return retention;
}

std::vector<Reader::Thinnable> SqliteReader::thinnable(std::uint32_t days, Seq entries,
                                                       Time before) {
  connection_.describe("look for histories to thin");
  Transaction snapshot(connection_);
  Statement select(connection_,
                   "SELECT name, coalesce(history_days, ?1), thinned_until FROM documents "
                   "WHERE coalesce(history_days, ?1) > 0 AND deleted_at_ms IS NULL "
                   "AND last_seq - thinned_until >= ?2 AND thinned_at_ms <= ?3 ORDER BY id");
  Execution row = select.run(days, entries, before.time_since_epoch().count());
  std::vector<Thinnable> documents;
  while (row.next()) {
    documents.push_back({std::string(row.text(0)), static_cast<std::uint32_t>(row.integer(1)),
                         row.unsigned_integer(2)});
  }
  return documents;
}

std::vector<Purge> SqliteReader::purges(std::string_view name) {
  connection_.describe("purges of \"" + std::string(name) + "\"");
  return read_purges(name);
}

std::vector<Purge> SqliteReader::read_purges(std::string_view name) {
  Statement statement(connection_,
                      "SELECT at_ms, purged_by, reason, units, is_whole FROM purges "
                      "WHERE name = ?1 ORDER BY id DESC");
  std::vector<Purge> purges;
  Execution row = statement.run(name);
  while (row.next()) {
    purges.push_back({Time(std::chrono::milliseconds(row.integer(0))), std::string(row.text(1)),
                      std::string(row.text(2)), row.unsigned_integer(3), row.integer(4) != 0});
  }
  return purges;
}

std::optional<LogRewrite> SqliteReader::prepare_rewrite(std::string_view name,
                                                        const Rewriter& rewriter) {
  connection_.describe("rewriting of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return std::nullopt;
  LogRewrite rewrite;
  rewrite.document = document->name;
  rewrite.generation = document->generation;
  rewrite.rewrites = rewrites(*document);
  rewrite.compacted_seq = packed_seq(*document);
  rewrite.versions = version_count(*document);
  rewrite_checkpoint(*document, rewriter, rewrite);

  const auto begin = position(document->id, 1);
  const auto end = position(document->id, kMaxSeq);
  Seq expected = 1;
  const auto take = [&](Execution& row, bool is_segment, auto read) {
    LogRewrite::Piece piece;
    piece.is_segment = is_segment;
    piece.first = expected;
    piece.last = row.unsigned_integer(0);
    Seq first = 0;
    const auto visit_all = [&](const EntryVisitor& visit) {
      first = read(row.blob(3), piece.last, expected, piece.last, visit);
    };
    if (piece.last < rewriter.first || piece.first > rewriter.last) {
      expected = piece.last + 1;
      return;
    }
    const std::size_t pieces = rewrite.pieces.size();
    try {
      if (is_segment) {
        rewrite_piece<log::SegmentWriter>(rewriter, piece, visit_all, rewrite);
      } else {
        rewrite_piece<log::RowWriter>(rewriter, piece, visit_all, rewrite);
      }
    } catch (const log::Malformed& malformed) {
      fail_corrupt(*document, "the log up to entry " + std::to_string(piece.last) +
                                  " cannot be read: " + malformed.what());
    }
    if (rewrite.pieces.size() > pieces) {
      rewrite.bytes_before += row.blob(3).size();
      rewrite.bytes_after += rewrite.pieces.back().entries.size();
    }
    if (first > expected)
      fail_corrupt(*document, "entry " + std::to_string(expected) + " of the log is missing");
    expected = piece.last + 1;
  };
  {
    Execution row = segments_.run(begin, end);
    while (row.next()) {
      if (const auto fault = fault_of_segment(*document, row)) fail_corrupt(*document, *fault);
      take(row, true, log::read_segment);
    }
  }
  Execution row = rows_.run(begin, end);
  while (row.next()) {
    if (const auto fault = fault_of_row(*document, row)) fail_corrupt(*document, *fault);
    take(row, false, log::read_row);
  }
  return rewrite;
}

void SqliteReader::rewrite_checkpoint(const Header& document, const Rewriter& rewriter,
                                      LogRewrite& into) {
  StoredDocument stored;
  read_checkpoint(document, stored);
  into.checkpoint_seq = stored.checkpoint_seq;
  if (stored.checkpoint_seq == 0) return;
  if (rewriter.checkpoint) into.checkpoint = rewriter.checkpoint(stored.state);
}

// What takes the place of the truth is read again before: the same number of entries, and each as
// it was meant to be.
template <class PieceWriter, class Read>
void SqliteReader::rewrite_piece(const Rewriter& rewriter, LogRewrite::Piece piece, Read read,
                                 LogRewrite& into) {
  PieceWriter writer;
  std::uint64_t sum = 0;
  std::size_t changed = 0;
  piece.earliest = Time::max();
  piece.latest = Time::min();
  read([&](const EntryView& entry) {
    const std::optional<ChangedEntry> other = rewriter.entry(entry);
    EntryView rewritten = entry;
    if (other) {
      rewritten.at = other->at;
      rewritten.made_at = other->made_at;
      rewritten.update = other->update;
      ++changed;
    }
    writer.add(rewritten);
    sum = checksum(rewritten, sum);
    piece.earliest = std::min(piece.earliest, rewritten.at);
    piece.latest = std::max(piece.latest, rewritten.at);
  });
  if (changed == 0) return;
  piece.entries = finish(std::move(writer));
  std::uint64_t found = 0;
  read_again(piece, [&](const EntryView& entry) { found = checksum(entry, found); });
  if (found != sum)
    throw crdt::Bug("rewriting the log of \"" + into.document + "\" up to entry " +
                    std::to_string(piece.last) + " would change it");
  into.entries_changed += changed;
  into.pieces.push_back(std::move(piece));
}

}  // namespace palimpsest::storage::sqlite
