#include "sqlite/writer.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <variant>

#include "crdt/error.hpp"
#include "log/time_number.hpp"
#include "sqlite/checksum.hpp"
#include "sqlite/limits.hpp"
#include "sqlite/position.hpp"
#include "sqlite/schema.hpp"
#include "sqlite/transaction.hpp"
#include "storage/failpoint.hpp"

namespace palimpsest::storage::sqlite {
namespace {

constexpr std::int64_t kWalFrameHeaderBytes = 24;  // SQLite file format, 4.1

std::string json_array_of_ids(const std::vector<CachedAuthor>& authors) {
  std::string json = "[";
  for (const CachedAuthor& author : authors) {
    if (json.size() > 1) json += ',';
    json += std::to_string(author.id);
  }
  return json + "]";
}

[[noreturn]] void report_gap(const Append& append, Seq expected) {
  throw crdt::Bug("append to \"" + append.document + "\": seq " + std::to_string(append.seq) +
                  " where " + std::to_string(expected) + " comes next");
}

[[noreturn]] void report_ahead(const Checkpoint& checkpoint, Seq last_seq) {
  throw crdt::Bug("checkpoint of \"" + checkpoint.document + "\": seq " +
                  std::to_string(checkpoint.seq) + ", but its log ends with " +
                  std::to_string(last_seq));
}

Connection open_own(const std::filesystem::path& file) {
  Connection connection(file, Role::kWriter);
  check_version(connection, migrations());
  connection.configure();
  return connection;
}

}  // namespace

SqliteWriter::SqliteWriter(const std::filesystem::path& file,
                           std::shared_ptr<const void> keep_alive)
    : keep_alive_(std::move(keep_alive)),
      connection_(open_own(file)),
      select_document_(connection_,
                       "SELECT id, generation, last_seq, edited_at_ms FROM documents "
                       "WHERE name = ?1"),
      select_recent_authors_(connection_,
                             "SELECT authors.id, authors.name FROM documents, "
                             "json_each(iif(json_valid(recent_authors), recent_authors, '[]')) "
                             "AS recent "
                             "JOIN authors ON authors.id = recent.value "
                             "WHERE documents.id = ?1 ORDER BY recent.key"),
      insert_document_(connection_,
                       "INSERT INTO documents (name, generation, created_at_ms, edited_at_ms, "
                       "title_key, list_words) VALUES (?1, ?2, ?3, ?3, ?4, ?5)"),
      update_document_(connection_,
                       "UPDATE documents SET last_seq = ?2, edited_at_ms = ?3, "
                       "recent_authors = ?4 WHERE id = ?1"),
      select_author_(connection_,
                     "SELECT id, name FROM authors WHERE document_id = ?1 AND client_id = ?2"),
      insert_author_(connection_,
                     "INSERT INTO authors (document_id, client_id, name, first_seen_seq) "
                     "VALUES (?1, ?2, ?3, ?4)"),
      name_author_(connection_, "UPDATE authors SET name = ?2 WHERE id = ?1 AND name = ''"),
      insert_row_(connection_,
                  "INSERT INTO log (position, generation, checksum, entries) "
                  "VALUES (?1, ?2, ?3, ?4)"),
      select_compacted_seq_(connection_,
                            "SELECT max(position) FROM segments WHERE position BETWEEN ?1 AND ?2"),
      delete_rows_(connection_, "DELETE FROM log WHERE position BETWEEN ?1 AND ?2"),
      delete_segments_(connection_, "DELETE FROM segments WHERE position BETWEEN ?1 AND ?2"),
      insert_segment_(connection_,
                      "INSERT INTO segments (position, first_seq, earliest_ms, latest_ms, "
                      "generation, checksum, entries) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
      select_checkpoint_seq_(connection_, "SELECT seq FROM checkpoints WHERE document_id = ?1"),
      replace_checkpoint_(connection_,
                          "INSERT OR REPLACE INTO checkpoints "
                          "(document_id, seq, generation, checksum, state) "
                          "VALUES (?1, ?2, ?3, ?4, ?5)"),
      update_summary_(connection_,
                      "UPDATE documents SET title = ?2, excerpt = ?3, summary_seq = ?4 "
                      "WHERE id = ?1"),
      update_deleted_at_(connection_,
                         "UPDATE documents SET deleted_at_ms = "
                         "iif(?2 IS NULL, NULL, coalesce(deleted_at_ms, ?2)) WHERE id = ?1"),
      listing_(connection_),
      index_rows_(connection_),
      insert_version_(connection_,
                      "INSERT OR IGNORE INTO versions "
                      "(document_id, name, seq, named_at_ms, named_by) "
                      "VALUES (?1, ?2, ?3, ?4, ?5)"),
      select_version_(connection_,
                      "SELECT seq, named_at_ms, named_by FROM versions "
                      "WHERE document_id = ?1 AND name = ?2"),
      generations_(connection_) {
  page_bytes_ = connection_.query_integer("PRAGMA page_size") + kWalFrameHeaderBytes;
  sqlite3_wal_hook(
      connection_.handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<SqliteWriter*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  empty_wal_on_start();
  index_by_todays_rules();
  scrub_on_start();
}

void SqliteWriter::refuse() const {
  connection_.fail(failure_ ? failure_->kind() : Error::Kind::kIo,
                   std::string("no writes until the store is reopened, since one failed (") +
                       (failure_ ? failure_->what() : "out of memory") + ")");
}

void SqliteWriter::append(std::span<const Append> batch) {
  if (batch.empty()) return;
  guarded("append", [&] {
    cache_.make_room();
    write_batch(batch, verify_sequence(batch));
  });
}

SqliteWriter::DocumentRefs SqliteWriter::verify_sequence(std::span<const Append> batch) {
  DocumentRefs documents;
  documents.reserve(batch.size());
  std::unordered_map<const CachedDocument*, Seq> last_seqs;
  for (const Append& append : batch) {
    const bool is_same = !documents.empty() && append.document == (&append - 1)->document;
    CachedDocument* here = is_same ? documents.back() : &document(append.document);
    Seq& last_seq = last_seqs.try_emplace(here, here->last_seq).first->second;
    if (append.seq != last_seq + 1 || append.seq > kMaxSeq) report_gap(append, last_seq + 1);
    if (!append.update) throw crdt::Bug("append to \"" + append.document + "\" without an update");
    last_seq = append.seq;
    documents.push_back(here);
  }
  return documents;
}

void SqliteWriter::write_batch(std::span<const Append> batch, const DocumentRefs& documents) {
  std::vector<std::pair<CachedDocument*, const Append*>> by_document;
  by_document.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) by_document.emplace_back(documents[i], &batch[i]);
  std::ranges::stable_sort(by_document, {}, [](const auto& entry) { return entry.first; });

  Transaction transaction(connection_);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (documents[i]->id == 0) insert_document(batch[i].document, batch[i].at, *documents[i]);
  }
  std::vector<const Append*> appends;
  for (std::size_t i = 0; i < by_document.size(); ++i) {
    const auto& [document, append] = by_document[i];
    appends.push_back(append);
    if (i + 1 < by_document.size() && by_document[i + 1].first == document) continue;
    write_row(appends, *document);
    update_document(*document);
    appends.clear();
  }
  PALIMPSEST_FAILPOINT("after-append-before-commit");
  transaction.commit();
}

void SqliteWriter::write_row(std::span<const Append* const> appends, CachedDocument& document) {
  row_.clear();
  for (const Append* append : appends) {
    note_authors(*append, document);
    row_.add(*append);
  }
  const Append& last = *appends.back();
  document.last_seq = last.seq;
  document.edited_at = last.at;
  const Place place{Place::Kind::kLogRow, document.id, document.generation, last.seq};
  const crdt::ByteView entries = row_.finish();
  insert_row_.execute(position(document.id, last.seq), document.generation,
                      checksum(place, entries), entries);
}

void SqliteWriter::note_authors(const Append& append, CachedDocument& document) {
  document.touch(author(append.author, append.seq, document));
  for (const Author& other : append.others) author(other, append.seq, document);
}

void SqliteWriter::update_document(const CachedDocument& document) {
  const std::string recent = json_array_of_ids(document.recent);
  update_document_.execute(document.id, document.last_seq, milliseconds(document.edited_at),
                           std::string_view(recent));
}

CachedDocument& SqliteWriter::document(std::string_view name) {
  if (CachedDocument* known = cache_.find(name)) return *known;
  std::optional<CachedDocument> stored = read_document(name);
  if (!stored) stored.emplace().generation = generations_.next(name);
  return cache_.add(std::string(name), std::move(*stored));
}

std::optional<CachedDocument> SqliteWriter::read_document(std::string_view name) {
  Execution row = select_document_.run(name);
  if (!row.next()) return std::nullopt;
  CachedDocument document;
  document.id = row.integer(0);
  document.generation = row.unsigned_integer(1);
  document.last_seq = row.unsigned_integer(2);
  document.edited_at = Time(std::chrono::milliseconds(row.integer(3)));
  Execution recent = select_recent_authors_.run(document.id);
  while (recent.next()) {
    document.recent.push_back({recent.integer(0), std::string(recent.text(1))});
  }
  return document;
}

void SqliteWriter::insert_document(std::string_view name, Time at, CachedDocument& document) {
  const Listed derived = listed(name, "", {});
  insert_document_.execute(name, document.generation, milliseconds(at),
                           std::string_view(derived.title_key), std::string_view(derived.words));
  document.id = sqlite3_last_insert_rowid(connection_.handle());
}

CachedAuthor& SqliteWriter::author(const Author& author, Seq seq, CachedDocument& document) {
  auto known = document.authors.find(author.client);
  if (known == document.authors.end()) {
    known =
        document.authors.emplace(author.client, read_or_insert_author(author, seq, document)).first;
    cache_.count_author();
  }
  CachedAuthor& cached = known->second;
  if (cached.name.empty() && !author.name.empty()) {
    name_author_.execute(cached.id, std::string_view(author.name));
    cached.name = author.name;
  }
  return cached;
}

CachedAuthor SqliteWriter::read_or_insert_author(const Author& author, Seq seq,
                                                 const CachedDocument& document) {
  Execution row = select_author_.run(document.id, author.client);
  if (row.next()) return {row.integer(0), std::string(row.text(1))};
  insert_author_.execute(document.id, author.client, std::string_view(author.name), seq);
  return {sqlite3_last_insert_rowid(connection_.handle()), author.name};
}

void SqliteWriter::write_checkpoint(const Checkpoint& checkpoint) {
  guarded("checkpoint of \"" + checkpoint.document + "\"", [&] {
    cache_.make_room();
    const CachedDocument& here = document(checkpoint.document);
    if (checkpoint.seq > here.last_seq) report_ahead(checkpoint, here.last_seq);
    replace_checkpoint(checkpoint, here);
  });
}

void SqliteWriter::replace_checkpoint(const Checkpoint& checkpoint,
                                      const CachedDocument& document) {
  Transaction transaction(connection_);
  {
    Execution present = select_checkpoint_seq_.run(document.id);
    const Seq present_seq = present.next() ? present.unsigned_integer(0) : 0;
    if (checkpoint.seq <= present_seq) return;
  }
  put_checkpoint(checkpoint, document);
  transaction.commit();
}

void SqliteWriter::put_checkpoint(const Checkpoint& checkpoint, const CachedDocument& document) {
  const Place place{Place::Kind::kCheckpoint, document.id, document.generation, checkpoint.seq};
  const crdt::ByteView state = checkpoint.state;
  replace_checkpoint_.execute(document.id, checkpoint.seq, document.generation,
                              checksum(place, state), state);
  PALIMPSEST_FAILPOINT("mid-checkpoint");
  update_summary_.execute(document.id, std::string_view(checkpoint.title),
                          std::string_view(checkpoint.excerpt), checkpoint.seq);
  listing_.refresh(document.id);
}

bool SqliteWriter::compact(const Compaction& compaction) {
  bool is_done = false;
  guarded("packing of \"" + compaction.document + "\"", [&] {
    cache_.make_room();
    is_done = replace_rows(compaction, document(compaction.document));
  });
  return is_done;
}

void SqliteWriter::create(std::span<const WholeDocument> documents) {
  if (documents.empty()) return;
  guarded("storing \"" + documents.front().name + "\"", [&] {
    cache_.make_room();
    insert_all(documents);
  });
}

bool SqliteWriter::replace_rows(const Compaction& compaction, const CachedDocument& document) {
  if (document.generation != compaction.generation || document.last_seq < compaction.last) {
    return false;
  }
  const std::int64_t first = position(document.id, compaction.first);
  const std::int64_t last = position(document.id, compaction.last);
  Transaction transaction(connection_);
  if (!is_log_at(document, compaction.compacted_seq, compaction.rewrites)) return false;
  delete_rows_.execute(first, last);
  delete_segments_.execute(first, last);
  PALIMPSEST_FAILPOINT("mid-compaction");
  insert_segment(document, compaction.first, compaction.last, compaction.earliest,
                 compaction.latest, compaction.segment);
  transaction.commit();
  return true;
}

bool SqliteWriter::edit(const DocumentEdit& edit) {
  bool is_there = false;
  guarded("edit of what lists show of \"" + edit.document + "\"", [&] {
    cache_.make_room();
    const DocumentId id = document(edit.document).id;
    is_there = id != 0;
    if (is_there) write_edit(edit, id);
  });
  return is_there;
}

void SqliteWriter::write_edit(const DocumentEdit& edit, DocumentId document) {
  Transaction transaction(connection_);
  set_by_hand(edit, document);
  transaction.commit();
}

void SqliteWriter::set_by_hand(const DocumentEdit& edit, DocumentId document) {
  if (edit.title) {
    Statement update(connection_, "UPDATE documents SET own_title = nullif(?2, '') WHERE id = ?1");
    update.execute(document, std::string_view(edit.title->value_or("")));
  }
  if (edit.tags) {
    Statement remove(connection_, "DELETE FROM tags WHERE document_id = ?1");
    remove.execute(document);
    Statement insert(connection_, "INSERT OR IGNORE INTO tags (document_id, tag) VALUES (?1, ?2)");
    for (const std::string& tag : *edit.tags) insert.execute(document, std::string_view(tag));
  }
  if (edit.star) {
    Statement change(connection_,
                     edit.star->is_set
                         ? "INSERT OR IGNORE INTO stars (document_id, user) VALUES (?1, ?2)"
                         : "DELETE FROM stars WHERE document_id = ?1 AND user = ?2");
    change.execute(document, std::string_view(edit.star->user));
  }
  if (edit.history_days) {
    std::optional<std::int64_t> days;
    if (*edit.history_days) days = static_cast<std::int64_t>(**edit.history_days);
    Statement update(connection_, "UPDATE documents SET history_days = ?2 WHERE id = ?1");
    update.execute(document, days);
  }
  listing_.refresh(document);
}

bool SqliteWriter::put_into_bin(std::string_view document, Time at) {
  return set_deleted_at(document, at);
}

bool SqliteWriter::take_from_bin(std::string_view document) {
  return set_deleted_at(document, std::nullopt);
}

bool SqliteWriter::set_deleted_at(std::string_view name, std::optional<Time> at) {
  bool is_there = false;
  guarded("the bin and \"" + std::string(name) + "\"", [&] {
    cache_.make_room();
    const DocumentId id = document(name).id;
    is_there = id != 0;
    if (!is_there) return;
    std::optional<std::int64_t> at_ms;
    if (at) at_ms = milliseconds(*at);
    Transaction transaction(connection_);
    update_deleted_at_.execute(id, at_ms);
    transaction.commit();
  });
  return is_there;
}

// Derived as it is, a damaged index is no reason to stop: it is emptied, and made again.
std::size_t SqliteWriter::index(std::span<const IndexStep> steps) {
  std::size_t count = 0;
  guarded("index", [&] {
    cache_.make_room();
    const bool is_damaged = std::ranges::any_of(steps, &IndexStep::finds_damage);
    if (is_damaged) return clear_index();
    try {
      count = write_index(steps);
    } catch (const Error& error) {
      if (error.kind() != Error::Kind::kCorrupt) throw;
      clear_index();
    }
  });
  return count;
}

std::size_t SqliteWriter::write_index(std::span<const IndexStep> steps) {
  std::size_t count = 0;
  Transaction transaction(connection_);
  for (const IndexStep& step : steps) {
    const CachedDocument& here = document(step.document);
    const bool is_of_it = here.id != 0 && here.generation == step.generation;
    if (!is_of_it || !index_rows_.apply(here.id, step)) continue;
    ++count;
    if (!step.done) continue;
    Statement update(connection_,
                     "UPDATE documents SET title = ?2, excerpt = ?3, summary_seq = ?4 "
                     "WHERE id = ?1 AND summary_seq < ?4");
    update.execute(here.id, std::string_view(step.done->title),
                   std::string_view(step.done->excerpt), step.done->seq);
    listing_.refresh(here.id);
  }
  PALIMPSEST_FAILPOINT("mid-index");
  transaction.commit();
  return count;
}

void SqliteWriter::clear_index() {
  Transaction transaction(connection_);
  index_rows_.clear();
  transaction.commit();
}

void SqliteWriter::drop_index(std::string_view name) {
  guarded("taking \"" + std::string(name) + "\" out of the index", [&] {
    cache_.make_room();
    const DocumentId id = document(name).id;
    if (id == 0) return;
    Transaction transaction(connection_);
    forget_words(id);
    note_scrub();
    transaction.commit();
  });
}

// What was derived of a document's text.
void SqliteWriter::forget_words(DocumentId document) {
  try {
    index_rows_.drop(document);
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::kCorrupt) throw;
    index_rows_.clear();
  }
  Statement update(connection_,
                   "UPDATE documents SET title = '', excerpt = '', summary_seq = 0 "
                   "WHERE id = ?1");
  update.execute(document);
  listing_.refresh(document);
}

