#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "index/changes.hpp"
#include "index/words.hpp"
#include "sqlite/checksum.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/generations.hpp"
#include "sqlite/statement.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {

// Reader over one read-only connection. Every call is one short transaction (verify(): many), so
// that no reader keeps the write-ahead log from being cut down.
class SqliteReader final : public Reader {
 public:
  explicit SqliteReader(const std::filesystem::path& file);

  std::optional<StoredDocument> load(std::string_view document) override;
  std::vector<DocumentSummary> list(std::size_t limit, std::size_t offset) override;
  ListPage list(const ListQuery& query) override;
  std::optional<DocumentSummary> find(std::string_view document, std::string_view user) override;
  std::vector<LogEntry> log(std::string_view document, Seq first, std::size_t limit) override;
  void visit(std::string_view document, Seq first, Seq last, const EntryVisitor& visitor) override;
  std::vector<Author> authors(std::string_view document) override;
  bool read_whole(std::string_view document,
                  const std::function<void(const DocumentHead&)>& show_head,
                  const std::function<void(const PackedStretch&)>& show_stretch) override;
  std::vector<Version> versions(std::string_view document) override;
  std::vector<Purge> purges(std::string_view document) override;
  std::optional<Retention> retention(std::string_view document) override;
  std::vector<Thinnable> thinnable(std::uint32_t days, Seq entries, Time before) override;
  LogVersion log_version(std::string_view document) override;
  std::optional<Removal> prepare_removal(std::string_view document) override;
  std::optional<LogRewrite> prepare_rewrite(std::string_view document,
                                            const Rewriter& rewriter) override;
  std::optional<Compaction> prepare_compaction(std::string_view document,
                                               Occasion occasion) override;
  std::optional<HistoryCheckpoint> kept_history(std::string_view document) override;
  std::optional<HistoryCheckpoint> prepare_history(std::string_view document,
                                                   std::size_t most_bytes,
                                                   Occasion occasion) override;
  SearchPage search(const SearchQuery& query) override;
  Candidates find_candidates(std::string_view text) override;
  std::vector<std::string> unindexed(std::size_t limit) override;
  std::optional<PreparedIndex> prepare_index(std::string_view document,
                                             std::size_t most_bytes) override;
  using Reader::verify;
  std::vector<Finding> verify(const std::function<bool()>& go_on) override;
  std::optional<Scan> last_scan() override;

 private:
  // A row of `documents`, as far as reading the log needs it.
  struct Header {
    DocumentId id = 0;
    std::string name;
    std::uint64_t generation = 0;
    Seq last_seq = 0;
    bool is_in_bin = false;
  };
  // What read_summary() takes.
  static constexpr std::string_view kSummaryColumns =
      "id, name, coalesce(own_title, title), excerpt, own_title IS NOT NULL, created_at_ms, "
      "edited_at_ms, last_seq, summary_seq, deleted_at_ms, history_days";
  // Who wrote what: the names by client.
  using Names = std::unordered_map<crdt::ClientId, std::string>;

  std::optional<Header> find(std::string_view name);
  static DocumentSummary read_summary(const Execution& row);
  std::vector<Version> read_versions(DocumentId document);
  void read_checkpoint(const Header& document, StoredDocument& into);
  std::vector<LogEntry> read_log(const Header& document, Seq first, Seq last);
  std::vector<Author> recent_authors(DocumentId document);
  Names names(const Header& document);
  // Shows what there is of the log from `first` to `last`, which has to be without a gap, and
  // answers the first that is not there.
  Seq read_entries(const Header& document, Seq first, Seq last, const EntryVisitor& visit);
  Seq read_segments(const Header& document, Seq first, Seq last, const EntryVisitor& visit);
  Seq read_rows(const Header& document, Seq first, Seq last, const EntryVisitor& visit);
  // One segment or row, of which entry `expected` is the first that matters.
  template <class Read>
  Seq read_piece(const Header& document, Seq end, Seq expected, Read read);
  // What is wrong with a row of checkpoint_, segments_ or rows_; nothing if it matches its
  // checksum. A row keeps the generation in which it was written, when the document goes on to the
  // next one.
  std::optional<std::string> fault_of_checkpoint(const Header& document, const Execution& row);
  std::optional<std::string> fault_of_segment(const Header& document, const Execution& row);
  std::optional<std::string> fault_of_row(const Header& document, const Execution& row);
  // nullptr where there is none.
  static const char* flaw_of(const Header& document, const Place& place, bool matches);
  [[noreturn]] void fail_corrupt(const Header& document, const std::string& cause) const;

