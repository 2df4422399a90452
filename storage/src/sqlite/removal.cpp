#include <algorithm>
#include <string>

#include <sqlite3.h>

#include "crdt/error.hpp"
#include "crdt/update.hpp"
#include "sqlite/position.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/transaction.hpp"
#include "sqlite/writer.hpp"
#include "storage/failpoint.hpp"

// A document goes as a whole, and what was deleted goes from the file: Reader::prepare_removal(),
// Writer::remove() and scrub().
namespace palimpsest::storage::sqlite {
namespace {

// What waits for something missing counts too: who joined was handed that.
void add_authored(crdt::ByteView update, crdt::StateVector& had) {
  for (const crdt::Update::Authored& range : crdt::Update::decode(update).authored()) {
    had.set(range.client, std::max(had.clock_of(range.client), range.end));
  }
}

// VACUUM puts a second copy of the store together, which is to be in a file (of no name) and not in
// memory: a large store would end the process, and again at every start.
class TemporaryFiles {
 public:
  explicit TemporaryFiles(Connection& connection) : connection_(connection) {
    connection_.execute("PRAGMA temp_store = FILE");
  }
  ~TemporaryFiles() {
    sqlite3_exec(connection_.handle(), "PRAGMA temp_store = MEMORY", nullptr, nullptr, nullptr);
  }
  TemporaryFiles(const TemporaryFiles&) = delete;
  TemporaryFiles& operator=(const TemporaryFiles&) = delete;

 private:
  Connection& connection_;
};

}  // namespace

std::optional<Removal> SqliteReader::prepare_removal(std::string_view name) {
  connection_.describe("removal of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return std::nullopt;
  Removal removal;
  removal.document = document->name;
  removal.generation = document->generation;
  removal.last_seq = document->last_seq;
  std::optional<crdt::StateVector> had = given_out(*document);
  removal.had = had ? std::move(*had) : all_of_its_authors(*document);
  return removal;
}

// nullopt where the document is damaged: that is no reason to have to keep it.
std::optional<crdt::StateVector> SqliteReader::given_out(const Header& document) {
  try {
    crdt::StateVector had;
    StoredDocument stored;
    read_checkpoint(document, stored);
    if (!stored.state.empty()) add_authored(stored.state, had);
    const Seq end = read_entries(document, stored.checkpoint_seq + 1, kMaxSeq,
                                 [&](const EntryView& entry) { add_authored(entry.update, had); });
    if (end == document.last_seq + 1) return had;
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::kCorrupt) throw;
  } catch (const crdt::DecodeError&) {
  }
  return std::nullopt;
}

// Everybody whose content a log brings is among them.
crdt::StateVector SqliteReader::all_of_its_authors(const Header& document) {
  crdt::StateVector had;
  for (const auto& [client, name] : names(document)) had.set(client, crdt::kMaxSafeInteger);
  return had;
}

Removed SqliteWriter::remove(const Removal& removal, const Purge& purge) {
  Removed removed = Removed::kNoSuchDocument;
  guarded("removal of \"" + removal.document + "\"", [&] {
    cache_.make_room();
    const CachedDocument& here = document(removal.document);
    if (here.id != 0) removed = remove_from_bin(removal, purge, here);
    if (removed == Removed::kDone) cache_.forget(removal.document);
  });
  return removed;
}

Removed SqliteWriter::remove_from_bin(const Removal& removal, const Purge& purge,
                                      const CachedDocument& document) {
  if (document.generation != removal.generation || document.last_seq != removal.last_seq)
    return Removed::kChanged;
  Transaction transaction(connection_);
  {
    Statement select(connection_,
                     "SELECT 1 FROM documents WHERE id = ?1 AND deleted_at_ms IS NOT NULL");
    Execution row = select.run(document.id);
    if (!row.next()) return Removed::kNotInBin;
  }
  delete_document(document.id);
  generations_.retire(removal.document, removal.generation, removal.had);
  note_purge(removal.document, purge);
  note_scrub();
  PALIMPSEST_FAILPOINT("purge-before-commit");
  transaction.commit();
  return Removed::kDone;
}

void SqliteWriter::delete_document(DocumentId document) {
  forget_words(document);
  forget_history(document);
  delete_rows_.execute(position(document, 0), position(document, kMaxSeq));
  delete_segments_.execute(position(document, 0), position(document, kMaxSeq));
  for (const char* table : {"checkpoints", "indexed", "tags", "stars", "versions", "authors"}) {
    Statement remove(connection_, std::string("DELETE FROM ") + table + " WHERE document_id = ?1");
    remove.execute(document);
  }
  Statement remove(connection_, "DELETE FROM documents WHERE id = ?1");
  remove.execute(document);
}

void SqliteWriter::note_purge(std::string_view document, const Purge& purge) {
  Statement note(connection_,
                 "INSERT INTO purges (name, at_ms, purged_by, reason, units, is_whole) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  note.execute(document, milliseconds(purge.at), std::string_view(purge.by),
               std::string_view(purge.reason), purge.units, purge.is_whole);
}

// In the transaction that deletes: should nobody come to scrub(), the next writer does.
void SqliteWriter::note_scrub() {
  connection_.execute("INSERT INTO scrub_due (since_ms) VALUES (unixepoch() * 1000)");
}

// Pages of what was deleted keep its bytes until they are used again, and so does the write-ahead
// log until it is cut down.
bool SqliteWriter::scrub() {
  bool is_done = false;
  guarded("writing the database anew", [&] {
    PALIMPSEST_FAILPOINT("purge-before-scrub");
    is_done = scrub_what_is_due();
  });
  return is_done;
}

bool SqliteWriter::scrub_what_is_due() {
  if (connection_.query_integer("SELECT EXISTS (SELECT 1 FROM scrub_due)") == 0) return true;
  {
    const TemporaryFiles files(connection_);
    connection_.execute("VACUUM");
  }
  if (!empty_wal()) return false;
  connection_.execute("DELETE FROM scrub_due");
  return true;
}

// Where there is no room for a second copy of the store, it goes on without.
void SqliteWriter::scrub_on_start() {
  connection_.describe("writing the database anew after a purge");
  try {
    scrub_what_is_due();
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::kDiskFull) throw;
    empty_wal_on_start();
  }
}

}  // namespace palimpsest::storage::sqlite
