// What every Store promises, held against the real one and against the one that tests of rooms
// stand on.

#include "storage/store.hpp"

#include <map>
#include <sstream>

#include <rapidcheck.h>

#include "builders.hpp"
#include "crdt/error.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/memory_store.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using storage::Append;
using storage::Author;
using storage::Checkpoint;
using storage::DocumentSummary;
using storage::LogEntry;
using storage::Store;
using storage::StoredDocument;

using Texts = std::vector<std::string>;

// A new, empty store of either kind.
class OnDisk {
 public:
  Store* operator->() const { return store_.get(); }

 private:
  TempDirectory directory_;
  std::unique_ptr<Store> store_ = open_sqlite_store(directory_.path(), storage::Access::kReadWrite);
};

class InMemory {
 public:
  Store* operator->() const { return store_.get(); }

 private:
  std::unique_ptr<Store> store_ = std::make_unique<MemoryStore>();
};

TEMPLATE_TEST_CASE("a document that nobody wrote is not there", "[store]", OnDisk, InMemory) {
  const TestType store;
  const auto reader = store->reader();
  CHECK_FALSE(reader->load("notes"));
  CHECK(reader->list(10, 0).empty());
  CHECK(reader->log("notes", 1, 10).empty());
  CHECK(reader->verify().empty());
}

TEMPLATE_TEST_CASE("what was appended is loaded in order", "[store]", OnDisk, InMemory) {
  const TestType store;
  const auto writer = store->writer();
  const std::vector<Append> batch{entry("notes", 1, "a"), entry("notes", 2, "b")};
  writer->append(batch);
  append_one(*writer, entry("notes", 3, "c"));

  const auto document = store->reader()->load("notes");
  REQUIRE(document);
  CHECK(document->generation == 1);
  CHECK(document->last_seq == 3);
  CHECK(document->checkpoint_seq == 0);
  CHECK(document->state.empty());
  CHECK(texts(document->tail) == Texts{"a", "b", "c"});
}

TEMPLATE_TEST_CASE("an entry keeps its times, author and connection", "[store]", OnDisk, InMemory) {
  const TestType store;
  const auto writer = store->writer();
  Append append = entry("notes", 1, "a");
  append.at = time(1'800'000'000'123);
  append.made_at = time(1'799'999'000'456);
  append.author = {crdt::kMaxSafeInteger, "Zoë"};
  append.connection = ~std::uint64_t{0};
  append_one(*writer, append);

  const std::vector<LogEntry> log = store->reader()->log("notes", 1, 10);
  REQUIRE(log.size() == 1);
  CHECK(log[0].at == append.at);
  CHECK(log[0].made_at == append.made_at);
  CHECK(log[0].author.client == crdt::kMaxSafeInteger);
  CHECK(log[0].author.name == "Zoë");
  CHECK(log[0].connection == append.connection);
}

TEMPLATE_TEST_CASE("an empty update is kept like any other", "[store]", OnDisk, InMemory) {
  const TestType store;
  Append append = entry("notes", 1, "");
  append.update = std::make_shared<const crdt::Bytes>();
  append_one(*store->writer(), append);
  const auto document = store->reader()->load("notes");
  REQUIRE(document->tail.size() == 1);
  CHECK(document->tail[0].update.empty());
}

TEMPLATE_TEST_CASE("documents of one batch do not mix", "[store]", OnDisk, InMemory) {
  const TestType store;
  const std::vector<Append> batch{entry("a", 1, "a1"), entry("b", 1, "b1"), entry("a", 2, "a2"),
                                  entry("b", 2, "b2"), entry("c/d e\"f", 1, "c1")};
  store->writer()->append(batch);
  const auto reader = store->reader();
  CHECK(texts(reader->load("a")->tail) == Texts{"a1", "a2"});
  CHECK(texts(reader->load("b")->tail) == Texts{"b1", "b2"});
  CHECK(texts(reader->load("c/d e\"f")->tail) == Texts{"c1"});
}

