// The data directory: creating, opening, refusing, sharing it.

#include "storage/sqlite_store.hpp"

#include <future>

#include "builders.hpp"
#include "crdt/error.hpp"
#include "raw_database.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/limits.hpp"
#include "sqlite/transaction.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;

using storage::Access;
using storage::Error;
using storage::Seq;
using storage::Store;

using Texts = std::vector<std::string>;

fs::path database(const fs::path& directory) { return directory / "palimpsest.db"; }
fs::path wal(const fs::path& directory) { return directory / "palimpsest.db-wal"; }

// A store in which "notes" has the entries "a" and "b".
void make_store(const fs::path& directory) {
  const auto store = open_sqlite_store(directory, Access::kReadWrite);
  const std::vector<storage::Append> batch{entry("notes", 1, "a"), entry("notes", 2, "b")};
  store->writer()->append(batch);
}

// What opening says when it refuses; empty when it does not.
std::string refusal(const fs::path& directory, Access access) {
  try {
    open_sqlite_store(directory, access);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == Error::Kind::kUnavailable);
    return error.what();
  }
}

TEST_CASE("what was written is there after reopening", "[sqlite]") {
  const TempDirectory directory;
  make_store(directory.path());
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  CHECK(texts(store->reader()->load("notes")->tail) == Texts{"a", "b"});
  append_one(*store->writer(), entry("notes", 3, "c"));
  CHECK(store->reader()->load("notes")->last_seq == 3);
}

TEST_CASE("a missing directory is created for its owner alone", "[sqlite]") {
  const TempDirectory directory;
  const fs::path home = directory.path() / "deep" / "data";
  const auto store = open_sqlite_store(home, Access::kReadWrite);
  const auto writer = store->writer();
  append_one(*writer, entry("notes", 1, "a"));

  CHECK(fs::status(home).permissions() == fs::perms::owner_all);
  for (const char* name : {"palimpsest.db", "palimpsest.db-wal", "palimpsest.lock"}) {
    CAPTURE(name);
    CHECK(fs::status(home / name).permissions() ==
          (fs::perms::owner_read | fs::perms::owner_write));
  }
  CHECK_FALSE(fs::exists(home / "palimpsest.db.new"));
}

TEST_CASE("F10: a second server on a directory is refused at once", "[sqlite]") {
  const TempDirectory directory;
  auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  {
    const std::string said = refusal(directory.path(), Access::kReadWrite);
    CHECK(contains(said, "another server is running on it (process "));
    CHECK(contains(said, directory.path().string()));
  }

  auto writer = store->writer();
  store.reset();  // the writer holds the lock on
  CHECK_FALSE(refusal(directory.path(), Access::kReadWrite).empty());
  writer.reset();
  CHECK(refusal(directory.path(), Access::kReadWrite).empty());
}

TEST_CASE("a tool reads the store while a server runs on it", "[sqlite]") {
  const TempDirectory directory;
  const auto server = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto writer = server->writer();
  append_one(*writer, entry("notes", 1, "a"));

  const auto tool = open_sqlite_store(directory.path(), Access::kReadOnly);
  const auto reader = tool->reader();
  CHECK(reader->load("notes")->last_seq == 1);
  append_one(*writer, entry("notes", 2, "b"));
  CHECK(reader->load("notes")->last_seq == 2);
  CHECK_THROWS_AS(tool->writer(), crdt::Bug);
}

TEST_CASE("a tool reads what a killed server left in the write-ahead log", "[sqlite]") {
  const TempDirectory source;
  const TempDirectory copy;
  const auto server = open_sqlite_store(source.path(), Access::kReadWrite);
  const auto writer = server->writer();
  append_one(*writer, entry("notes", 1, "a"));
  fs::copy(database(source.path()), database(copy.path()));
  fs::copy(wal(source.path()), wal(copy.path()));
  const auto tool = open_sqlite_store(copy.path(), Access::kReadOnly);
  CHECK(texts(tool->reader()->load("notes")->tail) == Texts{"a"});
}

TEST_CASE("a tool creates nothing", "[sqlite]") {
  const TempDirectory directory;
  CHECK(contains(refusal(directory.path() / "no", Access::kReadOnly), "No such file"));
  CHECK_FALSE(refusal(directory.path(), Access::kReadOnly).empty());
  CHECK(fs::is_empty(directory.path()));
}

TEST_CASE("F9: a file that is no database of ours is refused and left as it is", "[sqlite]") {
  const TempDirectory directory;
  const fs::path file = database(directory.path());
  const auto access = GENERATE(Access::kReadWrite, Access::kReadOnly);

  SECTION("an empty file") {
    write_file(file, {});
    {
      const std::string said = refusal(directory.path(), access);
      CHECK(contains(said, file.string()));
      CHECK(contains(said, "is empty"));
    }
  }
  SECTION("some other file") {
    write_file(file, std::vector<char>(5000, 'x'));
    CHECK(contains(refusal(directory.path(), access), "not a database"));
  }
  SECTION("another program's database") {
    run_sql(file, "CREATE TABLE theirs (x)");
    CHECK(contains(refusal(directory.path(), access), "another program"));
  }
  SECTION("a directory") {
    fs::create_directory(file);
    CHECK_FALSE(refusal(directory.path(), access).empty());
    return;
  }
  const auto before = read_file(file);
  refusal(directory.path(), access);
  CHECK(read_file(file) == before);
}

