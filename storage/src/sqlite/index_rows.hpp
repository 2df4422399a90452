#pragma once

#include <string>

#include "sqlite/connection.hpp"
#include "sqlite/statement.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {

// The rows of the full-text index, as the writer changes them. Each call belongs into a transaction
// of the caller's.
//
// Invariant: index_now has the words of each text in index_texts, and index_past those of each list
//            in index_words, under the same number.
class IndexRows {
 public:
  explicit IndexRows(Connection& connection);

  // False, and nothing is done, where it was prepared of other rows.
  bool apply(DocumentId document, const IndexStep& step);
  // Takes the rows of a document out, and rewrites what FTS5 has of all others: it only notes what
  // goes, and keeps the words until then. Throws Error (kCorrupt) where they cannot be read.
  void drop(DocumentId document);
  // Empties the index of all documents.
  void clear();

  bool follows_the_rules();
  void note_rules();

 private:
  std::uint64_t revision_of(DocumentId document);
  void set_revision(DocumentId document, std::uint64_t revision);

  Connection& connection_;
  Statement select_revision_;
  Statement update_revision_;
  Statement update_done_;
  Statement insert_text_;
  Statement delete_text_;
  Statement insert_words_;
  Statement delete_words_;
  Statement insert_now_;
  Statement delete_now_;
  Statement insert_past_;
  Statement delete_past_;
};

}  // namespace palimpsest::storage::sqlite
