// A database of an earlier version has the same in it after the migrations.

#include <array>

#include "builders.hpp"
#include "raw_database.hpp"
#include "sqlite/checksum.hpp"
#include "sqlite/schema.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;

using storage::Access;
using storage::Error;
using storage::LogEntry;
using storage::sqlite::checksum;
using storage::sqlite::Connection;
using storage::sqlite::Place;
using storage::sqlite::Role;

// A store as version 1 wrote it: one row for each entry of the log.
class Version1 {
 public:
  Version1() {
    open_sqlite_store(directory_.path(), Access::kReadWrite);  // for the lock, and its permissions
    fs::remove(file());
    write_file(file(), {});
    Connection connection(file(), Role::kWriter);
    connection.configure();
    migrate(connection, storage::sqlite::migrations().first(1));
  }

  void add_document(int id, const std::string& name, storage::Seq last_seq) {
    run_sql(file(),
            "INSERT INTO documents (id, name, last_seq, created_at_ms, edited_at_ms) "
            "VALUES (" +
                std::to_string(id) + ", '" + name + "', " + std::to_string(last_seq) + ", 1, 2)");
    run_sql(file(),
            "INSERT INTO authors (id, document_id, client_id, name, first_seen_seq) VALUES "
            "(" +
                std::to_string(id) + ", " + std::to_string(id) + ", 77, 'Ada', 1)");
  }

  void add_entry(int document, storage::Seq seq) {
    const crdt::Bytes update = update_of(seq, text(seq));
    const std::uint64_t sum = checksum(Place{Place::Kind::kLogEntry, document, 1, seq}, update);
    const std::string made_at = seq % 3 == 0 ? std::to_string(5000 + seq) : "NULL";
    run_sql(file(),
            "INSERT INTO log (position, generation, at_ms, made_at_ms, author_id, connection, "
            "checksum, bytes) VALUES (" +
                std::to_string(document) + " << 32 | " + std::to_string(seq) + ", 1, " +
                std::to_string(9000 + seq) + ", " + made_at + ", " + std::to_string(document) +
                ", " + std::to_string(seq % 2) + ", " +
                std::to_string(static_cast<std::int64_t>(sum)) + ", x'" + to_hex(update) + "')");
  }

  static std::string text(storage::Seq seq) { return "update " + std::to_string(seq); }
  fs::path file() const { return directory_.path() / "palimpsest.db"; }
  std::unique_ptr<storage::Store> open() const {
    return open_sqlite_store(directory_.path(), Access::kReadWrite);
  }

 private:
  TempDirectory directory_;
};

TEST_CASE("the log of version 1 is the same in version 2", "[migration]") {
  Version1 old;
  old.add_document(1, "notes", 300);
  old.add_document(2, "other", 1);
  for (storage::Seq seq = 1; seq <= 300; ++seq) old.add_entry(1, seq);
  old.add_entry(2, 1);

  const auto store = old.open();
  const auto reader = store->reader();
  CHECK(reader->verify().empty());
  const std::vector<LogEntry> log = reader->log("notes", 1, 1000);
  REQUIRE(log.size() == 300);
  for (const LogEntry& logged : log) {
    CAPTURE(logged.seq);
    CHECK(texts({logged}).front() == Version1::text(logged.seq));
    CHECK(logged.at == time(9000 + static_cast<std::int64_t>(logged.seq)));
    CHECK(logged.made_at.has_value() == (logged.seq % 3 == 0));
    if (logged.made_at)
      CHECK(*logged.made_at == time(5000 + static_cast<std::int64_t>(logged.seq)));
    CHECK(logged.author.client == 77);
    CHECK(logged.author.name == "Ada");
    CHECK(logged.connection == logged.seq % 2);
  }
  CHECK(reader->log("other", 1, 10).size() == 1);

  append_one(*store->writer(), entry_by({77, ""}, "notes", 301, "next"));
  CHECK(reader->load("notes")->last_seq == 301);
}

TEST_CASE("what was there before a migration is kept, as a store of its own", "[migration]") {
  Version1 old;
  old.add_document(1, "notes", 2);
  for (storage::Seq seq = 1; seq <= 2; ++seq) old.add_entry(1, seq);
  const fs::path kept = old.file().string() + ".before-version-" +
                        std::to_string(storage::sqlite::migrations().size());
  write_file(kept, {'o', 'l', 'd'});  // of an attempt that came to nothing
  append_one(*old.open()->writer(), entry_by({77, ""}, "notes", 3, "since then"));

  CHECK(old.open()->reader()->load("notes")->last_seq == 3);
  const TempDirectory elsewhere;
  fs::copy_file(kept, elsewhere.path() / "palimpsest.db");
  {
    Connection connection(elsewhere.path() / "palimpsest.db", Role::kReader);
    CHECK(connection.query_integer("PRAGMA user_version") == 1);
  }
  const auto store = open_sqlite_store(elsewhere.path(), Access::kReadWrite);
  CHECK(texts(store->reader()->log("notes", 1, 10)) ==
        std::vector{Version1::text(1), Version1::text(2)});
}

TEST_CASE("what was damaged in version 1 is not taken for sound in version 2", "[migration]") {
  Version1 old;
  for (const int document : {1, 2, 3, 4}) {
    old.add_document(document, "document " + std::to_string(document), 3);
    for (storage::Seq seq = 1; seq <= 3; ++seq) old.add_entry(document, seq);
  }
  run_sql(old.file(), "UPDATE log SET bytes = x'00' WHERE position = (1 << 32 | 2)");
  run_sql(old.file(), "DELETE FROM log WHERE position = (2 << 32 | 2)");
  run_sql(old.file(), "DELETE FROM authors WHERE document_id = 3");

  const auto store = old.open();
  const auto reader = store->reader();
  const auto said = [&](const char* name) { return error_of([&] { reader->log(name, 1, 10); }); };
  CHECK(contains(said("document 1"), "entry 2 of the log does not match"));
  CHECK(contains(said("document 2"), "entry 2 of the log is missing"));
  CHECK(contains(said("document 3"), "entry 1 of the log does not match"));
  CHECK(said("document 4").empty());
  CHECK(texts(reader->log("document 1", 3, 1)).front() == Version1::text(3));
}

}  // namespace
}  // namespace palimpsest::testing
