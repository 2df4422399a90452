#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "crdt/error.hpp"
#include "log/row.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/document_cache.hpp"
#include "sqlite/generations.hpp"
#include "sqlite/index_rows.hpp"
#include "sqlite/listing.hpp"
#include "sqlite/statement.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {

// Writer over the one connection that writes and checkpoints. That there is only one is also what
// keeps us clear of the WAL-reset defect of SQLite before 3.51.3, which takes two connections that
// write or checkpoint at the same instant.
//
// Invariant: what cache_ says is what the database says, unless has_failed_.
class SqliteWriter final : public Writer {
 public:
  // `keep_alive` is let go of with the writer: what must outlive it, such as the directory's lock.
  SqliteWriter(const std::filesystem::path& file, std::shared_ptr<const void> keep_alive);
  SqliteWriter(const SqliteWriter&) = delete;  // SQLite calls it back by its address
  SqliteWriter& operator=(const SqliteWriter&) = delete;

  void append(std::span<const Append> batch) override;
  void write_checkpoint(const Checkpoint& checkpoint) override;
  bool compact(const Compaction& compaction) override;
  bool edit(const DocumentEdit& edit) override;
  bool put_into_bin(std::string_view document, Time at) override;
  bool take_from_bin(std::string_view document) override;
  std::size_t index(std::span<const IndexStep> steps) override;
  void drop_index(std::string_view document) override;
  bool keep_history(const HistoryStep& step) override;
  void create(std::span<const WholeDocument> documents) override;
  bool rewrite(const LogRewrite& rewrite, const RewriteReason& reason) override;
  Removed remove(const Removal& removal, const Purge& purge) override;
  bool scrub() override;
  Naming name_version(std::string_view document, const Version& version) override;
  void note_scan(const Scan& scan) override;
  void maintain() override;
  void settle() override;

 private:
  Naming insert_version(const CachedDocument& document, const Version& version);
  using DocumentRefs = std::vector<CachedDocument*>;

  // The document of each append, having verified that its seq is the next one.
  DocumentRefs verify_sequence(std::span<const Append> batch);
  void write_batch(std::span<const Append> batch, const DocumentRefs& documents);
  void write_row(std::span<const Append* const> appends, CachedDocument& document);
  void note_authors(const Append& append, CachedDocument& document);
  bool replace_rows(const Compaction& compaction, const CachedDocument& document);
  bool replace_pieces(const LogRewrite& rewrite, const RewriteReason& reason,
                      const CachedDocument& document);
  bool is_as_prepared(const LogRewrite& rewrite, const CachedDocument& document);
  void put_piece(const LogRewrite::Piece& piece, const CachedDocument& document);
  void note(const Purge& purge, std::string_view name, DocumentId document);
  void note(const Thinned& thinned, std::string_view name, DocumentId document);
  // Whether the log is packed up to there and was rewritten so many times.
  bool is_log_at(const CachedDocument& document, Seq compacted, std::uint64_t rewrites);
  void insert_segment(const CachedDocument& document, Seq first, Seq last, Time earliest,
                      Time latest, crdt::ByteView segment);
  void update_document(const CachedDocument& document);
  void replace_checkpoint(const Checkpoint& checkpoint, const CachedDocument& document);
  void write_edit(const DocumentEdit& edit, DocumentId document);
  void set_by_hand(const DocumentEdit& edit, DocumentId document);
  void put_version(const Version& version, const CachedDocument& document);
  bool set_deleted_at(std::string_view document, std::optional<Time> at);
  std::size_t write_index(std::span<const IndexStep> steps);
  void clear_index();
  void forget_words(DocumentId document);
  void index_by_todays_rules();
  void put_checkpoint(const Checkpoint& checkpoint, const CachedDocument& document);

  std::uint64_t rewrites_of(DocumentId document);

  // In history_pieces.cpp.
  bool put_history_piece(const HistoryStep& step, const CachedDocument& document);
  void forget_history(DocumentId document);

  // In removal.cpp.
  Removed remove_from_bin(const Removal& removal, const Purge& purge,
                          const CachedDocument& document);
  void delete_document(DocumentId document);
  void note_purge(std::string_view document, const Purge& purge);
  void note_scrub();
  bool scrub_what_is_due();
  void scrub_on_start();

  // In whole.cpp.
  void insert_all(std::span<const WholeDocument> documents);
  void refuse_taken(std::span<const WholeDocument> documents);
  void insert_whole(const WholeDocument& whole);
  void insert_contributors(const WholeDocument& whole, CachedDocument& here);
  void insert_notes(const Notes& notes, std::string_view name, const CachedDocument& here);

  CachedDocument& document(std::string_view name);
  std::optional<CachedDocument> read_document(std::string_view name);
  void insert_document(std::string_view name, Time at, CachedDocument& document);
  CachedAuthor& author(const Author& author, Seq seq, CachedDocument& document);
  CachedAuthor read_or_insert_author(const Author& author, Seq seq, const CachedDocument& document);

  enum class Outcome { kDone, kReaderInTheWay };
  Outcome checkpoint_wal(int mode);
  void empty_wal_on_start();
  bool empty_wal();
  std::int64_t wal_bytes() const noexcept;

  static std::int64_t milliseconds(Time time) { return time.time_since_epoch().count(); }

  // Runs something that writes. When that throws an Error, its outcome is unknown, and so is what
  // cache_ says: this writer is finished, and refuses from then on.
  template <typename Work>
  void guarded(std::string operation, Work work);
  [[noreturn]] void refuse() const;

  std::shared_ptr<const void> keep_alive_;
  Connection connection_;
  DocumentCache cache_;
  bool has_failed_ = false;
  std::optional<Error> failure_;  // why, where that could be kept

  log::RowWriter row_;                        // being put together
  std::int64_t page_bytes_ = 0;               // of one page in the write-ahead log
  std::int64_t wal_pages_ = 0;                // in the write-ahead log after the last commit
  std::int64_t wal_bytes_at_checkpoint_ = 0;  // when the last one was tried

  Statement select_document_;
  Statement select_recent_authors_;
  Statement insert_document_;
  Statement update_document_;
  Statement select_author_;
  Statement insert_author_;
  Statement name_author_;
  Statement insert_row_;
  Statement select_compacted_seq_;
  Statement delete_rows_;
  Statement delete_segments_;
  Statement insert_segment_;
  Statement select_checkpoint_seq_;
  Statement replace_checkpoint_;
  Statement update_summary_;
  Statement update_deleted_at_;
  Listing listing_;
  IndexRows index_rows_;
  Statement insert_version_;
  Statement select_version_;
  Generations generations_;
};

template <typename Work>
void SqliteWriter::guarded(std::string operation, Work work) {
  connection_.describe(std::move(operation));
  if (has_failed_) refuse();
  has_failed_ = true;  // first of all: there may be no memory for saying why
  try {
    work();
    has_failed_ = false;
  } catch (const crdt::Bug&) {
    has_failed_ = false;  // the caller's, and noticed before anything was written
    throw;
  } catch (const NameTaken&) {
    has_failed_ = false;  // likewise
    throw;
  } catch (const Error& error) {
    failure_ = error;
    throw;
  } catch (const std::exception& error) {
    failure_ = Error(Error::Kind::kIo, error.what());
    throw;
  }
}

}  // namespace palimpsest::storage::sqlite