// Rows that were made by other rules cannot be told apart from those of today, nor taken out.
void SqliteWriter::index_by_todays_rules() {
  connection_.describe("index");
  if (index_rows_.follows_the_rules()) return;
  Transaction transaction(connection_);
  index_rows_.clear();
  index_rows_.note_rules();
  transaction.commit();
}

bool SqliteWriter::is_log_at(const CachedDocument& document, Seq compacted,
                             std::uint64_t rewrites) {
  Execution packed =
      select_compacted_seq_.run(position(document.id, 0), position(document.id, kMaxSeq));
  const bool is_any = packed.next() && packed.optional_integer(0).has_value();
  if ((is_any ? packed.unsigned_integer(0) & kMaxSeq : 0) != compacted) return false;
  return rewrites_of(document.id) == rewrites;
}

std::uint64_t SqliteWriter::rewrites_of(DocumentId document) {
  Statement statement(connection_, "SELECT rewrites FROM documents WHERE id = ?1");
  Execution row = statement.run(document);
  return row.next() ? row.unsigned_integer(0) : 0;
}

void SqliteWriter::insert_segment(const CachedDocument& document, Seq first, Seq last,
                                  Time earliest, Time latest, crdt::ByteView segment) {
  const SegmentPlace place{{Place::Kind::kSegment, document.id, document.generation, last},
                           first,
                           log::number_of(earliest),
                           log::number_of(latest)};
  insert_segment_.execute(position(document.id, last), first, milliseconds(earliest),
                          milliseconds(latest), document.generation,
                          checksum_of_segment(place, segment), segment);
}

