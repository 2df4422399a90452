#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "index/activity.hpp"
#include "index/letters.hpp"
#include "index/packed.hpp"
#include "index/snippet.hpp"
#include "index/words.hpp"
#include "sqlite/position.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/transaction.hpp"

// What Reader answers from the index: pages of lists, searches.
namespace palimpsest::storage::sqlite {
namespace {

constexpr std::size_t kSnippets = 3;
// Of words that a piece of a word is in; where it is in more, it tells nothing.
constexpr std::size_t kWordsWithPiece = 256;

// An array for json_each(): strings without control characters.
std::string json_array(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const std::string& text : texts) {
    if (json.size() > 1) json += ',';
    json += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') json += '\\';
      json += c;
    }
    json += '"';
  }
  return json + "]";
}

template <class Form>
std::vector<std::string> each(const std::vector<index::Term>& terms, Form&& form) {
  std::vector<std::string> all;
  all.reserve(terms.size());
  for (const index::Term& term : terms) all.push_back(form(term));
  return all;
}

// How a list is ordered: by what, in which direction.
struct Ordering {
  std::string_view key;
  bool is_rising;
};
Ordering ordering_of(ListQuery::Order order) {
  switch (order) {
    case ListQuery::Order::kEdited:
      return {"edited_at_ms", false};
    case ListQuery::Order::kCreated:
      return {"created_at_ms", false};
    case ListQuery::Order::kTitle:
      return {"title_key", true};
    case ListQuery::Order::kDeleted:
      return {"deleted_at_ms", false};
  }
  return {};
}

std::string page_sql(std::string_view columns, const Ordering& ordering,
                     const std::string& condition, bool has_place) {
  const std::string key(ordering.key);
  const std::string direction = ordering.is_rising ? "" : " DESC";
  const char* const behind = ordering.is_rising ? " > " : " < ";
  std::string sql =
      "SELECT " + std::string(columns) + ", " + key + " FROM documents WHERE " + condition;
  if (has_place) sql += " AND (" + key + ", id)" + behind + "(?1, ?2)";
  return sql + " ORDER BY " + key + direction + ", id" + direction + " LIMIT ?3";
}

}  // namespace

ListPage SqliteReader::list(const ListQuery& query) {
  connection_.describe("list");
  const Ordering ordering = ordering_of(query.order);
  const std::vector<index::Term> terms = index::parse_query(query.words);
  if (terms.empty() && !query.words.empty() &&
      query.words.find_first_not_of(" \t\n\"") != std::string::npos) {
    return {};  // nothing in it that could be in a title
  }
  std::string condition = query.in_bin ? "deleted_at_ms IS NOT NULL" : "deleted_at_ms IS NULL";
  if (query.tag) {
    condition += " AND EXISTS (SELECT 1 FROM tags WHERE document_id = documents.id AND tag = ?4)";
  }
  if (query.only_starred) {
    condition += " AND EXISTS (SELECT 1 FROM stars WHERE document_id = documents.id AND user = ?5)";
  }
  if (!terms.empty()) {
    condition += " AND NOT EXISTS (SELECT 1 FROM json_each(?6) WHERE instr(list_words, value) = 0)";
  }
  const std::string sql =
      page_sql(kSummaryColumns, ordering, condition + " AND ?4 = ?4 AND ?5 = ?5 AND ?6 = ?6",
               query.after.has_value());
  Transaction snapshot(connection_);
  Statement select(connection_, sql);
  const ListPlace after = query.after.value_or(ListPlace{});
  const std::string tag = query.tag.value_or("");
  const std::string words = json_array(each(terms, index::match_listed));
  const auto rows = static_cast<std::int64_t>(query.limit) + 1;
  const std::string_view user = query.user;
  if (ordering.is_rising) {
    Execution row = select.run(std::string_view(after.title), after.document, rows,
                               std::string_view(tag), user, std::string_view(words));
    return list_page(row, query.user, query.limit);
  }
  Execution row = select.run(after.time, after.document, rows, std::string_view(tag), user,
                             std::string_view(words));
  return list_page(row, query.user, query.limit);
}

// Of kSummaryColumns and what they are ordered by, one more than are wanted.
ListPage SqliteReader::list_page(Execution& row, std::string_view user, std::size_t limit) {
  constexpr int kKey = 11;
  ListPage page;
  ListPlace last;
  while (row.next()) {
    if (page.documents.size() == limit) {
      page.next = last;
      break;
    }
    page.documents.push_back(read_summary(row));
    last = {row.integer(kKey), std::string(row.text(kKey)), page.documents.back().id};
  }
  for (DocumentSummary& summary : page.documents) add_details(summary, user);
  return page;
}