TEMPLATE_TEST_CASE("a reader sees what was committed before its call", "[store]", OnDisk,
                   InMemory) {
  const TestType store;
  const auto reader = store->reader();
  const auto writer = store->writer();
  for (storage::Seq seq = 1; seq <= 5; ++seq) {
    append_one(*writer, entry("notes", seq, "x"));
    CHECK(reader->load("notes")->last_seq == seq);
  }
}

TEMPLATE_TEST_CASE("an append out of sequence is a bug, and nothing of its batch is written",
                   "[store]", OnDisk, InMemory) {
  const TestType store;
  const auto writer = store->writer();
  append_one(*writer, entry("notes", 1, "a"));

  const storage::Seq seq = GENERATE(0U, 1U, 3U);
  const std::vector<Append> batch{entry("other", 1, "o"), entry("notes", seq, "b")};
  CHECK_THROWS_AS(writer->append(batch), crdt::Bug);
  CHECK_FALSE(store->reader()->load("other"));
  CHECK(store->reader()->load("notes")->last_seq == 1);

  append_one(*writer, entry("notes", 2, "b"));  // the writer is none the worse for it
  CHECK(texts(store->reader()->load("notes")->tail) == Texts{"a", "b"});
}

TEMPLATE_TEST_CASE("a checkpoint takes the place of the log up to it", "[store]", OnDisk,
                   InMemory) {
  const TestType store;
  const auto writer = store->writer();
  const std::vector<Append> batch{entry("notes", 1, "a"), entry("notes", 2, "b"),
                                  entry("notes", 3, "c")};
  writer->append(batch);
  writer->write_checkpoint({"notes", 2, bytes("ab"), "Title", "Excerpt"});

  const auto reader = store->reader();
  const auto document = reader->load("notes");
  CHECK(document->checkpoint_seq == 2);
  CHECK(document->state == bytes("ab"));
  CHECK(texts(document->tail) == Texts{"c"});
  CHECK(texts(reader->log("notes", 1, 10)) == Texts{"a", "b", "c"});  // history stays

  const DocumentSummary summary = reader->list(1, 0).at(0);
  CHECK(summary.title == "Title");
  CHECK(summary.excerpt == "Excerpt");
  CHECK(summary.summary_seq == 2);
  CHECK(summary.last_seq == 3);
}

TEMPLATE_TEST_CASE("an older checkpoint does not replace a newer one", "[store]", OnDisk,
                   InMemory) {
  const TestType store;
  const auto writer = store->writer();
  const std::vector<Append> batch{entry("notes", 1, "a"), entry("notes", 2, "b")};
  writer->append(batch);
  writer->write_checkpoint({"notes", 2, bytes("ab"), "new", ""});
  writer->write_checkpoint({"notes", 1, bytes("a"), "old", ""});
  writer->write_checkpoint({"notes", 2, bytes("xx"), "same", ""});
  CHECK(store->reader()->load("notes")->state == bytes("ab"));
  CHECK(store->reader()->list(1, 0).at(0).title == "new");
}

TEMPLATE_TEST_CASE("a checkpoint ahead of the log is a bug", "[store]", OnDisk, InMemory) {
  const TestType store;
  const auto writer = store->writer();
  append_one(*writer, entry("notes", 1, "a"));
  CHECK_THROWS_AS(writer->write_checkpoint({"notes", 2, bytes("ab"), "", ""}), crdt::Bug);
  CHECK_THROWS_AS(writer->write_checkpoint({"nobody", 1, bytes("a"), "", ""}), crdt::Bug);
  CHECK(store->reader()->load("notes")->checkpoint_seq == 0);
}

TEMPLATE_TEST_CASE("the log is read from any entry, as far as asked", "[store]", OnDisk, InMemory) {
  const TestType store;
  const std::vector<Append> batch{entry("notes", 1, "a"), entry("notes", 2, "b"),
                                  entry("notes", 3, "c"), entry("other", 1, "o")};
  store->writer()->append(batch);
  const auto reader = store->reader();
  CHECK(texts(reader->log("notes", 2, 1)) == Texts{"b"});
  CHECK(texts(reader->log("notes", 2, 100)) == Texts{"b", "c"});
  CHECK(texts(reader->log("notes", 0, 2)) == Texts{"a", "b"});
  CHECK(reader->log("notes", 4, 10).empty());
  CHECK(reader->log("notes", ~storage::Seq{0}, 10).empty());
  CHECK(reader->log("notes", 1, 0).empty());
}

