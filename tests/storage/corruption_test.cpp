// What a disk does to bytes behind our back is noticed, and stays with the document it hit.

#include <map>
#include <random>

#include "builders.hpp"
#include "raw_database.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;

using storage::Access;
using storage::Error;
using storage::Finding;

using Texts = std::vector<std::string>;

// "good" and "bad", with three entries and a checkpoint at the second each, closed.
class ClosedStore {
 public:
  ClosedStore() {
    const auto store = open_sqlite_store(directory_.path(), Access::kReadWrite);
    const auto writer = store->writer();
    for (const char* name : {"good", "bad"}) {
      append_one(*writer, entry(name, 1, "a"));
      append_one(*writer, entry(name, 2, "b"));
      append_one(*writer, entry(name, 3, "c"));
      writer->write_checkpoint({name, 2, Merged().add(1, "a").add(2, "b").state(), "", ""});
    }
  }
  void damage(const std::string& sql) { run_sql(directory_.path() / "palimpsest.db", sql); }
  std::unique_ptr<storage::Store> open() const {
    return open_sqlite_store(directory_.path(), Access::kReadWrite);
  }

 private:
  TempDirectory directory_;
};

const std::string kBadDocument = "(SELECT id FROM documents WHERE name = 'bad')";

template <typename Call>
std::string corruption(Call call) {
  try {
    call();
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == Error::Kind::kCorrupt);
    return error.what();
  }
}

TEST_CASE("F8: a document that was damaged is refused by name, and no other", "[corruption]") {
  ClosedStore closed;
  const auto [damage, message] = GENERATE(table<std::string, std::string>({
      {"UPDATE log SET entries = x'43' WHERE last_seq = 3", "entry 3 of the log does not match"},
      {"UPDATE log SET entries = x'' WHERE last_seq = 3", "entry 3 of the log does not match"},
      {"UPDATE log SET checksum = checksum + 1 WHERE last_seq = 3",
       "entry 3 of the log does not match"},
      {"UPDATE log SET generation = 2 WHERE last_seq = 3", "entry 3 of the log does not match"},
      {"DELETE FROM log WHERE last_seq = 3", "does not end with entry 3"},
      {"UPDATE log SET position = position + 1 WHERE last_seq = 3",
       "entry 4 of the log does not match"},
      {"UPDATE documents SET last_seq = 4 WHERE true", "does not end with entry 4"},
      {"UPDATE documents SET last_seq = 2 WHERE true", "does not end with entry 2"},
      {"UPDATE documents SET last_seq = 1 WHERE true", "seq 2 is ahead of the log"},
      {"UPDATE checkpoints SET state = x'00' WHERE true", "checkpoint at seq 2 does not match"},
      {"UPDATE checkpoints SET seq = 1 WHERE true", "checkpoint at seq 1 does not match"},
  }));
  CAPTURE(damage);
  const bool is_document = damage.find("documents") != std::string::npos;
  closed.damage(damage + " AND " + (is_document ? "id = " : "document_id = ") + kBadDocument);

  const auto store = closed.open();
  const auto reader = store->reader();
  CHECK(texts(reader->load("good")->tail) == Texts{"c"});
  {
    const std::string said = corruption([&] { reader->load("bad"); });
    CHECK(contains(said, message));
    CHECK(contains(said, "document \"bad\""));
  }
  CHECK(reader->list(10, 0).size() == 2);

  const std::vector<Finding> findings = reader->verify();
  REQUIRE_FALSE(findings.empty());
  for (const Finding& finding : findings) CHECK(finding.document == "bad");
}

TEST_CASE("damage before the checkpoint is found by who reads the history", "[corruption]") {
  ClosedStore closed;
  closed.damage("UPDATE log SET entries = x'58' WHERE last_seq = 1 AND document_id = " +
                kBadDocument);
  const auto store = closed.open();
  const auto reader = store->reader();
  CHECK(texts(reader->load("bad")->tail) == Texts{"c"});  // does not need it
  CHECK(contains(corruption([&] { reader->log("bad", 1, 10); }), "entry 1"));
  CHECK(texts(reader->log("bad", 2, 10)) == Texts{"b", "c"});
  REQUIRE(reader->verify().size() == 1);
  CHECK(reader->verify()[0].seq == 1);
}

