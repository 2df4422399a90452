#include <algorithm>
#include <utility>

#include "crdt/any.hpp"
#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/update.hpp"
#include "index/activity.hpp"
#include "index/changes.hpp"
#include "index/letters.hpp"
#include "index/packed.hpp"
#include "index/words.hpp"
#include "sqlite/position.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/transaction.hpp"
#include "storage/history.hpp"

// Reader::prepare_index(): what a document says and ever said, held against the rows that the index
// has of it.
namespace palimpsest::storage::sqlite {
namespace {

constexpr const char* kMainRoot = "content";
constexpr std::size_t kDepth = 100;

// What a document has to say.
struct Said {
  Seq seq = 0;
  std::string main_text;
  std::vector<std::string> texts;       // now
  std::vector<std::string> words;       // ever, beside those in the texts
  std::optional<crdt::Bytes> activity;  // where the whole log was read
};

// The text in values of arrays and maps.
void add_strings(const crdt::Any& value, std::vector<std::string>& texts, std::size_t depth = 0) {
  if (depth > kDepth) return;
  if (const auto* text = value.get_if<std::string>()) {
    texts.push_back(*text);
  } else if (const auto* elements = value.get_if<crdt::Any::Array>()) {
    for (const crdt::Any& element : *elements) add_strings(element, texts, depth + 1);
  } else if (const auto* members = value.get_if<crdt::Any::Object>()) {
    for (const auto& [key, member] : *members) add_strings(member, texts, depth + 1);
  }
}

// Strings in arrays and maps are many and short: together they make one text.
void add_values(const crdt::Any& value, Said& said) {
  std::vector<std::string> strings;
  add_strings(value, strings);
  std::string all;
  for (const std::string& text : strings) all += text + "\n";
  if (!all.empty()) said.texts.push_back(std::move(all));
}

void add_root(const crdt::Doc& doc, const std::string& root, Said& said) {
  switch (doc.guess_kind(root)) {
    case crdt::Doc::RootKind::kText:
      said.texts.push_back(doc.text(root));
      break;
    case crdt::Doc::RootKind::kArray:
      add_values(doc.array(root), said);
      break;
    case crdt::Doc::RootKind::kMap:
      add_values(doc.map(root), said);
      break;
    case crdt::Doc::RootKind::kXml:
      said.texts.push_back(doc.xml(root));
      break;
    case crdt::Doc::RootKind::kEmpty:
      break;
  }
}

Said said_by(History& history) {
  Said said;
  said.seq = history.last_seq();
  const crdt::Doc& doc = history.weave().doc();
  said.main_text = doc.text(kMainRoot);
  for (const std::string& root : doc.root_names()) {
    // Of XML its texts, without the marks around them: they come below.
    if (doc.guess_kind(root) != crdt::Doc::RootKind::kXml) add_root(doc, root, said);
  }
  for (const crdt::Weave::Text& name : history.weave().texts()) {
    const crdt::WovenText& text = history.text({name.root, name.type});
    if (name.type && doc.guess_kind(name.root) == crdt::Doc::RootKind::kXml)
      said.texts.push_back(text.text(said.seq));
    for (const std::string& word : text.words(index::letters()))
      said.words.push_back(index::indexed_word(word));
  }
  said.activity = index::encode_activity(history);
  return said;
}

// Of a document whose whole log would take too much memory.
Said said_now(const StoredDocument& stored) {
  crdt::Doc doc;
  if (!stored.state.empty()) doc = crdt::Doc::load(stored.state);
  for (const LogEntry& entry : stored.tail) doc.apply(crdt::Update::decode(entry.update));
  Said said;
  said.seq = stored.last_seq;
  said.main_text = doc.text(kMainRoot);
  for (const std::string& root : doc.root_names()) add_root(doc, root, said);
  return said;
}

Said read_said(Reader& reader, const std::string& document, std::size_t most_bytes) {
  try {
    History history(document, most_bytes);
    history.catch_up(reader);
    return said_by(history);
  } catch (const HistoryTooLarge&) {
    return said_now(reader.load(document).value_or(StoredDocument{}));
  }
}

// What the document says now it has said, too.
std::vector<std::string> words_of(Said& said) {
  std::vector<std::string> words = std::move(said.words);
  for (const std::string& text : said.texts) {
    index::for_each_word(text, [&](const index::Word& word) { words.push_back(word.indexed); });
  }
  std::sort(words.begin(), words.end());
  // Those that the next one begins with go: what is looked for stands for all that begin with it.
  const auto last = std::unique(
      words.rbegin(), words.rend(),
      [](const std::string& longer, const std::string& word) { return longer.starts_with(word); });
  words.erase(words.begin(), last.base());
  return words;
}

PreparedIndex damage_in(const std::string& document) {
  PreparedIndex prepared;
  IndexStep& step = prepared.steps.emplace_back();
  step.document = document;
  step.finds_damage = true;
  return prepared;
}

}  // namespace

struct SqliteReader::IndexedRows {
  std::uint64_t generation = 1;
  std::uint64_t revision = 0;
  Seq seq = 0;
  Seq past_seq = 0;
  crdt::Bytes activity;
  Seq last_seq = 0;
  std::vector<index::TextRow> texts;
  std::vector<index::WordsRow> words;
  bool is_damaged = false;
};

std::optional<PreparedIndex> SqliteReader::prepare_index(std::string_view name,
                                                         std::size_t most_bytes) {
  const std::string document(name);
  const std::optional<IndexedRows> rows = indexed_rows(document);
  if (!rows || (rows->seq == rows->last_seq && rows->seq > 0)) return std::nullopt;
  PreparedIndex prepared;
  if (rows->is_damaged) return damage_in(document);
  Said said = read_said(*this, document, most_bytes);
  prepared.main_text = std::move(said.main_text);

  IndexStep changes;
  index::TextChanges texts = index::compare_texts(rows->texts, said.texts);
  changes.new_texts = std::move(texts.added);
  if (!read_gone_texts(document, texts.gone, changes)) return std::nullopt;
  if (changes.finds_damage) return damage_in(document);
  index::WordsChanges words = index::compare_words(rows->words, words_of(said));
  changes.gone_words = std::move(words.gone);
  changes.new_words = std::move(words.added);
  IndexStep::Done done;
  done.seq = said.seq;
  done.past_seq = said.activity ? said.seq : rows->past_seq;
  done.activity = said.activity ? *said.activity : rows->activity;
  changes.done = std::move(done);
  prepared.steps = index::steps_of(document, rows->revision, std::move(changes));
  for (IndexStep& step : prepared.steps) step.generation = rows->generation;
  return prepared;
}

// Of the texts that go their words, once more; false where a row is not there any more.
bool SqliteReader::read_gone_texts(const std::string& name, const std::vector<index::TextRow>& gone,
                                   IndexStep& changes) {
  if (gone.empty()) return true;
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return false;
  Statement select(connection_, "SELECT bytes FROM index_texts WHERE position = ?1 AND hash = ?2");
  for (const index::TextRow& row : gone) {
    Execution found = select.run(position(document->id, row.number), row.hash);
    if (!found.next()) return false;
    const auto text = index::unpack(found.blob(0));
    changes.finds_damage = changes.finds_damage || !text;
    changes.gone_texts.push_back(
        {row.number, row.hash, {}, index::indexed_words(text.value_or(""))});
  }
  return true;
}

std::optional<SqliteReader::IndexedRows> SqliteReader::indexed_rows(const std::string& name) {
  connection_.describe("index of \"" + name + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return std::nullopt;
  IndexedRows rows;
  rows.generation = document->generation;
  rows.last_seq = document->last_seq;
  Statement select(connection_,
                   "SELECT revision, seq, past_seq, activity FROM indexed WHERE document_id = ?1");
  Execution state = select.run(document->id);
  if (state.next()) {
    rows.revision = state.unsigned_integer(0);
    rows.seq = state.unsigned_integer(1);
    rows.past_seq = state.unsigned_integer(2);
    const crdt::ByteView activity = state.blob(3);
    rows.activity.assign(activity.begin(), activity.end());
  }
  const std::int64_t first = position(document->id, 0);
  const std::int64_t last = position(document->id, kMaxSeq);
  Statement texts(connection_,
                  "SELECT position & 4294967295, hash FROM index_texts "
                  "WHERE position BETWEEN ?1 AND ?2");
  Execution text = texts.run(first, last);
  while (text.next()) {
    rows.texts.push_back({static_cast<std::uint32_t>(text.integer(0)), text.unsigned_integer(1)});
  }
  Statement words(connection_,
                  "SELECT position & 4294967295, bytes FROM index_words "
                  "WHERE position BETWEEN ?1 AND ?2 ORDER BY position");
  Execution word = words.run(first, last);
  while (word.next()) {
    const auto unpacked = index::unpack(word.blob(1));
    rows.is_damaged = rows.is_damaged || !unpacked;
    if (unpacked) {
      rows.words.push_back({static_cast<std::uint32_t>(word.integer(0)), index::split(*unpacked)});
    }
  }
  return rows;
}

}  // namespace palimpsest::storage::sqlite