TEMPLATE_TEST_CASE("the first name that a client claims stays", "[store]", OnDisk, InMemory) {
  const TestType store;
  const auto writer = store->writer();
  append_one(*writer, entry_by({7, ""}, "notes", 1, "a"));
  append_one(*writer, entry_by({7, "Ada"}, "notes", 2, "b"));
  append_one(*writer, entry_by({7, "Eve"}, "notes", 3, "c"));
  append_one(*writer, entry_by({7, ""}, "notes", 4, "d"));
  for (const LogEntry& logged : store->reader()->log("notes", 1, 10)) {
    CHECK(logged.author.name == "Ada");
  }
}

TEMPLATE_TEST_CASE("a client of one document is nobody in another", "[store]", OnDisk, InMemory) {
  const TestType store;
  const auto writer = store->writer();
  append_one(*writer, entry_by({7, "Ada"}, "notes", 1, "a"));
  append_one(*writer, entry_by({7, "Eve"}, "other", 1, "a"));
  CHECK(store->reader()->log("notes", 1, 1).at(0).author.name == "Ada");
  CHECK(store->reader()->log("other", 1, 1).at(0).author.name == "Eve");
}

std::vector<std::string> names(const std::vector<DocumentSummary>& list) {
  std::vector<std::string> result;
  for (const DocumentSummary& summary : list) result.push_back(summary.name);
  return result;
}

TEMPLATE_TEST_CASE("the list begins with what was edited last", "[store]", OnDisk, InMemory) {
  const TestType store;
  const auto writer = store->writer();
  Append append = entry("a", 1, "1");
  append.at = time(1000);
  append_one(*writer, append);
  append.document = "b";
  append.at = time(3000);
  append_one(*writer, append);
  append.document = "c";
  append.at = time(2000);
  append_one(*writer, append);

  const auto reader = store->reader();
  CHECK(names(reader->list(10, 0)) == Texts{"b", "c", "a"});
  CHECK(names(reader->list(1, 1)) == Texts{"c"});
  CHECK(names(reader->list(10, 3)).empty());

  append.document = "a";
  append.seq = 2;
  append.at = time(4000);
  append_one(*writer, append);
  const DocumentSummary first = reader->list(1, 0).at(0);
  CHECK(first.name == "a");
  CHECK(first.created_at == time(1000));
  CHECK(first.edited_at == time(4000));
}

Texts author_names(const DocumentSummary& summary) {
  Texts result;
  for (const Author& author : summary.authors) {
    result.push_back(author.name + "/" + std::to_string(author.client));
  }
  return result;
}

TEMPLATE_TEST_CASE("a summary names the last authors, each person once", "[store]", OnDisk,
                   InMemory) {
  const TestType store;
  const auto writer = store->writer();
  append_one(*writer, entry_by({1, "Ada"}, "notes", 1, "a"));
  append_one(*writer, entry_by({2, "Bob"}, "notes", 2, "b"));
  append_one(*writer, entry_by({3, "Ada"}, "notes", 3, "c"));  // the page was reloaded
  append_one(*writer, entry_by({4, ""}, "notes", 4, "d"));
  append_one(*writer, entry_by({5, ""}, "notes", 5, "e"));
  CHECK(author_names(store->reader()->list(1, 0).at(0)) == Texts{"/5", "/4", "Ada/3", "Bob/2"});
}

TEMPLATE_TEST_CASE("a summary names eight authors at most", "[store]", OnDisk, InMemory) {
  const TestType store;
  const auto writer = store->writer();
  for (storage::Seq seq = 1; seq <= 20; ++seq) {
    append_one(*writer, entry_by({seq, "n" + std::to_string(seq)}, "notes", seq, "x"));
  }
  const DocumentSummary summary = store->reader()->list(1, 0).at(0);
  REQUIRE(summary.authors.size() == 8);
  CHECK(summary.authors.front().client == 20);
  CHECK(summary.authors.back().client == 13);
}