TEST_CASE("an entry that is missing in the middle of the log is named", "[corruption]") {
  ClosedStore closed;
  closed.damage("DELETE FROM log WHERE last_seq = 2 AND document_id = " + kBadDocument);
  const auto store = closed.open();
  const auto reader = store->reader();
  CHECK(contains(corruption([&] { reader->log("bad", 1, 10); }), "entry 2 of the log is missing"));
  REQUIRE(reader->verify().size() == 1);
  CHECK(reader->verify()[0].seq == 2);
}

TEST_CASE("a payload that turns up in another row is noticed", "[corruption]") {
  ClosedStore closed;
  closed.damage(
      "UPDATE log SET (checksum, entries) = (SELECT checksum, entries FROM log AS other "
      "WHERE other.last_seq = 2 AND other.document_id = log.document_id) "
      "WHERE last_seq = 3 AND document_id = " +
      kBadDocument);
  const auto store = closed.open();
  CHECK(contains(corruption([&] { store->reader()->load("bad"); }), "entry 3"));
}

TEST_CASE("a missing author or document of an entry is found", "[corruption]") {
  ClosedStore closed;
  closed.damage("DELETE FROM authors WHERE document_id = " + kBadDocument);
  const auto store = closed.open();
  const auto reader = store->reader();
  CHECK(contains(corruption([&] { reader->load("bad"); }), "document \"bad\""));
  CHECK_FALSE(reader->verify().empty());
}

TEST_CASE("a list of authors that is damaged costs the list nothing else", "[corruption]") {
  ClosedStore closed;
  closed.damage("UPDATE documents SET recent_authors = '[1,' WHERE name = 'bad'");
  const auto store = closed.open();
  CHECK(store->reader()->list(10, 0).size() == 2);
  append_one(*store->writer(), entry("bad", 4, "d"));
  CHECK(store->reader()->list(1, 0).at(0).authors.size() == 1);
}

TEST_CASE("F8: a bit that flips anywhere in the file never changes a document unnoticed",
          "[corruption]") {
  const TempDirectory directory;
  const fs::path file = directory.path() / "palimpsest.db";
  const std::vector<std::string> names{"a", "b", "c", "d"};
  {
    const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
    const auto writer = store->writer();
    std::vector<storage::Append> batch;
    Merged merged;
    for (storage::Seq seq = 1; seq <= 100; ++seq) {
      for (const std::string& name : names) {
        batch.push_back(entry_by({seq % 7, "n"}, name, seq, name + std::string(seq * 3, 'x')));
      }
      if (seq <= 80) merged.add(seq, "a" + std::string(seq * 3, 'x'));
    }
    writer->append(batch);
    writer->write_checkpoint({"a", 80, merged.state(), "A", "a"});
  }
  const std::vector<char> good = read_file(file);
  const auto content = [&](storage::Reader& reader, const std::string& name) {
    const auto document = reader.load(name);
    Texts result = document ? texts(document->tail) : Texts{"gone"};
    if (document) result.emplace_back(document->state.begin(), document->state.end());
    return result;
  };
  const auto original = [&] {
    std::map<std::string, Texts> result;
    const auto reader = open_sqlite_store(directory.path(), Access::kReadOnly)->reader();
    for (const std::string& name : names) result[name] = content(*reader, name);
    return result;
  }();

  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  constexpr std::size_t kPage = 4096;
  std::size_t noticed = 0;
  for (std::size_t page = 0; page < good.size() / kPage; ++page) {
    const std::size_t offset = page * kPage + random() % kPage;
    const int bit = static_cast<int>(random() % 8);
    CAPTURE(offset, bit);
    std::vector<char> bad = good;
    bad[offset] = static_cast<char>(bad[offset] ^ (1 << bit));
    write_file(file, bad);
    try {
      const auto reader = open_sqlite_store(directory.path(), Access::kReadOnly)->reader();
      const bool is_well = reader->verify().empty();
      if (!is_well) ++noticed;
      for (const std::string& name : names) {
        try {
          if (content(*reader, name) != original.at(name)) CHECK_FALSE(is_well);
        } catch (const Error&) {
          CHECK_FALSE(is_well);
        }
      }
    } catch (const Error&) {
      ++noticed;
    }
  }
  CHECK(noticed > 0);
}

}  // namespace
}  // namespace palimpsest::testing
