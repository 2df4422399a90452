// The index over all documents: lists, full-text search, what keeps it and what becomes of it.

#include <algorithm>
#include <random>

#include <rapidcheck.h>

#include "builders.hpp"
#include "crdt/doc.hpp"
#include "index/changes.hpp"
#include "index/letters.hpp"
#include "index/pieces.hpp"
#include "index/words.hpp"
#include "raw_database.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;

using namespace storage;
using Names = std::vector<std::string>;

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

// A store with documents that are written, indexed and looked for.
class Library {
 public:
  Library() { open(); }

  void open() {
    reader_.reset();
    writer_.reset();
    store_.reset();
    store_ = open_sqlite_store(directory_.path(), Access::kReadWrite);
    writer_ = store_->writer();
    reader_ = store_->reader();
  }

  template <class Change>
  void write(const std::string& name, Change&& change) {
    Document& document = documents_[name];
    const crdt::Bytes update = document.doc.transact(7, std::forward<Change>(change));
    append(name, update);
  }
  void append(const std::string& name, const crdt::Bytes& update) {
    Append append = entry_by({7, "Ada"}, name, ++documents_[name].seq, "");
    append.at = time(++now_ms_ * 1000);
    append.update = std::make_shared<const crdt::Bytes>(update);
    append_one(*writer_, append);
  }
  void insert(const std::string& name, std::size_t at, const std::string& text) {
    write(name, [&](crdt::Transaction& t) { t.text_insert("content", at, text); });
  }
  void erase(const std::string& name, std::size_t at, std::size_t length) {
    write(name, [&](crdt::Transaction& t) { t.text_delete("content", at, length); });
  }

  std::size_t index(const std::string& name, std::size_t most_bytes = kMostBytes) {
    auto prepared = reader_->prepare_index(name, most_bytes);
    if (!prepared) return 0;
    if (prepared->steps.back().done) prepared->steps.back().done->title = prepared->main_text;
    return writer_->index(prepared->steps);
  }
  void index_all() {
    for (const std::string& name : reader_->unindexed(1000)) index(name);
  }

  Names search(const std::string& text, SearchQuery::In in = SearchQuery::In::kNow) {
    SearchQuery query;
    query.text = text;
    query.in = in;
    Names names;
    for (const SearchHit& hit : reader_->search(query).hits) names.push_back(hit.document.name);
    std::sort(names.begin(), names.end());
    return names;
  }
  Names past(const std::string& text) { return search(text, SearchQuery::In::kPast); }
  Names list(const ListQuery& query = {}) {
    Names names;
    for (const DocumentSummary& document : reader_->list(query).documents) {
      names.push_back(document.name);
    }
    return names;
  }

  Writer& writer() { return *writer_; }
  Reader& reader() { return *reader_; }
  const crdt::Doc& doc(const std::string& name) { return documents_[name].doc; }
  fs::path file() const { return directory_.path() / "palimpsest.db"; }
  void close() {
    reader_.reset();
    writer_->settle();
    writer_.reset();
    store_.reset();
  }

 private:
  struct Document {
    crdt::Doc doc;
    Seq seq = 0;
  };

  TempDirectory directory_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> reader_;
  std::map<std::string, Document> documents_;
  std::int64_t now_ms_ = 1'000'000;
};

// --- Words ---

TEST_CASE("words are told apart as FTS5 tells them", "[words]") {
  const auto [text, words] = GENERATE(table<std::string, std::string>({
      {"The Ferry, stopped.", "the ferry stopped"},
      {"Ça et là: ÉTÉ Ångström", "ca et la ete angstrom"},
      {"e\xCC\x81t\xCC\x81", "et"},  // marks as characters of their own
      {"don't stop-gap 3.14", "don t stop gap 3 14"},
      {"Привет, МИР", "привет мир"},
      {"我们都是", "我 们 都 是"},
      {"日本語のABCテスト", "日 本 語 の abc テ ス ト"},
      {"हिन्दी में", "हिन्दी में"},
      {"한국어 문서", "한국어 문서"},
      {"so 😀 nice", "so u1f600 nice"},
      {"-- \n ** ()", ""},
      {"\xEF\xBF\xBC"
       "a\xEF\xBF\xBD"
       "b",
       "a b"},
  }));
  CHECK(index::indexed_words(text) == words);
  // So that FTS5, which is given these words, finds the same ones in them.
  CHECK(index::indexed_words(words) == words);
}