bool SqliteWriter::rewrite(const LogRewrite& rewrite, const RewriteReason& reason) {
  bool is_done = false;
  guarded("rewriting of \"" + rewrite.document + "\"", [&] {
    cache_.make_room();
    is_done = replace_pieces(rewrite, reason, document(rewrite.document));
  });
  return is_done;
}

bool SqliteWriter::replace_pieces(const LogRewrite& rewrite, const RewriteReason& reason,
                                  const CachedDocument& document) {
  Transaction transaction(connection_);
  if (!is_as_prepared(rewrite, document)) return false;
  for (const LogRewrite::Piece& piece : rewrite.pieces) put_piece(piece, document);
  if (rewrite.checkpoint) {
    const Place place{Place::Kind::kCheckpoint, document.id, document.generation,
                      rewrite.checkpoint_seq};
    const crdt::ByteView state = *rewrite.checkpoint;
    replace_checkpoint_.execute(document.id, rewrite.checkpoint_seq, document.generation,
                                checksum(place, state), state);
  }
  Statement count(connection_, "UPDATE documents SET rewrites = rewrites + 1 WHERE id = ?1");
  count.execute(document.id);
  forget_history(document.id);
  std::visit([&](const auto& why) { note(why, rewrite.document, document.id); }, reason);
  transaction.commit();
  return true;
}

