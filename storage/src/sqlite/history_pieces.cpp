#include <algorithm>
#include <array>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sqlite/checksum.hpp"
#include "sqlite/position.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/transaction.hpp"
#include "sqlite/writer.hpp"
#include "storage/history.hpp"

// What opens long histories: Writer::keep_history(), Reader::kept_history() and prepare_history().
namespace palimpsest::storage::sqlite {
namespace {

constexpr std::uint32_t kMostPieces = std::uint32_t{1} << 31;

// The key of a piece, and the last that there can be of its side.
std::int64_t piece_position(DocumentId document, std::int64_t side, std::uint32_t number) {
  return position(document, static_cast<Seq>(side) << 31 | number);
}
std::int64_t end_of_side(DocumentId document, std::int64_t side) {
  return piece_position(document, side, kMostPieces - 1);
}

// Of the bytes, which `sum` is of, and of where they belong.
std::uint64_t checksum_of_history(const Place& place, std::uint64_t sum) {
  std::array<std::uint8_t, sizeof sum> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(sum >> (8 * i));
  }
  return checksum(place, bytes);
}

}  // namespace

std::optional<SqliteReader::HistoryHead> SqliteReader::history_head(const Header& document) {
  Statement select(connection_,
                   "SELECT seq, generation, side, checksum FROM history_checkpoints "
                   "WHERE document_id = ?1");
  Execution row = select.run(document.id);
  if (!row.next()) return std::nullopt;
  return HistoryHead{row.unsigned_integer(0), row.unsigned_integer(1), row.integer(2),
                     row.unsigned_integer(3)};
}

// Its pieces together; nullopt where they are not what was written.
std::optional<crdt::Bytes> SqliteReader::read_history(const Header& document,
                                                      const HistoryHead& head) {
  crdt::Bytes bytes;
  Statement select(connection_,
                   "SELECT bytes FROM history_pieces WHERE position BETWEEN ?1 AND ?2 "
                   "ORDER BY position");
  Execution piece =
      select.run(piece_position(document.id, head.side, 0), end_of_side(document.id, head.side));
  while (piece.next()) {
    const crdt::ByteView more = piece.blob(0);
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  const Place place{Place::Kind::kHistory, document.id, head.generation, head.seq};
  const std::uint64_t sum = checksum_of_history(place, XXH3_64bits(bytes.data(), bytes.size()));
  const bool is_sound = sum == head.checksum && head.generation <= document.generation &&
                        head.seq <= document.last_seq;
  if (!is_sound) return std::nullopt;
  return bytes;
}

std::optional<HistoryCheckpoint> SqliteReader::kept_history(std::string_view name) {
  connection_.describe("what opens the history of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return std::nullopt;
  const std::optional<HistoryHead> head = history_head(*document);
  if (!head) return std::nullopt;
  std::optional<crdt::Bytes> bytes = read_history(*document, *head);
  if (!bytes) return std::nullopt;
  return HistoryCheckpoint{
      document->name, {document->generation, rewrites(*document)}, head->seq, std::move(*bytes)};
}

std::optional<HistoryCheckpoint> SqliteReader::prepare_history(std::string_view name,
                                                               std::size_t most_bytes,
                                                               Occasion occasion) {
  connection_.describe("making what opens the history of \"" + std::string(name) + "\"");
  {
    Transaction snapshot(connection_);
    const std::optional<Header> document = find(name);
    if (!document) return std::nullopt;
    const std::optional<HistoryHead> head = history_head(*document);
    if (!is_history_due(document->last_seq, head ? head->seq : 0, occasion)) return std::nullopt;
  }
  try {
    History history{std::string(name), most_bytes};
    if (!history.catch_up(*this)) return std::nullopt;
    return HistoryCheckpoint{history.document(), history.log_version(), history.last_seq(),
                             history.encode()};
  } catch (const HistoryTooLarge&) {
    return std::nullopt;
  }
}

bool SqliteWriter::keep_history(const HistoryStep& step) {
  bool is_done = false;
  guarded("keeping what opens the history of \"" + step.document + "\"", [&] {
    cache_.make_room();
    const CachedDocument& here = document(step.document);
    if (here.id != 0 && here.generation == step.version.generation)
      is_done = put_history_piece(step, here);
  });
  return is_done;
}

bool SqliteWriter::put_history_piece(const HistoryStep& step, const CachedDocument& document) {
  Transaction transaction(connection_);
  if (rewrites_of(document.id) != step.version.rewrites) return false;
  Statement select(connection_, "SELECT 1 - side FROM history_checkpoints WHERE document_id = ?1");
  std::int64_t side = 0;
  {
    Execution row = select.run(document.id);
    if (row.next()) side = row.integer(0);
  }
  Statement clear(connection_, "DELETE FROM history_pieces WHERE position BETWEEN ?1 AND ?2");
  if (step.number == 0)
    clear.execute(piece_position(document.id, side, 0), end_of_side(document.id, side));
  const crdt::ByteView bytes = step.bytes;
  Statement(connection_, "INSERT INTO history_pieces (position, bytes) VALUES (?1, ?2)")
      .execute(piece_position(document.id, side, step.number), bytes);
  if (step.done) {
    const Place place{Place::Kind::kHistory, document.id, document.generation, step.done->seq};
    Statement(connection_,
              "INSERT OR REPLACE INTO history_checkpoints "
              "(document_id, seq, generation, side, checksum) VALUES (?1, ?2, ?3, ?4, ?5)")
        .execute(document.id, step.done->seq, document.generation, side,
                 checksum_of_history(place, step.done->checksum));
    clear.execute(piece_position(document.id, 1 - side, 0), end_of_side(document.id, 1 - side));
  }
  transaction.commit();
  return true;
}

void SqliteWriter::forget_history(DocumentId document) {
  Statement(connection_, "DELETE FROM history_checkpoints WHERE document_id = ?1")
      .execute(document);
  Statement(connection_, "DELETE FROM history_pieces WHERE position BETWEEN ?1 AND ?2")
      .execute(piece_position(document, 0, 0), end_of_side(document, 1));
}

}  // namespace palimpsest::storage::sqlite