TEST_CASE("every letter stands for one that stands for itself", "[words]") {
  const crdt::Letters& letters = index::letters();
  std::size_t known = 0;
  for (std::size_t unit = 0; unit < crdt::Letters::kUnits; ++unit) {
    const char16_t letter = letters.letter[unit];
    if (letter <= crdt::Letters::kMark) continue;
    ++known;
    if (letters.letter[letter] != letter) FAIL_CHECK(unit << " stands for " << std::size_t{letter});
  }
  CHECK(known > 40'000);
  CHECK(letters.letter[0xD800] == crdt::Letters::kSeparator);
  CHECK(letters.letter[0xDC00] == crdt::Letters::kSeparator);
}

TEST_CASE("a query is terms: words that others begin with, and phrases in quotation marks",
          "[words]") {
  const auto terms = index::parse_query(R"(fer "The ferry  stopped" don't "" " +" "open end)");
  REQUIRE(terms.size() == 4);
  CHECK((terms[0].words == Names{"fer"} && terms[0].is_beginning));
  CHECK((terms[1].words == Names{"the", "ferry", "stopped"} && !terms[1].is_beginning));
  CHECK((terms[2].words == Names{"don", "t"} && terms[2].is_beginning));
  CHECK((terms[3].words == Names{"open", "end"} && !terms[3].is_beginning));
  CHECK(terms[3].written == "open end");
  CHECK(index::match_phrase(terms[2]) == R"("don t" *)");
  CHECK(index::match_words(terms[1]) == R"("the" AND "ferry" AND "stopped")");
}

// --- Pieces ---

std::string random_text(std::mt19937_64& chance, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    text += std::string(1 + chance() % 9, static_cast<char>('a' + chance() % 26));
    text += chance() % 12 == 0 ? "\n" : " ";
  }
  return text;
}