bool SqliteWriter::is_as_prepared(const LogRewrite& rewrite, const CachedDocument& document) {
  if (document.id == 0 || document.generation != rewrite.generation ||
      !is_log_at(document, rewrite.compacted_seq, rewrite.rewrites))
    return false;
  Statement select(connection_,
                   "SELECT coalesce((SELECT seq FROM checkpoints WHERE document_id = ?1), 0), "
                   "(SELECT count(*) FROM versions WHERE document_id = ?1)");
  Execution present = select.run(document.id);
  return present.next() && present.unsigned_integer(0) == rewrite.checkpoint_seq &&
         present.unsigned_integer(1) == rewrite.versions;
}

void SqliteWriter::put_piece(const LogRewrite::Piece& piece, const CachedDocument& document) {
  const std::int64_t at = position(document.id, piece.last);
  const crdt::ByteView entries = piece.entries;
  if (piece.is_segment) {
    delete_segments_.execute(at, at);
    return insert_segment(document, piece.first, piece.last, piece.earliest, piece.latest, entries);
  }
  delete_rows_.execute(at, at);
  const Place place{Place::Kind::kLogRow, document.id, document.generation, piece.last};
  insert_row_.execute(at, document.generation, checksum(place, entries), entries);
}

void SqliteWriter::note(const Purge& purge, std::string_view name, DocumentId document) {
  forget_words(document);
  note_purge(name, purge);
  note_scrub();
}

