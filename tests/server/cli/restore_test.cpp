#include "cli/restore.hpp"

#include <csignal>
#include <filesystem>
#include <string>

#include "program.hpp"
#include "storage/backup.hpp"
#include "storage/builders.hpp"
#include "storage/raw_database.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using storage::Access;

// A store that has gone on since it was backed up.
class Stored {
 public:
  Stored() {
    append(1, "a");
    storage::Backup(data()).write_to(backup());
    append(2, "b");
  }
  fs::path data() const { return directory_.path() / "data"; }
  fs::path backup() const { return directory_.path() / "backup.db"; }
  ProgramResult restore(const fs::path& file) const {
    return run_program({"restore", file, "--data", data()});
  }
  storage::Seq last_seq() const {
    return open_sqlite_store(data(), Access::kReadOnly)->reader()->load("notes")->last_seq;
  }

 private:
  void append(storage::Seq seq, const std::string& text) const {
    const auto store = open_sqlite_store(data(), Access::kReadWrite);
    append_one(*store->writer(), entry("notes", seq, text));
  }

  TempDirectory directory_;
};

TEST_CASE("restore says what it put back, and where the rest is", "[restore]") {
  const Stored stored;
  const ProgramResult result = stored.restore(stored.backup());
  CHECK(result.status == 0);
  CHECK(result.error.empty());
  CHECK(contains(result.out, "put back 1 document, 1 update\n"));
  CHECK(contains(result.out, "palimpsest.db.before-restore-"));
  CHECK(stored.last_seq() == 1);
}

TEST_CASE("restore refuses under a running server with status 78", "[restore]") {
  const Stored stored;
  Program server({"serve", "--data", stored.data(), "--listen", "127.0.0.1:0"});
  while (!contains(server.read_line(), "http://")) {
  }
  const ProgramResult result = stored.restore(stored.backup());
  CHECK(result.status == 78);
  CHECK(contains(result.error, "another server is running on it"));
  server.signal(SIGTERM);
  CHECK(server.wait().status == 0);
  CHECK(stored.last_seq() == 2);
}

TEST_CASE("restore refuses a damaged backup with status 1, and says what is wrong", "[restore]") {
  const Stored stored;
  run_sql(stored.backup(), "UPDATE log SET entries = x'00'");
  const ProgramResult result = stored.restore(stored.backup());
  CHECK(result.status == 1);
  CHECK(result.out.empty());
  CHECK(contains(result.error, "document \"notes\", seq 1: "));
  CHECK(contains(result.error, "backup.db: is damaged in"));
  CHECK(stored.last_seq() == 2);
  CHECK(stored.restore(stored.data() / "none").status == 1);
}

TEST_CASE("restore says what it could not find out of a store that is damaged", "[restore]") {
  const Stored stored;
  write_file(stored.data() / "palimpsest.db", std::vector<char>(5000, 'x'));
  const ProgramResult result = stored.restore(stored.backup());
  CHECK(result.status == 0);
  CHECK(contains(result.error, "the store that was there cannot be read"));
  CHECK(stored.last_seq() == 1);
}

}  // namespace
}  // namespace palimpsest::testing