  // In whole.cpp.
  DocumentHead read_head(const Header& document);
  Notes read_notes(const Header& document);
  Seq show_segments(const Header& document, const std::function<void(const PackedStretch&)>& show);

  // In compaction.cpp.
  void verify_segment(const Compaction& compaction, std::uint64_t sum) const;
  Seq packed_seq(const Header& document);
  Seq seq_to_pack(const Header& document, Seq packed, Occasion occasion);
  std::uint64_t update_bytes_of(const Header& document, crdt::ByteView segment);
  Seq first_to_pack(const Header& document, Seq packed, Seq last, Occasion occasion);

  // In search.cpp.
  ListPage list_page(Execution& row, std::string_view user, std::size_t limit);
  void add_details(DocumentSummary& summary, std::string_view user);
  std::string name_of_client(DocumentId document, crdt::ClientId client);
  bool follows_the_rules();
  std::vector<Snippet> snippets(DocumentId document, const std::vector<index::Term>& terms);
  std::optional<Snippet> snippet(std::int64_t row, const std::vector<index::Term>& terms);
  std::string match_anywhere(const index::Term& term);

  // In history_pieces.cpp.
  struct HistoryHead {
    Seq seq = 0;
    std::uint64_t generation = 0;
    std::int64_t side = 0;
    std::uint64_t checksum = 0;
  };
  std::optional<HistoryHead> history_head(const Header& document);
  std::optional<crdt::Bytes> read_history(const Header& document, const HistoryHead& head);

  // In prepare_index.cpp.
  struct IndexedRows;
  std::optional<IndexedRows> indexed_rows(const std::string& name);
  bool read_gone_texts(const std::string& name, const std::vector<index::TextRow>& gone,
                       IndexStep& changes);

  // In removal.cpp.
  std::optional<crdt::StateVector> given_out(const Header& document);
  crdt::StateVector all_of_its_authors(const Header& document);

  // In rewrite.cpp.
  std::vector<Purge> read_purges(std::string_view name);
  std::uint64_t rewrites(const Header& document);
  void rewrite_checkpoint(const Header& document, const Rewriter& rewriter, LogRewrite& into);
  Retention retention(const Header& document);
  std::size_t version_count(const Header& document);
  template <class PieceWriter, class Read>
  void rewrite_piece(const Rewriter& rewriter, LogRewrite::Piece piece, Read read,
                     LogRewrite& into);

  // In verify.cpp.
  std::vector<std::string> document_names();
  std::vector<Finding> findings_in(const std::string& name);
  void verify_database(std::vector<Finding>& findings);
  void verify_document(const std::string& name, std::vector<Finding>& findings);
  std::optional<StoredDocument> verify_checkpoint(const Header& document,
                                                  std::vector<Finding>& findings);
  void verify_history(const Header& document, std::vector<Finding>& findings);
  void verify_end(const Header& document, std::vector<Finding>& findings);
  Seq verify_log(const Header& document, Seq first, const EntryVisitor& visit,
                 std::vector<Finding>& findings);

  Connection connection_;
  Statement find_;
  Statement checkpoint_;
  Statement segments_;
  Statement rows_;
  Statement list_;
  Statement authors_;
  Statement names_;
  Statement tags_;
  Statement star_;
  Statement size_;
  Statement activity_;
  Statement name_;
  Statement versions_;
  Generations generations_;
};

}  // namespace palimpsest::storage::sqlite