TEST_CASE("F23: a database of a newer program is refused", "[sqlite]") {
  const TempDirectory directory;
  make_store(directory.path());
  run_sql(database(directory.path()), "PRAGMA user_version = 1000");
  const auto access = GENERATE(Access::kReadWrite, Access::kReadOnly);
  {
    const std::string said = refusal(directory.path(), access);
    CHECK(contains(said, "schema version 1000"));
    CHECK(contains(said, "newer palimpsest"));
  }
}

TEST_CASE("F9: a store whose database is gone is not taken for an empty one", "[sqlite]") {
  const TempDirectory directory;
  make_store(directory.path());
  fs::rename(database(directory.path()), directory.path() / "elsewhere");
  write_file(wal(directory.path()), std::vector<char>(100, 'x'));
  CHECK(contains(refusal(directory.path(), Access::kReadWrite), "is missing"));
  CHECK_FALSE(fs::exists(database(directory.path())));
}

TEST_CASE("a file where the directory should be is refused", "[sqlite]") {
  const TempDirectory directory;
  write_file(directory.path() / "file", {'x'});
  CHECK(contains(refusal(directory.path() / "file", Access::kReadWrite), "not a directory"));
  CHECK(
      contains(refusal(directory.path() / "file" / "data", Access::kReadWrite), "Not a directory"));
}

// One megabyte to each entry, and what has to be done after an append.
void append_megabytes(storage::Writer& writer, Seq first, Seq count) {
  const std::string megabyte(1 << 20, 'x');
  for (Seq seq = first; seq < first + count; ++seq) {
    append_one(writer, entry("big", seq, megabyte));
    writer.maintain();
  }
}

TEST_CASE("the write-ahead log stays short while the server writes", "[sqlite]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto writer = store->writer();
  append_megabytes(*writer, 1, 30);
  CHECK(fs::file_size(wal(directory.path())) < 7U << 20);
  writer->settle();
  CHECK(fs::file_size(wal(directory.path())) == 0);
  CHECK(fs::file_size(database(directory.path())) > 30U << 20);
}

TEST_CASE("a reader that does not end holds nobody up, and the log is cut down after it",
          "[sqlite]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto writer = store->writer();
  append_megabytes(*writer, 1, 1);
  {
    storage::sqlite::Connection forgotten(database(directory.path()),
                                          storage::sqlite::Role::kReader);
    storage::sqlite::Transaction transaction(forgotten);
    forgotten.query_integer("SELECT count(*) FROM log");
    append_megabytes(*writer, 2, 70);
    writer->settle();
    CHECK(fs::file_size(wal(directory.path())) > 64U << 20);
  }
  append_megabytes(*writer, 72, 5);
  CHECK(fs::file_size(wal(directory.path())) < 7U << 20);
  CHECK(store->reader()->verify().empty());
}

TEST_CASE("a reader that closes last leaves the write-ahead log alone", "[sqlite]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  auto writer = store->writer();
  append_one(*writer, entry("notes", 1, "a"));
  auto reader = store->reader();
  CHECK(reader->load("notes")->last_seq == 1);
  writer.reset();
  reader.reset();
  CHECK(fs::file_size(wal(directory.path())) > 0);
  CHECK(store->reader()->load("notes")->last_seq == 1);
}

TEST_CASE("readers on other threads see whole batches only, while the writer writes", "[sqlite]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto writer = store->writer();
  constexpr Seq kBatches = 200;
  const auto watch = [&](std::unique_ptr<storage::Reader> reader) {
    Seq seen = 0;
    while (seen < 2 * kBatches) {
      const auto document = reader->load("notes");
      if (!document) continue;
      const bool is_whole = document->last_seq % 2 == 0 && document->last_seq >= seen &&
                            document->checkpoint_seq + document->tail.size() == document->last_seq;
      if (!is_whole) return false;
      seen = document->last_seq;
    }
    return true;
  };
  auto first = std::async(std::launch::async, watch, store->reader());
  auto second = std::async(std::launch::async, watch, store->reader());
  for (Seq batch = 0; batch < kBatches; ++batch) {
    const Seq seq = 2 * batch + 1;
    writer->append(std::vector{entry("notes", seq, "a"), entry("notes", seq + 1, "b")});
    if (batch % 10 == 0) writer->write_checkpoint({"notes", seq, bytes("state"), "", ""});
    if (batch % 50 == 0) writer->settle();
  }
  CHECK(first.get());
  CHECK(second.get());
}

TEST_CASE("I5: a writer that has met more authors than it remembers writes on", "[sqlite]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto writer = store->writer();
  std::vector<storage::Append> batch;
  for (Seq seq = 1; seq <= storage::sqlite::kCachedRows + 1; ++seq) {
    batch.push_back(entry_by({seq, seq == 1 ? "Ada" : ""}, "notes", seq, "x"));
  }
  writer->append(batch);
  const Seq next = batch.size() + 1;
  append_one(*writer, entry_by({1, "Eve"}, "notes", next, "x"));
  append_one(*writer, entry_by({2, "Bob"}, "notes", next + 1, "x"));

  const auto authors = store->reader()->list(1, 0).at(0).authors;
  REQUIRE(authors.size() == 8);
  CHECK(authors[0].name == "Bob");
  CHECK(authors[1].name == "Ada");
  CHECK(authors[2].client == batch.size());
}

TEST_CASE("the list does not read the logs", "[sqlite]") {
  const TempDirectory directory;
  make_store(directory.path());
  run_sql(database(directory.path()), "DELETE FROM log");
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto list = store->reader()->list(10, 0);
  REQUIRE(list.size() == 1);
  CHECK(list[0].last_seq == 2);
  CHECK(list[0].authors.size() == 1);
}

}  // namespace
}  // namespace palimpsest::testing