TEMPLATE_TEST_CASE("there is one writer at a time", "[store]", OnDisk, InMemory) {
  const TestType store;
  auto writer = store->writer();
  CHECK_THROWS_AS(store->writer(), crdt::Bug);
  append_one(*writer, entry("notes", 1, "a"));
  writer.reset();
  writer = store->writer();
  append_one(*writer, entry("notes", 2, "b"));
  CHECK(store->reader()->load("notes")->last_seq == 2);
}

// All that a store answers, as text, for comparing two of them.
std::string everything(Store& store) {
  std::ostringstream out;
  const auto reader = store.reader();
  const auto print = [&out](const LogEntry& logged) {
    out << "  " << logged.seq << " at " << logged.at.time_since_epoch().count() << " by "
        << logged.author.client << logged.author.name << " on " << logged.connection << ": "
        << texts({logged}).front() << "\n";
  };
  for (const DocumentSummary& summary : reader->list(100, 0)) {
    out << summary.name << " " << summary.title << " of " << summary.summary_seq << " edited "
        << summary.edited_at.time_since_epoch().count() << " by";
    for (const Author& author : summary.authors) out << " " << author.client << author.name;
    const StoredDocument document = reader->load(summary.name).value();
    out << " to " << document.last_seq << ", checkpoint " << document.checkpoint_seq << " "
        << std::string(document.state.begin(), document.state.end()) << "\n";
    for (const LogEntry& logged : document.tail) print(logged);
    for (const LogEntry& logged : reader->log(summary.name, 2, 3)) print(logged);
  }
  return out.str();
}

// Writes the same to two stores.
class Twins {
 public:
  Twins() { reopen_writer(); }

  void append_batch() {
    std::vector<Append> batch;
    const int size = *rc::gen::inRange(0, 8);
    for (int i = 0; i < size; ++i) {
      const std::string name(1, *rc::gen::inRange('a', 'd'));
      const crdt::ClientId client = *rc::gen::inRange<crdt::ClientId>(0, 12);
      const std::string claimed = *rc::gen::element<std::string>("", "Ada", "Bob");
      const auto update = *rc::gen::container<std::string>(rc::gen::inRange('a', 'z'));
      batch.push_back(entry_by({client, claimed}, name, ++last_[name], update));
      batch.back().at = time(++now_);  // no two at a time, so that the list has one order
    }
    for (const auto& writer : writers_) writer->append(batch);
  }

  void write_checkpoint() {
    if (last_.empty()) return;
    const auto [name, last] = *rc::gen::elementOf(last_);
    const auto seq = *rc::gen::inRange<storage::Seq>(0, last + 1);
    const Checkpoint checkpoint{name, seq, bytes(std::to_string(seq)), name, ""};
    for (const auto& writer : writers_) writer->write_checkpoint(checkpoint);
  }

  void reopen_writer() {
    writers_.clear();
    for (Store* store : {&*on_disk_, &*in_memory_}) writers_.push_back(store->writer());
  }

  void check() const { RC_ASSERT(everything(*on_disk_) == everything(*in_memory_)); }

 private:
  TempDirectory directory_;
  std::unique_ptr<Store> on_disk_ =
      open_sqlite_store(directory_.path(), storage::Access::kReadWrite);
  std::unique_ptr<Store> in_memory_ = std::make_unique<MemoryStore>();
  std::vector<std::unique_ptr<storage::Writer>> writers_;
  std::map<std::string, storage::Seq> last_;
  std::int64_t now_ = 0;
};

TEST_CASE("whatever is written, a store on disk answers as one in memory does", "[store]") {
  CHECK(rc::check([] {
    Twins twins;
    const int steps = *rc::gen::inRange(1, 20);
    for (int step = 0; step < steps; ++step) {
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          twins.write_checkpoint();
          break;
        case 1:
          twins.reopen_writer();
          break;
        default:
          twins.append_batch();
      }
      twins.check();
    }
  }));
}

}  // namespace
}  // namespace palimpsest::testing
