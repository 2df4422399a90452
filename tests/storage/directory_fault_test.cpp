// What becomes of a data directory whose files were damaged, lost or closed to us between two
// servers: an error that says so, or what was written, never an empty store in its place.

#include <array>
#include <functional>
#include <random>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builders.hpp"
#include "faulty_disk.hpp"
#include "raw_database.hpp"
#include "sqlite/schema.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;

using storage::Access;
using storage::Error;
using storage::Seq;

constexpr Seq kBatches = 40;

fs::path database(const fs::path& directory) { return directory / "palimpsest.db"; }
fs::path wal(const fs::path& directory) { return directory / "palimpsest.db-wal"; }
fs::path shared_memory(const fs::path& directory) { return directory / "palimpsest.db-shm"; }

// Runs the work in a process of its own, which kills itself in the end; true when it came to that.
bool run_until_killed(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      work();
    } catch (...) {
    }
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

// Leaves what kill -9 leaves behind: batches of two entries each in "notes", the first half of them
// in the database and the others in its write-ahead log.
void make_killed_store(const fs::path& directory) {
  REQUIRE(run_until_killed([&] {
    const auto store = open_sqlite_store(directory, Access::kReadWrite);
    const auto writer = store->writer();
    for (Seq batch = 0; batch < kBatches; ++batch) {
      const Seq seq = 2 * batch + 1;
      writer->append(std::vector{entry("notes", seq, std::to_string(seq)),
                                 entry("notes", seq + 1, std::to_string(seq + 1))});
      if (batch == kBatches / 2 - 1) writer->settle();
    }
    ::kill(::getpid(), SIGKILL);
  }));
  REQUIRE(fs::file_size(wal(directory)) > 0);
}

// The store can be used, says that it is well, and has whole batches from the first on. Answers how
// many entries.
Seq check_prefix(const fs::path& directory) {
  const auto store = open_sqlite_store(directory, Access::kReadWrite);
  const auto reader = store->reader();
  CHECK(reader->verify().empty());
  const auto log = reader->log("notes", 1, 1000);
  CHECK(log.size() % 2 == 0);
  for (std::size_t i = 0; i < log.size(); ++i) {
    REQUIRE(texts({log[i]}).front() == std::to_string(i + 1));
  }
  append_one(*store->writer(), entry("notes", log.size() + 1, "next"));
  return log.size();
}

TEST_CASE(
    "F9: what a killed server left is whole without its shared memory, and with any in its place",
    "[directory fault]") {
  const TempDirectory directory;
  make_killed_store(directory.path());
  REQUIRE(fs::exists(shared_memory(directory.path())));
  SECTION("gone") { fs::remove(shared_memory(directory.path())); }
  SECTION("garbage") { write_file(shared_memory(directory.path()), std::vector<char>(32768, 'x')); }
  SECTION("cut") { fs::resize_file(shared_memory(directory.path()), 100); }
  CHECK(check_prefix(directory.path()) == 2 * kBatches);
}

TEST_CASE("F9: a write-ahead log that was cut anywhere leaves whole batches", "[directory fault]") {
  const TempDirectory source;
  make_killed_store(source.path());
  const auto size = static_cast<std::size_t>(fs::file_size(wal(source.path())));
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  Seq fewest = 2 * kBatches;
  for (int round = 0; round < 30; ++round) {
    const std::size_t kept = round == 0 ? 0 : random() % size;
    CAPTURE(kept);
    const TempDirectory copy;
    fs::copy(source.path(), copy.path(), fs::copy_options::recursive);
    fs::resize_file(wal(copy.path()), kept);
    const Seq found = check_prefix(copy.path());
    CHECK(found >= kBatches);  // what had been moved into the database
    fewest = std::min(fewest, found);
  }
  CHECK(fewest == kBatches);
}

TEST_CASE("F9: without its write-ahead log a store is what it was when that was moved last",
          "[directory fault]") {
  const TempDirectory directory;
  make_killed_store(directory.path());
  fs::remove(wal(directory.path()));
  fs::remove(shared_memory(directory.path()));
  CHECK(check_prefix(directory.path()) == kBatches);
}

