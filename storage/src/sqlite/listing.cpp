#include "sqlite/listing.hpp"

#include "index/words.hpp"

namespace palimpsest::storage::sqlite {

Listed listed(std::string_view name, std::string_view title, const std::vector<std::string>& tags) {
  std::vector<std::string_view> fields = {title, name};
  fields.insert(fields.end(), tags.begin(), tags.end());
  // What has no title comes behind all that have one.
  const std::string key =
      title.empty() ? "1" + index::indexed_words(name) : "0" + index::indexed_words(title);
  return {key, index::listed_words(fields)};
}

Listing::Listing(Connection& connection)
    : select_(connection, "SELECT name, coalesce(own_title, title) FROM documents WHERE id = ?1"),
      select_tags_(connection, "SELECT tag FROM tags WHERE document_id = ?1 ORDER BY tag"),
      update_(connection, "UPDATE documents SET title_key = ?2, list_words = ?3 WHERE id = ?1") {}

void Listing::refresh(DocumentId document) {
  std::vector<std::string> tags;
  Listed derived;
  {
    Execution tag = select_tags_.run(document);
    while (tag.next()) tags.emplace_back(tag.text(0));
    Execution row = select_.run(document);
    if (!row.next()) return;
    derived = listed(row.text(0), row.text(1), tags);
  }
  update_.execute(document, std::string_view(derived.title_key), std::string_view(derived.words));
}

void fill_listing(Connection& connection) {
  std::vector<DocumentId> documents;
  {
    Statement all(connection, "SELECT id FROM documents");
    Execution row = all.run();
    while (row.next()) documents.push_back(row.integer(0));
  }
  Listing listing(connection);
  for (const DocumentId document : documents) listing.refresh(document);
}

}  // namespace palimpsest::storage::sqlite