void SqliteWriter::note(const Thinned& thinned, std::string_view, DocumentId document) {
  Statement update(connection_,
                   "UPDATE documents SET thinned_until = ?2, thinned_at_ms = ?3, "
                   "thinned_days = ?4 WHERE id = ?1");
  update.execute(document, thinned.until, milliseconds(thinned.at),
                 static_cast<std::int64_t>(thinned.days));
}

Naming SqliteWriter::name_version(std::string_view name, const Version& version) {
  Naming naming = Naming::kNoSuchMoment;
  guarded("naming a version of \"" + std::string(name) + "\"", [&] {
    cache_.make_room();
    const CachedDocument& here = document(name);
    if (here.id != 0 && version.seq <= here.last_seq) naming = insert_version(here, version);
  });
  return naming;
}

Naming SqliteWriter::insert_version(const CachedDocument& document, const Version& version) {
  Transaction transaction(connection_);
  put_version(version, document);
  bool is_ours = false;
  {
    Execution present = select_version_.run(document.id, std::string_view(version.name));
    is_ours = present.next() && present.unsigned_integer(0) == version.seq &&
              present.integer(1) == milliseconds(version.named_at) &&
              present.text(2) == version.named_by;
  }
  transaction.commit();
  return is_ours ? Naming::kDone : Naming::kTaken;
}

