#include <algorithm>
#include <string>

#include "crdt/error.hpp"
#include "log/segment.hpp"
#include "sqlite/checksum.hpp"
#include "sqlite/limits.hpp"
#include "sqlite/position.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/transaction.hpp"

// Reader::prepare_compaction(): what of a log is packed, and when. Only what a checkpoint covers,
// so that loading a document never has to unpack anything.
//
// Segments are packed anew with what follows as long as that doubles them at least, so that an
// entry is packed a few times in its life and a document has few segments, each larger than the
// next.
namespace palimpsest::storage::sqlite {

std::optional<Compaction> SqliteReader::prepare_compaction(std::string_view name,
                                                           Occasion occasion) {
  connection_.describe("packing of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return std::nullopt;
  Compaction compaction;
  compaction.compacted_seq = packed_seq(*document);
  compaction.last = seq_to_pack(*document, compaction.compacted_seq, occasion);
  if (compaction.last == 0) return std::nullopt;
  compaction.first = first_to_pack(*document, compaction.compacted_seq, compaction.last, occasion);
  compaction.document = document->name;
  compaction.generation = document->generation;
  compaction.rewrites = rewrites(*document);

  log::SegmentWriter segment;
  std::uint64_t sum = 0;
  read_entries(*document, compaction.first, compaction.last, [&](const EntryView& entry) {
    segment.add(entry);
    sum = checksum(entry, sum);
  });
  if (segment.entries() != compaction.last - compaction.first + 1) {
    fail_corrupt(*document, "entries of the log are missing");
  }
  compaction.earliest = segment.earliest();
  compaction.latest = segment.latest();
  compaction.segment = std::move(segment).finish(
      occasion == Occasion::kEditing ? kSegmentQualityWhileEdited : kSegmentQuality);
  verify_segment(compaction, sum);
  return compaction;
}

// What takes the place of the truth is read again before: every entry as it was.
void SqliteReader::verify_segment(const Compaction& compaction, std::uint64_t sum) const {
  std::uint64_t found = 0;
  std::string cause = "would change it";
  try {
    log::read_segment(compaction.segment, compaction.last, compaction.first, compaction.last,
                      [&](const EntryView& entry) { found = checksum(entry, found); });
    if (found == sum) return;
  } catch (const log::Malformed& malformed) {
    cause = std::string("cannot be undone: ") + malformed.what();
  }
  throw crdt::Bug("packing the log of \"" + compaction.document + "\" from entry " +
                  std::to_string(compaction.first) + " on " + cause);
}

Seq SqliteReader::packed_seq(const Header& document) {
  Statement last(connection_,
                 "SELECT max(last_seq) FROM segments WHERE position BETWEEN ?1 AND ?2");
  Execution row = last.run(position(document.id, 0), position(document.id, kMaxSeq));
  return row.next() ? row.unsigned_integer(0) : 0;  // NULL is 0
}

// The last entry of a row up to which packing is worth it; 0: it is not.
Seq SqliteReader::seq_to_pack(const Header& document, Seq packed, Occasion occasion) {
  Statement checkpoint(connection_, "SELECT seq FROM checkpoints WHERE document_id = ?1");
  Execution covered = checkpoint.run(document.id);
  if (!covered.next()) return 0;
  Statement rows(connection_,
                 "SELECT last_seq, length(entries) FROM log "
                 "WHERE position BETWEEN ?1 AND ?2 ORDER BY position");
  Execution row = rows.run(position(document.id, packed + 1),
                           position(document.id, covered.unsigned_integer(0)));
  Seq last = packed;
  std::uint64_t bytes = 0;
  while (last - packed < kPackedEntriesAtOnce && bytes < kPackedBytesAtOnce && row.next()) {
    last = row.unsigned_integer(0);
    bytes += row.unsigned_integer(1);
  }
  const std::uint64_t enough =
      occasion == Occasion::kEditing ? kPackedEntries : kPackedEntriesAtUnload;
  const bool is_worth_it = last - packed >= enough || bytes >= kPackedBytesAtOnce;
  return is_worth_it ? last : 0;
}

// Where the segment begins that ends with `last`: it takes in those before it that it would at
// least double.
Seq SqliteReader::first_to_pack(const Header& document, Seq packed, Seq last, Occasion occasion) {
  const std::uint64_t growth =
      occasion == Occasion::kEditing ? kSegmentGrowth : kSegmentGrowthAtUnload;
  Statement segments(connection_,
                     // Its header is within the first bytes.
                     "SELECT first_seq, length(entries), substr(entries, 1, 32) FROM segments "
                     "WHERE position BETWEEN ?1 AND ?2 ORDER BY position DESC");
  Execution row = segments.run(position(document.id, 1), position(document.id, packed));
  Seq first = packed + 1;
  std::uint64_t bytes = 0;
  std::uint64_t update_bytes = 0;
  while (first > 1 && row.next()) {
    const Seq before = row.unsigned_integer(0);
    bytes += row.unsigned_integer(1);
    update_bytes += update_bytes_of(document, row.blob(2));
    const bool is_small = first - before <= growth * (last - first + 1);
    if (!is_small || last - before >= kSegmentEntries || bytes > kSegmentBytes ||
        update_bytes > kSegmentUpdateBytes) {
      break;
    }
    first = before;
  }
  return first;
}

std::uint64_t SqliteReader::update_bytes_of(const Header& document, crdt::ByteView segment) {
  try {
    return log::update_bytes_of(segment);
  } catch (const log::Malformed& malformed) {
    fail_corrupt(document, std::string("the log cannot be read: ") + malformed.what());
  }
}

}  // namespace palimpsest::storage::sqlite