std::optional<DocumentSummary> SqliteReader::find(std::string_view name, std::string_view user) {
  connection_.describe("look for \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  Statement select(connection_,
                   "SELECT " + std::string(kSummaryColumns) + " FROM documents WHERE name = ?1");
  Execution row = select.run(name);
  if (!row.next()) return std::nullopt;
  DocumentSummary summary = read_summary(row);
  add_details(summary, user);
  return summary;
}

void SqliteReader::add_details(DocumentSummary& summary, std::string_view user) {
  summary.authors = recent_authors(summary.id);
  Execution tag = tags_.run(summary.id);
  while (tag.next()) summary.tags.emplace_back(tag.text(0));
  Execution star = star_.run(summary.id, user);
  summary.is_starred = star.next();
  Execution size = size_.run(summary.id, position(summary.id, kMaxSeq));
  if (size.next()) summary.size_bytes = size.unsigned_integer(0);
  {
    Execution activity = activity_.run(summary.id);
    if (activity.next()) summary.activity = index::decode_activity(activity.blob(0));
  }
  std::map<crdt::ClientId, std::string> names;
  for (Activity& period : summary.activity) {
    for (Activity::Share& share : period.shares) {
      const auto [name, is_new] = names.try_emplace(share.client);
      if (is_new && share.client != 0) name->second = name_of_client(summary.id, share.client);
      share.name = name->second;
    }
  }
}

std::string SqliteReader::name_of_client(DocumentId document, crdt::ClientId client) {
  Execution row = name_.run(document, client);
  return row.next() ? std::string(row.text(0)) : "";
}

// The index may be of another version of this program, until the server starts the next time.
bool SqliteReader::follows_the_rules() {
  return connection_.query_text("SELECT version FROM index_rules") == index::rules_version();
}

SearchPage SqliteReader::search(const SearchQuery& query) {
  connection_.describe("search");
  const std::vector<index::Term> terms = index::parse_query(query.text);
  const bool is_now = query.in == SearchQuery::In::kNow;
  SearchPage page;
  Transaction snapshot(connection_);
  {
    Statement behind(connection_,
                     "SELECT count(*) FROM documents LEFT JOIN indexed ON document_id = id "
                     "WHERE deleted_at_ms IS NULL AND coalesce(" +
                         std::string(is_now ? "seq" : "past_seq") + ", 0) < last_seq");
    Execution row = behind.run();
    if (row.next()) page.behind = row.unsigned_integer(0);
  }
  if (terms.empty() || !follows_the_rules()) return page;

  // Each term with the documents that have it somewhere; those that have all of them.
  const std::string table = is_now ? "index_now" : "index_past";
  std::string found = "SELECT term.key AS term, " + table +
                      ".rowid >> 32 AS document FROM json_each(?4) AS term CROSS JOIN " + table +
                      " ON " + table + " MATCH term.value";
  if (is_now) {
    found +=
        " UNION SELECT term.key, documents.id FROM json_each(?5) AS term "
        "CROSS JOIN documents ON instr(list_words, term.value) > 0";
  }
  const std::string condition =
      "deleted_at_ms IS NULL AND ?5 = ?5 AND id IN (SELECT document FROM (" + found +
      ") GROUP BY document HAVING count(DISTINCT term) = ?6)";
  Statement select(connection_, page_sql(kSummaryColumns, ordering_of(ListQuery::Order::kEdited),
                                         condition, query.after.has_value()));
  const ListPlace after = query.after.value_or(ListPlace{});
  const std::string in_text =
      json_array(each(terms, is_now ? index::match_phrase : index::match_words));
  const std::string in_list = json_array(each(terms, index::match_listed));
  ListPage hits;
  {
    Execution row =
        select.run(after.time, after.document, static_cast<std::int64_t>(query.limit) + 1,
                   std::string_view(in_text), std::string_view(in_list), terms.size());
    hits = list_page(row, query.user, query.limit);
  }
  page.next = std::move(hits.next);
  for (DocumentSummary& document : hits.documents) {
    SearchHit& hit = page.hits.emplace_back();
    if (is_now) hit.snippets = snippets(document.id, terms);
    hit.document = std::move(document);
  }
  return page;
}

