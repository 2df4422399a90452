#include "storage/restore.hpp"

#include <chrono>

#include "builders.hpp"
#include "faulty_disk.hpp"
#include "log/row.hpp"
#include "raw_database.hpp"
#include "sqlite/checksum.hpp"
#include "sqlite/position.hpp"
#include "sqlite/schema.hpp"
#include "sqlite/statement.hpp"
#include "storage/backup.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using storage::Access;
using storage::Backup;
using storage::BadBackup;
using storage::Restored;
using Ranges = std::map<crdt::ClientId, storage::LostClocks::Range>;
using Texts = std::vector<std::string>;

const storage::Time kNow = time(1'795'000'000'000);

// A data directory and backups of it.
class Place {
 public:
  fs::path data() const { return directory_.path() / "data"; }
  fs::path database() const { return data() / "palimpsest.db"; }
  fs::path file(const std::string& name) const { return directory_.path() / name; }

  void append(const std::string& document, storage::Seq seq, const std::string& text) const {
    const auto store = open_sqlite_store(data(), Access::kReadWrite);
    append_one(*store->writer(), entry(document, seq, text));
  }
  fs::path back_up(const std::string& name) const {
    Backup(data()).write_to(file(name));
    return file(name);
  }
  Restored restore(const fs::path& backup) const { return storage::restore(data(), backup, kNow); }
  std::string refusal_of(const fs::path& backup) const {
    try {
      restore(backup);
    } catch (const BadBackup& bad) {
      return bad.what();
    }
    return "";
  }
  storage::StoredDocument load(const std::string& document) const {
    return open_sqlite_store(data(), Access::kReadOnly)->reader()->load(document).value();
  }
  std::size_t files() const {
    const fs::directory_iterator all(data());
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
  bool is_well() const {
    return open_sqlite_store(data(), Access::kReadOnly)->reader()->verify().empty();
  }

 private:
  TempDirectory directory_;
};

bool is_whole(const fs::path& database) {
  const TempDirectory directory;
  fs::copy_file(database, directory.path() / "palimpsest.db");
  return open_sqlite_store(directory.path(), Access::kReadOnly)->reader()->verify().empty();
}

TEST_CASE("what is put back is what was backed up, and what was there stays beside it",
          "[restore]") {
  const Place place;
  place.append("notes", 1, "a");
  const fs::path backup = place.back_up("backup.db");
  place.append("notes", 2, "b");
  place.append("other", 1, "c");

  const Restored restored = place.restore(backup);
  CHECK(restored.documents == 1);
  CHECK(restored.updates == 1);
  CHECK(restored.doubts.empty());
  CHECK(restored.set_aside.filename() == "palimpsest.db.before-restore-2026-11-18T11-06-40Z");
  CHECK(texts(place.load("notes").tail) == Texts{"a"});
  CHECK(place.is_well());
  CHECK(is_whole(restored.set_aside));

  // And back again.
  CHECK(place.restore(restored.set_aside).documents == 2);
  CHECK(texts(place.load("notes").tail) == Texts{"a", "b"});
}

TEST_CASE("a document that was put back is one generation later than any before", "[restore]") {
  const Place place;
  place.append("notes", 1, "a");
  const fs::path old = place.back_up("old.db");
  place.restore(old);
  CHECK(place.load("notes").generation == 2);
  const fs::path newer = place.back_up("newer.db");
  place.restore(old);
  CHECK(place.load("notes").generation == 3);
  place.restore(newer);
  CHECK(place.load("notes").generation == 4);
  place.append("notes", 2, "b");
  CHECK(place.load("notes").generation == 4);
  CHECK(place.is_well());
}

TEST_CASE("what clients may have that the backup has not is known as lost", "[restore]") {
  const Place place;
  place.append("notes", 1, "a");
  const fs::path before = place.back_up("before.db");
  place.append("notes", 2, "bcd");  // by client 2
  place.append("other", 1, "c");
  const fs::path after = place.back_up("after.db");

  place.restore(before);
  CHECK(place.load("notes").lost.ranges() == Ranges{{2, {0, 3}}});
  const storage::StoredDocument gone = place.load("other");
  CHECK(gone.last_seq == 0);
  CHECK(gone.generation == 2);
  CHECK(gone.lost.ranges() == Ranges{{1, {0, 1}}});

  // Until it is there again.
  place.restore(after);
  CHECK(place.load("notes").lost.empty());
  CHECK(place.load("other").lost.empty());
  CHECK(place.load("other").generation == 2);
  CHECK(place.load("notes").generation == 3);
}

TEST_CASE("a backup can be put where nothing was", "[restore]") {
  const Place place;
  place.append("notes", 1, "a");
  const fs::path backup = place.back_up("backup.db");
  fs::remove_all(place.data());
  CHECK(place.restore(backup).set_aside.empty());
  CHECK(place.load("notes").last_seq == 1);
  CHECK(place.load("notes").generation == 2);
}

TEST_CASE("what is no backup is refused, and the store stays as it is", "[restore]") {
  const Place place;
  place.append("notes", 1, "a");
  const fs::path backup = place.back_up("backup.db");
  write_file(place.file("empty"), {});
  write_file(place.file("text"), std::vector<char>(5000, 'x'));
  fs::copy_file(backup, place.file("used.db"));
  write_file(place.file("used.db-wal"), {'x'});
  fs::copy_file(backup, place.file("newer.db"));
  run_sql(place.file("newer.db"), "PRAGMA user_version = 1000");
  const auto files = place.files();
  const auto before = read_file(place.database());

  CHECK(contains(place.refusal_of(place.file("missing")), "No such file"));
  CHECK(contains(place.refusal_of(place.file("empty")), "is empty"));
  CHECK(contains(place.refusal_of(place.file("text")), "not a database"));
  CHECK(contains(place.refusal_of(place.file("used.db")), "in use"));
  CHECK(contains(place.refusal_of(place.file("newer.db")), "schema version 1000"));
  CHECK(contains(place.refusal_of(place.database()), "the store itself"));
  CHECK(place.files() == files);
  CHECK(read_file(place.database()) == before);
}

TEST_CASE("a damaged backup is refused with all that is wrong with it", "[restore]") {
  const Place place;
  place.append("notes", 1, "a");
  place.append("other", 1, "b");
  const fs::path backup = place.back_up("backup.db");
  run_sql(backup, "UPDATE log SET entries = x'00'");
  const auto before = read_file(place.database());
  const auto files = place.files();
  try {
    place.restore(backup);
    FAIL("it was taken");
  } catch (const BadBackup& bad) {
    CHECK(contains(bad.what(), "backup.db: is damaged in 2 places"));
    REQUIRE(bad.findings().size() == 2);
    CHECK(bad.findings().front().document == "notes");
  }
  CHECK(read_file(place.database()) == before);
  CHECK(place.files() == files);
}

TEST_CASE("nothing is put back under a server", "[restore]") {
  const Place place;
  place.append("notes", 1, "a");
  const fs::path backup = place.back_up("backup.db");
  const auto server = open_sqlite_store(place.data(), Access::kReadWrite);
  CHECK(contains(error_of([&] { place.restore(backup); }), "another server is running"));
}

// A store as the second version of the schema had it, with one entry.
void make_version_2(const fs::path& file) {
  namespace sqlite = storage::sqlite;
  write_file(file, {});
  sqlite::Connection connection(file, sqlite::Role::kWriter);
  migrate(connection, sqlite::migrations().first(2));
  connection.execute(
      "INSERT INTO documents (name, last_seq, created_at_ms, edited_at_ms) VALUES ('notes', 1, 1, "
      "1); INSERT INTO authors (document_id, client_id, name, first_seen_seq) VALUES (1, 1, '', "
      "1)");
  storage::log::RowWriter row;
  row.add(entry("notes", 1, "a"));
  const crdt::ByteView entries = row.finish();
  const sqlite::Place place{sqlite::Place::Kind::kLogRow, 1, 1, 1};
  const std::uint64_t sum = sqlite::checksum(place, entries);
  sqlite::Statement(connection,
                    "INSERT INTO log (position, generation, checksum, entries) "
                    "VALUES (?1, 1, ?2, ?3)")
      .execute(sqlite::position(1, 1), sum, entries);
}

TEST_CASE("a backup of an older program is brought up to date on the way", "[restore]") {
  const Place place;
  place.append("notes", 1, "b");
  make_version_2(place.file("old.db"));
  place.restore(place.file("old.db"));
  CHECK(place.load("notes").generation == 2);
  CHECK(texts(place.load("notes").tail) == Texts{"a"});
  CHECK(place.is_well());
}

TEST_CASE("a store that cannot be read is set aside with its write-ahead log", "[restore]") {
  const Place place;
  place.append("notes", 1, "a");
  const fs::path backup = place.back_up("backup.db");
  write_file(place.database(), std::vector<char>(5000, 'x'));
  write_file(place.database().string() + "-wal", std::vector<char>(100, 'y'));
  const Restored restored = place.restore(backup);
  REQUIRE(restored.doubts.size() == 1);
  CHECK(contains(restored.doubts.front(), "not a database"));
  CHECK(read_file(restored.set_aside) == std::vector<char>(5000, 'x'));
  CHECK(fs::exists(restored.set_aside.string() + "-wal"));
  CHECK_FALSE(fs::exists(place.database().string() + "-wal"));
  CHECK(place.is_well());
}

TEST_CASE("of a damaged document nobody knows what is lost, of the others one does", "[restore]") {
  const Place place;
  place.append("bad", 1, "a");
  place.append("good", 1, "a");
  const fs::path backup = place.back_up("backup.db");
  place.append("good", 2, "b");
  run_sql(place.database(),
          "UPDATE log SET entries = x'00' WHERE document_id = "
          "(SELECT id FROM documents WHERE name = 'bad')");
  const Restored restored = place.restore(backup);
  REQUIRE(restored.doubts.size() == 1);
  CHECK(contains(restored.doubts.front(), "document \"bad\""));
  CHECK(place.load("bad").generation == 2);
  CHECK(place.load("good").lost.ranges() == Ranges{{2, {0, 1}}});
}

TEST_CASE("whatever operation of the disk fails, one store or the other is there", "[restore]") {
  using Disk = FaultyDisk;
  const auto operations =
      GENERATE(Disk::Operations::kWrites, Disk::Operations::kReads, Disk::Operations::kOpens);
  const auto cause = GENERATE(Disk::Cause::kIo, Disk::Cause::kFull);
  FaultyDisk disk;
  const Place place;
  place.append("notes", 1, "a");
  const fs::path backup = place.back_up("backup.db");
  place.append("notes", 2, "b");
  const fs::path old = place.back_up("old.db");
  std::size_t failures = 0;
  for (std::size_t n = 0;; ++n) {
    CAPTURE(n, static_cast<int>(operations), static_cast<int>(cause));
    fs::remove_all(place.data());
    fs::create_directory(place.data());
    fs::copy_file(old, place.database());
    disk.arm({n, operations, cause, Disk::Lasting::kOnce});
    std::string said = error_of([&] {
      try {
        place.restore(backup);
      } catch (const BadBackup& bad) {
        throw storage::Error(storage::Error::Kind::kIo, bad.what());
      }
    });
    const bool has_struck = disk.has_struck();
    disk.repair();
    CHECK(place.load("notes").last_seq == (said.empty() ? 1 : 2));
    CHECK(place.is_well());
    if (!has_struck) break;
    failures += said.empty() ? 0 : 1;
  }
  CHECK(failures > 3);
}

}  // namespace
}  // namespace palimpsest::testing