TEST_CASE("F8: a bit that flips in the write-ahead log never changes a document unnoticed",
          "[directory fault]") {
  const TempDirectory source;
  make_killed_store(source.path());
  const std::vector<char> good = read_file(wal(source.path()));
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  constexpr std::size_t kFrame = 4096 + 24;  // SQLite file format, 4.1
  std::size_t shortened = 0;
  for (std::size_t first = 0; first < good.size(); first += kFrame) {
    const std::size_t offset = std::min(first + random() % kFrame, good.size() - 1);
    CAPTURE(offset);
    const TempDirectory copy;
    fs::copy(source.path(), copy.path(), fs::copy_options::recursive);
    std::vector<char> bad = good;
    bad[offset] = static_cast<char>(bad[offset] ^ (1 << (random() % 8)));
    write_file(wal(copy.path()), bad);
    if (check_prefix(copy.path()) < 2 * kBatches) ++shortened;
  }
  CHECK(shortened > 0);
}

// As another user, if we are one who may become that.
class Nobody {
 public:
  Nobody() : is_root_(::geteuid() == 0) {
    if (is_root_) REQUIRE(::seteuid(65534) == 0);
  }
  ~Nobody() {
    if (is_root_) static_cast<void>(::seteuid(0) == 0);
  }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;

 private:
  bool is_root_;
};

TEST_CASE("F9: a directory that may not be written is refused with its name and the cause",
          "[directory fault]") {
  const TempDirectory directory;
  const fs::path home = directory.path() / "data";
  fs::permissions(directory.path(), fs::perms::owner_all | fs::perms::others_exec);
  open_sqlite_store(home, Access::kReadWrite);
  const auto [name, change] = GENERATE(table<std::string, std::function<void(const fs::path&)>>({
      {"not to be written",
       [](const fs::path& path) {
         fs::permissions(path, fs::perms::owner_read | fs::perms::owner_exec |
                                   fs::perms::others_read | fs::perms::others_exec);
         fs::permissions(path / "palimpsest.lock", fs::perms::owner_read | fs::perms::others_read);
         fs::permissions(database(path), fs::perms::owner_read | fs::perms::others_read);
       }},
      {"not to be looked into",
       [](const fs::path& path) { fs::permissions(path, fs::perms::none); }},
  }));
  CAPTURE(name);
  change(home);
  const std::string said = [&] {
    const Nobody nobody;
    return error_of([&] { open_sqlite_store(home, Access::kReadWrite); });
  }();
  fs::permissions(home, fs::perms::owner_all);
  CHECK(contains(said, home.string()));
  CHECK(contains(said, "Permission denied"));
}

TEST_CASE("F15: a clock that jumps back, or stands still, changes no order in the log",
          "[directory fault]") {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto writer = store->writer();
  constexpr std::array<std::int64_t, 5> kTimes{1'790'000'000'000, 1'790'000'000'000,
                                               1'790'000'000'000 - 315'360'000'000, 0,
                                               1'790'000'000'000 + 315'360'000'000};
  for (std::size_t i = 0; i < kTimes.size(); ++i) {
    storage::Append append = entry("notes", i + 1, std::to_string(i + 1));
    append.at = time(kTimes[i]);
    append_one(*writer, append);
  }
  const auto log = store->reader()->log("notes", 1, 10);
  REQUIRE(log.size() == kTimes.size());
  for (std::size_t i = 0; i < kTimes.size(); ++i) {
    CHECK(log[i].seq == i + 1);
    CHECK(log[i].at == time(kTimes[i]));
  }
  CHECK(store->reader()->verify().empty());
}

TEST_CASE("F23: a migration that fails at any write is resumed where it stopped",
          "[directory fault]") {
  using storage::sqlite::Connection;
  using storage::sqlite::Role;
  static constexpr std::array<storage::sqlite::Migration, 3> kSteps{
      {{"CREATE TABLE first (x)"},
       {"CREATE TABLE second (x); INSERT INTO second VALUES (2)"},
       {"ALTER TABLE second ADD y; UPDATE second SET y = x + 1"}}};
  FaultyDisk disk;
  bool has_struck = true;
  std::size_t n = 0;
  for (; has_struck; ++n) {
    CAPTURE(n);
    const TempDirectory directory;
    const fs::path file = directory.path() / "x.db";
    write_file(file, {});
    disk.arm({.operations_until = n});
    try {
      Connection connection(file, Role::kWriter);
      storage::sqlite::migrate(connection, kSteps);
    } catch (const Error&) {
    }
    has_struck = disk.has_struck();
    disk.repair();
    Connection connection(file, Role::kWriter);
    storage::sqlite::migrate(connection, kSteps);
    CHECK(connection.query_integer("SELECT sum(y) FROM second") == 3);
    CHECK(connection.query_integer("SELECT count(*) FROM sqlite_schema") == 2);
    CHECK(connection.query_text("PRAGMA integrity_check") == "ok");
  }
  CHECK(n > 10);
}

}  // namespace
}  // namespace palimpsest::testing