void SqliteWriter::note_scan(const Scan& scan) {
  guarded("noting that the store was read", [&] {
    Transaction transaction(connection_);
    Statement(connection_, "INSERT INTO scans (at_ms, findings) VALUES (?1, ?2)")
        .execute(milliseconds(scan.at), static_cast<std::int64_t>(scan.findings));
    transaction.commit();
  });
}

void SqliteWriter::put_version(const Version& version, const CachedDocument& document) {
  insert_version_.execute(document.id, std::string_view(version.name), version.seq,
                          milliseconds(version.named_at), std::string_view(version.named_by));
}

void SqliteWriter::maintain() {
  const std::int64_t bytes = wal_bytes();
  // Less than before: SQLite began at the start of the file again.
  wal_bytes_at_checkpoint_ = std::min(wal_bytes_at_checkpoint_, bytes);
  if (bytes - wal_bytes_at_checkpoint_ < kWalCheckpointBytes) return;
  const bool is_long = bytes > kWalTruncateBytes;
  const int mode = is_long ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  guarded("moving the write-ahead log into the database", [&] { checkpoint_wal(mode); });
}

void SqliteWriter::settle() {
  if (wal_pages_ == 0) return;
  guarded("emptying the write-ahead log", [&] { checkpoint_wal(SQLITE_CHECKPOINT_TRUNCATE); });
}

SqliteWriter::Outcome SqliteWriter::checkpoint_wal(int mode) {
  wal_bytes_at_checkpoint_ = wal_bytes();  // where a reader is in the way, not again at once
  sqlite3_busy_timeout(connection_.handle(), static_cast<int>(kTruncateTimeout.count()));
  const int code = sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr, mode, nullptr, nullptr);
  sqlite3_busy_timeout(connection_.handle(), static_cast<int>(kBusyTimeout.count()));
  if ((code & 0xff) == SQLITE_BUSY) return Outcome::kReaderInTheWay;
  if (code != SQLITE_OK) connection_.fail(code);
  if (mode == SQLITE_CHECKPOINT_TRUNCATE) wal_pages_ = 0;
  return Outcome::kDone;
}

// After a failed fsync the kernel may hold pages of the log for written that never reached the
// disk, and what is committed behind them would be lost with them. Having copied everything into
// the database, whose fsync is a new one, the log begins anew.
void SqliteWriter::empty_wal_on_start() {
  connection_.describe("emptying the write-ahead log at the start");
  if (!empty_wal())
    connection_.fail(Error::Kind::kUnavailable, "another program keeps reading from it");
}

// Waits for readers, but not for ever.
bool SqliteWriter::empty_wal() {
  for (auto waited = kTruncateTimeout; waited < kBusyTimeout; waited += kTruncateTimeout) {
    if (checkpoint_wal(SQLITE_CHECKPOINT_TRUNCATE) == Outcome::kDone) return true;
  }
  return false;
}

std::int64_t SqliteWriter::wal_bytes() const noexcept { return wal_pages_ * page_bytes_; }

}  // namespace palimpsest::storage::sqlite