// Of the first row for each term, each row once.
std::vector<Snippet> SqliteReader::snippets(DocumentId document,
                                            const std::vector<index::Term>& terms) {
  std::vector<std::int64_t> rows;
  Statement select(connection_,
                   "SELECT rowid FROM index_now WHERE index_now MATCH ?1 "
                   "AND rowid BETWEEN ?2 AND ?3 LIMIT 1");
  for (const index::Term& term : terms) {
    const std::string match = index::match_phrase(term);
    Execution row =
        select.run(std::string_view(match), position(document, 0), position(document, kMaxSeq));
    if (!row.next()) continue;
    const std::int64_t at = row.integer(0);
    if (std::find(rows.begin(), rows.end(), at) == rows.end()) rows.push_back(at);
  }
  std::vector<Snippet> all;
  for (const std::int64_t at : rows) {
    if (all.size() == kSnippets) break;
    if (auto one = snippet(at, terms)) all.push_back(std::move(*one));
  }
  return all;
}

// Of a damaged row there is none, and the words were found all the same; whoever indexes the
// document next sees it.
std::optional<Snippet> SqliteReader::snippet(std::int64_t row,
                                             const std::vector<index::Term>& terms) {
  Statement select(connection_, "SELECT bytes FROM index_texts WHERE position = ?1");
  Execution found = select.run(row);
  if (!found.next()) return std::nullopt;
  const auto text = index::unpack(found.blob(0));
  return text ? index::snippet_of(terms, *text) : std::nullopt;
}

Candidates SqliteReader::find_candidates(std::string_view text) {
  connection_.describe("search");
  Transaction snapshot(connection_);
  const bool is_usable = follows_the_rules();
  Candidates candidates;
  {
    Statement behind(connection_,
                     "SELECT name FROM documents LEFT JOIN indexed ON document_id = id "
                     "WHERE ?1 = 0 OR coalesce(past_seq, 0) < last_seq ORDER BY edited_at_ms DESC");
    Execution row = behind.run(is_usable ? 1 : 0);
    while (row.next()) candidates.behind.emplace_back(row.text(0));
  }
  if (!is_usable) return candidates;
  index::Term term;
  index::for_each_word(text, [&](const index::Word& word) { term.words.push_back(word.indexed); });
  const std::string match = match_anywhere(term);
  const std::string condition =
      match.empty() ? "?1 = ?1"
                    : "id IN (SELECT rowid >> 32 FROM index_past WHERE index_past MATCH ?1)";
  Statement select(connection_,
                   "SELECT name FROM documents JOIN indexed ON document_id = id WHERE " +
                       condition + " AND past_seq = last_seq ORDER BY edited_at_ms DESC");
  Execution row = select.run(std::string_view(match));
  while (row.next()) candidates.found.emplace_back(row.text(0));
  return candidates;
}

// The words of a piece of text, of which the first may be the end of a longer one, and the last the
// beginning. Empty where that says nothing about a document.
std::string SqliteReader::match_anywhere(const index::Term& term) {
  const auto& words = term.words;
  std::string match;
  for (std::size_t i = 1; i < words.size(); ++i) {
    match += (match.empty() ? "\"" : " AND \"") + words[i] + (i + 1 < words.size() ? "\"" : "\" *");
  }
  if (words.empty()) return match;
  Statement select(connection_, "SELECT term FROM index_past_words WHERE instr(term, ?1) > 0");
  Execution row = select.run(std::string_view(words.front()));
  std::string first;
  std::size_t count = 0;
  while (row.next()) {
    if (++count > kWordsWithPiece) return match;
    first += (first.empty() ? "(\"" : " OR \"") + std::string(row.text(0)) + "\"";
  }
  // None: then a word that there is none of.
  first = first.empty() ? "\"" + words.front() + "\"" : first + ")";
  return match.empty() ? first : first + " AND " + match;
}

std::vector<std::string> SqliteReader::unindexed(std::size_t limit) {
  connection_.describe("index");
  Statement select(connection_,
                   "SELECT name FROM documents LEFT JOIN indexed ON document_id = id "
                   "WHERE coalesce(seq, 0) < last_seq ORDER BY edited_at_ms DESC LIMIT ?1");
  std::vector<std::string> names;
  Execution row = select.run(static_cast<std::int64_t>(limit));
  while (row.next()) names.emplace_back(row.text(0));
  return names;
}

}  // namespace palimpsest::storage::sqlite
