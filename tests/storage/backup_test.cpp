#include "storage/backup.hpp"

#include "builders.hpp"
#include "faulty_disk.hpp"
#include "raw_database.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using storage::Access;
using storage::Backup;
using storage::Error;

bool is_well(const fs::path& backup) {
  const TempDirectory directory;
  fs::copy_file(backup, directory.path() / "palimpsest.db");
  return open_sqlite_store(directory.path(), Access::kReadOnly)->reader()->verify().empty();
}

TEST_CASE("what was deleted from the store is not in a backup", "[backup]") {
  const TempDirectory directory;
  const fs::path data = directory.path() / "data";
  open_sqlite_store(data, Access::kReadWrite);
  const std::string secret = "a sentence that is gone";
  run_sql(data / "palimpsest.db",
          "PRAGMA secure_delete = 0; CREATE TABLE gone (x); INSERT INTO gone VALUES ('" + secret +
              "'); DROP TABLE gone");
  const auto has_secret = [&](const fs::path& file) {
    const std::vector<char> content = read_file(file);
    return contains({content.data(), content.size()}, secret);
  };
  REQUIRE(has_secret(data / "palimpsest.db"));
  Backup(data).write_to(directory.path() / "copy.db");
  CHECK_FALSE(has_secret(directory.path() / "copy.db"));
  CHECK(is_well(directory.path() / "copy.db"));
}

TEST_CASE("a store of an older program can be backed up before it is brought up to date",
          "[backup]") {
  const TempDirectory directory;
  const fs::path data = directory.path() / "data";
  open_sqlite_store(data, Access::kReadWrite);
  run_sql(data / "palimpsest.db", "PRAGMA user_version = 1");
  CHECK_FALSE(error_of([&] { open_sqlite_store(data, Access::kReadOnly); }).empty());
  CHECK_NOTHROW(Backup(data).write_to(directory.path() / "copy.db"));
}

TEST_CASE("a backup changes nothing in the store, nor in its write-ahead log", "[backup]") {
  const TempDirectory directory;
  const fs::path data = directory.path() / "data";
  const auto store = open_sqlite_store(data, Access::kReadWrite);
  const auto writer = store->writer();
  append_one(*writer, entry("notes", 1, "a"));
  const auto before = read_file(data / "palimpsest.db");
  const auto log_before = read_file(data / "palimpsest.db-wal");
  REQUIRE_FALSE(log_before.empty());
  Backup(data).write_to(directory.path() / "copy.db");
  CHECK(read_file(data / "palimpsest.db") == before);
  CHECK(read_file(data / "palimpsest.db-wal") == log_before);
  append_one(*writer, entry("notes", 2, "b"));
  CHECK(is_well(directory.path() / "copy.db"));
}

TEST_CASE("whatever operation of the disk fails, a backup is whole or not there", "[backup]") {
  using Disk = FaultyDisk;
  const auto operations =
      GENERATE(Disk::Operations::kWrites, Disk::Operations::kReads, Disk::Operations::kOpens);
  const auto cause = GENERATE(Disk::Cause::kIo, Disk::Cause::kFull);
  const auto lasting = GENERATE(Disk::Lasting::kOnce, Disk::Lasting::kForEver);
  FaultyDisk disk;
  const TempDirectory directory;
  const fs::path data = directory.path() / "data";
  {
    const auto store = open_sqlite_store(data, Access::kReadWrite);
    const auto writer = store->writer();
    append_one(*writer, entry("notes", 1, "a"));
    append_one(*writer, entry("notes", 2, std::string(20'000, 'x')));
  }
  const fs::path target = directory.path() / "target";
  fs::create_directory(target);
  std::size_t n = 0;
  for (bool has_struck = true; has_struck; ++n) {
    CAPTURE(n, static_cast<int>(operations), static_cast<int>(cause), static_cast<int>(lasting));
    const fs::path file = target / "copy.db";
    disk.arm({n, operations, cause, lasting});
    const std::string said = error_of([&] { Backup(data).write_to(file); });
    has_struck = disk.has_struck();
    disk.repair();
    if (!said.empty()) {
      CHECK(has_struck);
      CHECK(fs::is_empty(target));
      continue;
    }
    CHECK(is_well(file));
    fs::remove(file);
    CHECK(fs::is_empty(target));
  }
  CHECK(n > 3);
  CHECK(open_sqlite_store(data, Access::kReadWrite)->reader()->verify().empty());
}

}  // namespace
}  // namespace palimpsest::testing
