#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sqlite/connection.hpp"
#include "sqlite/statement.hpp"

namespace palimpsest::storage::sqlite {

// What a list of documents is sorted and searched by: derived from title, name and tags, and kept
// beside them.
struct Listed {
  std::string title_key;
  std::string words;
};
Listed listed(std::string_view name, std::string_view title, const std::vector<std::string>& tags);

// Derives it anew for a document, of which something has changed in the same transaction.
class Listing {
 public:
  explicit Listing(Connection& connection);
  void refresh(DocumentId document);

 private:
  Statement select_;
  Statement select_tags_;
  Statement update_;
};

// For all documents: what the third migration cannot do in SQL.
void fill_listing(Connection& connection);

}  // namespace palimpsest::storage::sqlite