TEST_CASE("a text is cut into pieces that are all of it, and none is too large", "[pieces]") {
  std::mt19937_64 chance(5);
  for (const std::string& text : {std::string(), std::string("short"), random_text(chance, 300'000),
                                  std::string(100'000, 'x'), std::string(90'000, ' ')}) {
    std::string all;
    for (const std::string_view piece : index::pieces_of(text)) {
      CHECK((!piece.empty() && piece.size() <= index::kLargestPiece));
      all += piece;
    }
    CHECK(all == text);
  }
  std::string snowmen;
  for (int i = 0; i < 40'000; ++i) snowmen += "☃";
  for (const std::string_view piece : index::pieces_of(snowmen)) CHECK(piece.size() % 3 == 0);
}

TEST_CASE("a change of a long text changes a few of its pieces", "[pieces]") {
  std::mt19937_64 chance(6);
  std::string text = random_text(chance, 1'000'000);
  const auto before = index::compare_texts({}, {text});
  REQUIRE(before.added.size() > 40);
  std::vector<index::TextRow> rows;
  for (const auto& row : before.added) rows.push_back({row.number, row.hash});
  CHECK(index::compare_texts(rows, {text}).added.empty());
  CHECK(index::compare_texts(rows, {text}).gone.empty());
  for (int i = 0; i < 20; ++i) {
    const std::size_t at = chance() % text.size();
    const auto changed = index::compare_texts(rows, {text.substr(0, at) + "q" + text.substr(at)});
    CHECK((!changed.added.empty() && changed.added.size() <= 4));
    CHECK(changed.gone.size() <= 4);
  }
}

TEST_CASE("a document's words are in few rows, and each is written a few times", "[index]") {
  std::vector<index::WordsRow> rows;
  std::size_t written = 0;
  Names all;
  for (int i = 0; i < 2000; ++i) {
    const std::string word = "w" + std::to_string(i * 7919 % 10'007) + "x";
    all.push_back(word);
    const auto changes = index::compare_words(rows, {word});
    std::erase_if(rows, [&](const index::WordsRow& row) {
      return std::any_of(changes.gone.begin(), changes.gone.end(),
                         [&](const auto& gone) { return gone.number == row.number; });
    });
    for (const auto& added : changes.added) {
      Names words;
      for (std::size_t at = 0; at < added.words.size();) {
        const std::size_t end = std::min(added.words.find(' ', at), added.words.size());
        words.push_back(added.words.substr(at, end - at));
        at = end + 1;
      }
      written += words.size();
      rows.push_back({added.number, words});
    }
  }
  CHECK(rows.size() < 16);
  CHECK(written < 2000 * 24);
  Names kept;
  for (const auto& row : rows) kept.insert(kept.end(), row.words.begin(), row.words.end());
  std::sort(kept.begin(), kept.end());
  std::sort(all.begin(), all.end());
  CHECK(kept == all);
  CHECK(index::compare_words(rows, {"v0"}).added.size() == 1);
  CHECK(index::compare_words(rows, {all[5], all[9].substr(0, 2)}).added.empty());
}

// --- Search ---

TEST_CASE("documents are found by what they say now, and by what they once said", "[search]") {
  Library library;
  library.insert("notes", 0, "The ferry stopped running in the spring");
  library.erase("notes", 4, 5);
  library.insert("notes", 4, "boat");
  library.insert("other", 0, "A boat, and nothing else");
  library.index_all();
  CHECK(library.search("boat") == Names{"notes", "other"});
  CHECK(library.search("BOAT stop") == Names{"notes"});
  CHECK(library.search("\"the boat stopped\"") == Names{"notes"});
  CHECK(library.search("\"boat the\"").empty());
  CHECK(library.search("ferry").empty());
  CHECK(library.past("ferry") == Names{"notes"});
  CHECK(library.past("boat") == Names{"notes", "other"});
  CHECK(library.past("fer boa") == Names{"notes"});
  CHECK(library.past("erry").empty());  // words are found from their beginning
  CHECK(library.past("steamer").empty());
}

TEST_CASE("a word that stood whole only between two deletions is found", "[search]") {
  Library library;
  library.insert("notes", 0, "con-tin-ent");
  library.erase("notes", 3, 1);
  library.erase("notes", 6, 1);
  library.erase("notes", 0, 3);
  library.index_all();
  CHECK(library.past("continent") == Names{"notes"});
  CHECK(library.past("contin") == Names{"notes"});
  CHECK(library.search("continent").empty());
}

TEST_CASE("nothing that a user types is taken for an operator", "[search]") {
  Library library;
  library.insert("notes", 0, "near or not and column words");
  library.index_all();
  const std::string text =
      GENERATE("\"", "\"\"", "a\"b\"c\"", "NEAR(a b)", "words:a", "-words", "*", "a*", "(", ")",
               "a AND", "OR OR", "NOT a", "^near", "+", "{a b}:c", "'; DROP TABLE documents; --",
               "\\\"", "\x01\x02", "%", "\xff\xfe", "a\xC3", " ", "…", "\"a\" * \"b\"");
  CAPTURE(text);
  CHECK_NOTHROW(library.search(text));
  CHECK_NOTHROW(library.past(text));
  CHECK_NOTHROW(library.reader().find_candidates(text));
  ListQuery query;
  query.words = text;
  CHECK_NOTHROW(library.list(query));
  CHECK(library.search("near OR not AND") == Names{"notes"});  // words like others
}

TEST_CASE("search does not mind case, diacritics and scripts without spaces", "[search]") {
  Library library;
  library.insert("french", 0, "L'Été à Ängelholm");
  library.insert("chinese", 0, "我们都是好朋友");
  library.insert("russian", 0, "Большой Театр");
  library.insert("emoji", 0, "so 😀😀 nice");
  library.index_all();
  CHECK(library.search("ete") == Names{"french"});
  CHECK(library.search("ANGEL") == Names{"french"});
  CHECK(library.search("都是") == Names{"chinese"});
  CHECK(library.search("是都").empty());
  CHECK(library.past("朋友") == Names{"chinese"});
  CHECK(library.search("большой театр") == Names{"russian"});
  CHECK(library.search("😀") == Names{"emoji"});
}

TEST_CASE("texts inside of other types, and values, are found too", "[search]") {
  Library library;
  library.write("board", [](crdt::Transaction& t) {
    t.map_set("cards", "first", crdt::Any("plain value"));
    const crdt::Id text = t.map_set("cards", "second", {crdt::SharedType::kText});
    t.text_insert(text, 0, "nested words");
    t.array_insert("list", 0, {crdt::Any("element")});
  });
  library.write("page", [](crdt::Transaction& t) {
    const crdt::Id paragraph = t.array_insert("xml", 0, {crdt::SharedType::kXmlElement, "p"});
    const crdt::Id text = t.array_insert(paragraph, 0, {crdt::SharedType::kXmlText});
    t.text_insert(text, 0, "paragraph");
  });
  library.index_all();
  CHECK(library.search("plain") == Names{"board"});
  CHECK(library.search("\"nested words\"") == Names{"board"});
  CHECK(library.search("element") == Names{"board"});
  CHECK(library.search("paragraph") == Names{"page"});
  CHECK(library.past("paragraph nothing").empty());
  CHECK(library.past("nested") == Names{"board"});
}

TEST_CASE("a snippet is text around the words, and says where they are", "[search]") {
  Library library;
  library.insert("notes", 0,
                 std::string(500, 'x') + "\n" + std::string(20, 'y') +
                     " 😀 the Ferry stopped\tin \xE2\x80\xAEspring, and the ferry never came back" +
                     std::string(500, ' ') + "end");
  library.index_all();
  SearchQuery query;
  query.text = "ferry \"the ferry\"";
  const SearchPage page = library.reader().search(query);
  REQUIRE(page.hits.size() == 1);
  REQUIRE(page.hits[0].snippets.size() == 1);
  const Snippet& snippet = page.hits[0].snippets[0];
  const std::string start = std::string(20, 'y') + " 😀 ";
  CHECK(snippet.text.starts_with(start +
                                 "the Ferry stopped in spring, and the ferry never came back   "));
  const std::vector<std::pair<std::size_t, std::size_t>> expected = {{24, 33}, {57, 66}};
  CHECK(snippet.matches == expected);  // 😀 is two units
}

TEST_CASE("titles, names and tags are found", "[search]") {
  Library library;
  library.insert("minutes-2026", 0, "nothing to see");
  DocumentEdit edit;
  edit.document = "minutes-2026";
  edit.title = "Éditorial Meeting";
  edit.tags = Names{"press room"};
  CHECK(library.writer().edit(edit));
  library.index_all();
  for (const char* const text :
       {"editorial", "\"editorial meeting\"", "minutes", "2026", "press", "room see"}) {
    CAPTURE(text);
    CHECK(library.search(text) == Names{"minutes-2026"});
  }
  CHECK(library.search("\"meeting minutes\"").empty());  // not across two of them
  CHECK(library.search("eeting").empty());
}

TEST_CASE("what is in the bin is not found", "[search]") {
  Library library;
  library.insert("notes", 0, "ferry");
  library.index_all();
  library.writer().put_into_bin("notes", time(5));
  CHECK(library.search("ferry").empty());
  CHECK(library.past("ferry").empty());
  library.writer().take_from_bin("notes");
  CHECK(library.search("ferry") == Names{"notes"});
}

TEST_CASE("a search goes on where its last page ended", "[search]") {
  Library library;
  for (int i = 0; i < 25; ++i) library.insert("doc" + std::to_string(i), 0, "ferry");
  library.index_all();
  SearchQuery query;
  query.text = "ferry";
  query.in = GENERATE(SearchQuery::In::kNow, SearchQuery::In::kPast);
  query.limit = 10;
  Names all;
  int pages = 0;
  do {
    const SearchPage page = library.reader().search(query);
    for (const SearchHit& hit : page.hits) all.push_back(hit.document.name);
    query.after = page.next;
    if (++pages == 1) library.insert("doc24", 5, " again");  // it was there already
  } while (query.after);
  CHECK(pages == 3);
  CHECK(all.front() == "doc24");
  CHECK(all.back() == "doc0");
  std::sort(all.begin(), all.end());
  CHECK((all.size() == 25 && std::unique(all.begin(), all.end()) == all.end()));
}

TEST_CASE("a large document is indexed in steps, and its changes cost little", "[index]") {
  Library library;
  std::mt19937_64 chance(9);
  library.insert("large", 0, random_text(chance, 1'000'000));
  const auto first = library.reader().prepare_index("large", kMostBytes);
  REQUIRE(first);
  CHECK(first->steps.size() > 5);
  CHECK(library.index("large") == first->steps.size());
  library.insert("large", 500'000, " needle ");
  const auto second = library.reader().prepare_index("large", kMostBytes);
  REQUIRE(second->steps.size() == 1);
  CHECK(second->steps[0].new_texts.size() <= 4);
  CHECK(library.index("large") == 1);
  CHECK(library.search("needle") == Names{"large"});
  CHECK_FALSE(library.reader().prepare_index("large", kMostBytes));
}

TEST_CASE("of a log that is too large for it, what the document says now is indexed", "[index]") {
  Library library;
  library.insert("large", 0, "ferry " + std::string(5000, 'x'));
  library.erase("large", 0, 6);
  CHECK(library.index("large", 1000) == 1);
  CHECK(library.search("xxxx") == Names{"large"});
  CHECK(library.past("ferry").empty());
  CHECK(library.reader().find_candidates("ferry").behind == Names{"large"});
  SearchQuery query;
  query.text = "ferry";
  query.in = SearchQuery::In::kPast;
  CHECK(library.reader().search(query).behind == 1);
  CHECK(library.reader().unindexed(10).empty());
}

TEST_CASE("a step that was prepared of other rows does nothing", "[index]") {
  Library library;
  library.insert("notes", 0, "one");
  auto stale = library.reader().prepare_index("notes", kMostBytes);
  library.insert("notes", 3, " two");
  CHECK(library.index("notes") == 1);
  CHECK(library.writer().index(stale->steps) == 0);
  CHECK(library.search("two") == Names{"notes"});
  CHECK(library.search("one") == Names{"notes"});
}

TEST_CASE("an index that is behind the log after a crash catches up", "[index]") {
  Library library;
  library.insert("notes", 0, "one");
  library.index_all();
  library.insert("notes", 3, " two");
  library.insert("new", 0, "three");
  library.open();  // nothing of that was indexed
  CHECK(library.search("two").empty());
  CHECK(library.reader().unindexed(10) == Names{"new", "notes"});
  CHECK(library.reader().unindexed(1) == Names{"new"});
  SearchQuery query;
  query.text = "two";
  CHECK(library.reader().search(query).behind == 2);
  library.index_all();
  CHECK(library.search("two") == Names{"notes"});
  CHECK(library.past("three") == Names{"new"});
  CHECK(library.reader().unindexed(10).empty());
}

TEST_CASE("an index that was made by other rules is made anew", "[index]") {
  Library library;
  library.insert("notes", 0, "ferry");
  library.index_all();
  library.close();
  run_sql(library.file(), "UPDATE index_rules SET version = 'other'");
  const auto store = open_sqlite_store(library.file().parent_path(), Access::kReadOnly);
  CHECK(store->reader()->find_candidates("ferry").behind == Names{"notes"});
  library.open();
  CHECK(library.past("ferry").empty());
  CHECK(library.reader().unindexed(10) == Names{"notes"});
  library.index_all();
  CHECK(library.past("ferry") == Names{"notes"});
}

TEST_CASE("a damaged index is emptied and made anew, and no edit is lost for it", "[index]") {
  const char* const damage =
      GENERATE("UPDATE index_texts SET bytes = x'00'", "UPDATE index_words SET bytes = x'00'",
               "UPDATE index_now_data SET block = x'00000000' WHERE id > 10",
               "UPDATE index_past_data SET block = x'00000000' WHERE id > 10");
  CAPTURE(damage);
  Library library;
  library.insert("notes", 0, "ferry");
  library.insert("other", 0, "boat");
  library.index_all();
  library.close();
  run_sql(library.file(), damage);
  library.open();
  library.insert("notes", 5, " stopped");
  for (int i = 0; i < 3; ++i) library.index_all();
  library.erase("notes", 0, 5);
  for (int i = 0; i < 3; ++i) library.index_all();
  library.insert("other", 4, " sank");
  for (int i = 0; i < 3; ++i) library.index_all();
  CHECK(library.search("stopped") == Names{"notes"});
  CHECK(library.search("boat sank") == Names{"other"});
  CHECK(library.past("ferry") == Names{"notes"});
  CHECK(library.reader().load("notes")->last_seq == 3);
}

TEST_CASE("a document that is taken out of the index leaves no word in the file", "[index]") {
  Library library;
  library.insert("secret", 0, "xylophone in the first place");
  library.insert("other", 0, "nothing of it");
  library.index_all();
  library.erase("secret", 0, 9);
  library.insert("secret", 0, "quixotic");
  library.index_all();
  library.writer().drop_index("secret");
  CHECK(library.past("xylophone").empty());
  CHECK(library.search("quixotic").empty());
  CHECK(library.search("nothing") == Names{"other"});
  CHECK(library.reader().unindexed(10) == Names{"secret"});
  CHECK(library.reader().find("secret", "")->title.empty());
  library.close();
  run_sql(library.file(), "DELETE FROM log; DELETE FROM segments; VACUUM");
  const std::vector<char> bytes = read_file(library.file());
  const std::string_view file(bytes.data(), bytes.size());
  for (const char* const word : {"xyloph", "ylophone", "quixot", "uixotic"}) {
    CAPTURE(word);
    CHECK(file.find(word) == std::string_view::npos);
  }
  CHECK(file.find("secret") != std::string_view::npos);  // one would see it
}

TEST_CASE("what was prepared before a document was taken out of the index stays out", "[index]") {
  Library library;
  library.insert("secret", 0, "xylophone");
  const auto prepared = library.reader().prepare_index("secret", kMostBytes);
  library.writer().drop_index("secret");
  CHECK(library.writer().index(prepared->steps) == 0);
  CHECK(library.past("xylophone").empty());
}

TEST_CASE("candidates are the documents in which the text may have stood inside of words too",
          "[index]") {
  Library library;
  library.insert("notes", 0, "The ferryman's ways");
  library.erase("notes", 0, 19);
  library.insert("other", 0, "ferry");
  library.insert("third", 0, "boat");
  library.index_all();
  const auto found = [&](const std::string& text) {
    Names names = library.reader().find_candidates(text).found;
    std::sort(names.begin(), names.end());
    return names;
  };
  CHECK(found("errym") == Names{"notes"});
  CHECK(found("erry") == Names{"notes", "other"});
  CHECK(found("rryman's w") == Names{"notes"});
  CHECK(found("zzz").empty());
  CHECK(found("--") == Names{"notes", "other", "third"});  // no word in it: any may have it
  library.insert("third", 4, "s");
  CHECK(library.reader().find_candidates("zzz").behind == Names{"third"});
}

// Random edits of one document, indexed now and then: whatever stood there is found.
TEST_CASE("every word that ever stood in a document is found in its past", "[search]") {
  CHECK(rc::check("past", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    Library library;
    Names stood;
    const Names pieces = {"ab", "a", " ", "c d", "é", "的", "😀", "-", "ba b"};
    for (int i = 0; i < 25; ++i) {
      std::size_t units = 0;
      for (const char c : library.doc("notes").text("content")) {
        const auto lead = static_cast<unsigned char>(c);
        units += (lead & 0xC0) == 0x80 ? 0 : lead >= 0xF0 ? 2 : 1;
      }
      const std::size_t at = chance() % (units + 1);
      if (chance() % 3 == 0 && at < units) {
        library.erase("notes", at, 1 + chance() % std::min<std::size_t>(3, units - at));
      } else {
        library.insert("notes", at, pieces[chance() % pieces.size()]);
      }
      index::for_each_word(library.doc("notes").text("content"),
                           [&](const index::Word& word) { stood.push_back(word.indexed); });
      if (chance() % 5 == 0) library.index("notes");
    }
    library.index("notes");
    for (const std::string& word : stood) {
      CAPTURE(word);
      RC_ASSERT(library.past(word) == Names{"notes"});
    }
    Names now;
    index::for_each_word(library.doc("notes").text("content"),
                         [&](const index::Word& word) { now.push_back(word.indexed); });
    for (const std::string& word : stood) {
      const bool is_there = std::any_of(
          now.begin(), now.end(), [&](const std::string& one) { return one.starts_with(word); });
      // The document goes by its name, too.
      RC_ASSERT((library.search(word) == Names{"notes"}) == is_there);
    }
  }));
}

// --- Lists ---

TEST_CASE("a list is in order, in pages, and nothing comes twice while documents change",
          "[list]") {
  Library library;
  for (const char* const name : {"a", "b", "c", "d", "e"}) library.insert(name, 0, name);
  ListQuery query;
  query.limit = 2;
  const ListPage first = library.reader().list(query);
  REQUIRE(first.documents.size() == 2);
  CHECK((first.documents[0].name == "e" && first.documents[1].name == "d"));
  library.insert("e", 0, "more");
  library.insert("a", 0, "more");  // to the front
  query.after = first.next;
  const ListPage second = library.reader().list(query);
  REQUIRE(second.documents.size() == 2);
  CHECK((second.documents[0].name == "c" && second.documents[1].name == "b"));
  CHECK_FALSE(second.next);
  CHECK(library.list() == Names{"a", "e", "d", "c", "b"});
  query.after.reset();
  query.limit = 5;
  CHECK_FALSE(library.reader().list(query).next);
}

TEST_CASE("documents edited in the same millisecond are all listed", "[list]") {
  TempDirectory directory;
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto writer = store->writer();
  for (int i = 0; i < 7; ++i) append_one(*writer, entry("doc" + std::to_string(i), 1, "x"));
  const auto reader = store->reader();
  ListQuery query;
  query.limit = 3;
  query.order =
      GENERATE(ListQuery::Order::kEdited, ListQuery::Order::kCreated, ListQuery::Order::kTitle);
  Names all;
  do {
    const ListPage page = reader->list(query);
    for (const auto& document : page.documents) all.push_back(document.name);
    query.after = page.next;
  } while (query.after);
  std::sort(all.begin(), all.end());
  CHECK((all.size() == 7 && std::unique(all.begin(), all.end()) == all.end()));
}

TEST_CASE("titles are in the order of their letters, and documents without one come last",
          "[list]") {
  Library library;
  for (const char* const title : {"zebra", "Éclair", "apple", "", "Banana"}) {
    const std::string name = "doc " + std::string(title);
    library.insert(name, 0, "x");
    library.writer().write_checkpoint({name, 1, library.doc(name).encode(), title, ""});
  }
  ListQuery query;
  query.order = ListQuery::Order::kTitle;
  CHECK(library.list(query) == Names{"doc apple", "doc Banana", "doc Éclair", "doc zebra", "doc "});
}

TEST_CASE("a title set by hand goes over that of the text until it is cleared", "[list]") {
  Library library;
  library.insert("notes", 0, "x");
  library.writer().write_checkpoint({"notes", 1, library.doc("notes").encode(), "of the text", ""});
  const auto title = [&] { return library.reader().find("notes", "")->title; };
  CHECK(title() == "of the text");
  CHECK_FALSE(library.reader().find("notes", "")->has_own_title);
  DocumentEdit edit;
  edit.document = "notes";
  edit.title = "by hand";
  CHECK(library.writer().edit(edit));
  library.insert("notes", 0, "y");
  library.writer().write_checkpoint({"notes", 2, library.doc("notes").encode(), "newer", ""});
  library.index_all();
  CHECK(title() == "by hand");
  CHECK(library.reader().find("notes", "")->has_own_title);
  CHECK(library.reader().list(10, 0)[0].title == "by hand");
  ListQuery query;
  query.words = "hand";
  CHECK(library.list(query) == Names{"notes"});
  edit.title.emplace(std::nullopt);
  CHECK(library.writer().edit(edit));
  CHECK(title() == "newer");
  CHECK(library.list(query).empty());
}

TEST_CASE("tags and stars choose what is listed", "[list]") {
  Library library;
  for (const char* const name : {"a", "b", "c"}) library.insert(name, 0, "x");
  DocumentEdit edit;
  edit.document = "a";
  edit.tags = Names{"press", "minutes"};
  edit.star = {"", true};
  CHECK(library.writer().edit(edit));
  edit = {};
  edit.document = "b";
  edit.tags = Names{"press"};
  edit.star = {"ada", true};
  CHECK(library.writer().edit(edit));

  ListQuery query;
  query.tag = "press";
  CHECK(library.list(query) == Names{"b", "a"});
  query.tag = "minutes";
  CHECK(library.list(query) == Names{"a"});
  query.tag = "minute";
  CHECK(library.list(query).empty());
  query = {};
  query.only_starred = true;
  CHECK(library.list(query) == Names{"a"});
  query.user = "ada";
  CHECK(library.list(query) == Names{"b"});
  const auto found = library.reader().find("a", "");
  CHECK((found->tags == Names{"minutes", "press"} && found->is_starred));
  CHECK_FALSE(library.reader().find("a", "ada")->is_starred);

  edit = {};
  edit.document = "a";
  edit.tags = Names{};
  edit.star = {"", false};
  CHECK(library.writer().edit(edit));
  CHECK(library.reader().find("a", "")->tags.empty());
  CHECK_FALSE(library.reader().find("a", "")->is_starred);
  edit.document = "nowhere";
  CHECK_FALSE(library.writer().edit(edit));
  CHECK_FALSE(library.reader().find("nowhere", ""));
}

TEST_CASE("what is in the bin is listed there and nowhere else", "[list]") {
  Library library;
  for (const char* const name : {"a", "b", "c"}) library.insert(name, 0, "x");
  CHECK(library.writer().put_into_bin("a", time(9000)));
  CHECK(library.writer().put_into_bin("b", time(8000)));
  CHECK(library.writer().put_into_bin("b", time(9999)));  // it is there already
  CHECK_FALSE(library.writer().put_into_bin("nowhere", time(1)));
  CHECK(library.list() == Names{"c"});
  ListQuery query;
  query.in_bin = true;
  query.order = ListQuery::Order::kDeleted;
  CHECK(library.list(query) == Names{"a", "b"});
  CHECK(library.reader().find("b", "")->deleted_at == time(8000));
  CHECK(library.reader().load("b")->is_in_bin);
  CHECK(library.reader().list(10, 0).size() == 3);
  library.insert("b", 0, "y");  // what comes late is kept
  CHECK(library.writer().take_from_bin("b"));
  CHECK(library.writer().take_from_bin("c"));
  CHECK_FALSE(library.writer().take_from_bin("nowhere"));
  CHECK(library.list() == Names{"b", "c"});
  CHECK_FALSE(library.reader().load("b")->is_in_bin);
}

TEST_CASE("a document says how large it is, and who did how much when", "[list]") {
  Library library;
  library.insert("notes", 0, "some text");
  const auto before = library.reader().find("notes", "");
  CHECK(before->size_bytes > 9);
  library.writer().write_checkpoint({"notes", 1, library.doc("notes").encode(), "", ""});
  CHECK(library.reader().find("notes", "")->size_bytes == library.doc("notes").encode().size());
  CHECK(before->activity.empty());
  library.insert("notes", 0, "more ");
  library.index_all();
  const auto activity = library.reader().find("notes", "")->activity;
  REQUIRE(activity.size() == 1);
  CHECK(activity[0].begin.time_since_epoch() % kActivityPeriod == std::chrono::hours(0));
  REQUIRE(activity[0].shares.size() == 1);
  CHECK((activity[0].shares[0].name == "Ada" && activity[0].shares[0].changes == 2));
}

TEST_CASE("one document of thousands is found by its name, and lists are in pages", "[list]") {
  TempDirectory directory;
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto writer = store->writer();
  std::vector<Append> batch;
  for (int i = 0; i < 3000; ++i) batch.push_back(entry("doc " + std::to_string(i), 1, "x"));
  writer->append(batch);
  const auto reader = store->reader();
  CHECK(reader->find("doc 1234", "")->name == "doc 1234");
  CHECK(reader->unindexed(5000).size() == 3000);
  ListQuery query;
  query.words = "doc 29";
  query.limit = 1000;
  CHECK(reader->list(query).documents.size() == 111);  // 29, 290–299 and 2900–2999
}

}  // namespace
}  // namespace palimpsest::testing
