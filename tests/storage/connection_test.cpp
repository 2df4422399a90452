#include "sqlite/connection.hpp"

#include "builders.hpp"
#include "sqlite/transaction.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using storage::Error;
using storage::sqlite::Connection;
using storage::sqlite::Role;
using storage::sqlite::Transaction;

// A connection to a new store of its own.
class Opened {
 public:
  explicit Opened(Role role) {
    open_sqlite_store(directory_.path(), storage::Access::kReadWrite);
    connection_.emplace(directory_.path() / "palimpsest.db", role);
    connection_->configure();
  }
  Connection* operator->() { return &*connection_; }
  Connection& operator*() { return *connection_; }

 private:
  TempDirectory directory_;
  std::optional<Connection> connection_;
};

TEST_CASE("a connection that writes syncs each commit and leaves checkpoints to us", "[sqlite]") {
  Opened connection(Role::kWriter);
  CHECK(connection->query_text("PRAGMA journal_mode") == "wal");
  CHECK(connection->query_integer("PRAGMA synchronous") == 2);
  CHECK(connection->query_integer("PRAGMA wal_autocheckpoint") == 0);
  CHECK(connection->query_integer("PRAGMA journal_size_limit") == 64 << 20);
  CHECK(connection->query_integer("PRAGMA busy_timeout") == 5000);
  CHECK(connection->query_integer("PRAGMA foreign_keys") == 1);
}

TEST_CASE("no connection trusts what is in the file", "[sqlite]") {
  const auto role = GENERATE(Role::kWriter, Role::kReader);
  Opened connection(role);
  CHECK(connection->query_integer("PRAGMA trusted_schema") == 0);
  CHECK(connection->query_integer("PRAGMA cell_size_check") == 1);
  CHECK(connection->query_integer("PRAGMA mmap_size") == 0);
  CHECK_THROWS_AS(connection->execute("SELECT load_extension('x')"), Error);
  if (role == Role::kReader) return;
  connection->execute("PRAGMA writable_schema = 1");  // defensive mode: without effect
  CHECK_THROWS_AS(connection->execute("UPDATE sqlite_schema SET sql = ''"), Error);
}

TEST_CASE("a connection that reads cannot write", "[sqlite]") {
  Opened connection(Role::kReader);
  CHECK_THROWS_AS(connection->execute("DELETE FROM log"), Error);
  CHECK_THROWS_AS(connection->execute("PRAGMA user_version = 7"), Error);
}

TEST_CASE("an error names the file, the operation and the cause", "[sqlite]") {
  Opened connection(Role::kWriter);
  connection->describe("append");
  CHECK(contains(error_of([&] { connection->execute("INSERT INTO missing VALUES (1)"); }),
                 "palimpsest.db: append: no such table: missing"));
}

TEST_CASE("a database that may not grow says that it is full", "[sqlite]") {
  Opened connection(Role::kWriter);
  const auto pages = connection->query_integer("PRAGMA page_count");
  connection->execute(("PRAGMA max_page_count = " + std::to_string(pages)).c_str());
  const char* insert =
      "INSERT INTO documents (name, created_at_ms, edited_at_ms) "
      "VALUES (hex(zeroblob(100000)), 0, 0)";
  try {
    Transaction transaction(*connection);
    connection->execute(insert);
    FAIL("there was room");
  } catch (const Error& error) {
    CHECK(error.kind() == Error::Kind::kDiskFull);
  }
  CHECK(connection->query_integer("SELECT count(*) FROM documents") == 0);
}

TEST_CASE("a transaction that is not committed is undone", "[sqlite]") {
  Opened connection(Role::kWriter);
  {
    Transaction transaction(*connection);
    connection->execute("INSERT INTO documents (name, created_at_ms, edited_at_ms) VALUES (1,0,0)");
  }
  CHECK(connection->query_integer("SELECT count(*) FROM documents") == 0);
}

TEST_CASE("a part of a log cannot refer to a document that is not there", "[sqlite]") {
  Opened connection(Role::kWriter);
  connection->execute("INSERT INTO documents (name, created_at_ms, edited_at_ms) VALUES ('d',0,0)");
  const auto [name, columns, values] = GENERATE(table<std::string, std::string, std::string>({
      {"log", "", ""},
      {"segments", "first_seq, earliest_ms, latest_ms, ", "1, 0, 0, "},
  }));
  const auto insert = [&](int document) {
    const std::string position = std::to_string(document) + " << 32 | 1";
    connection->execute(("INSERT INTO " + name + " (position, " + columns +
                         "generation, checksum, entries) VALUES (" + position + ", " + values +
                         "1, 0, x'00')")
                            .c_str());
  };
  CHECK(contains(error_of([&] { insert(2); }), "FOREIGN KEY"));
  insert(1);
  const std::string last = "SELECT last_seq FROM " + name + " WHERE document_id = 1";
  CHECK(connection->query_integer(last.c_str()) == 1);
}

}  // namespace
}  // namespace palimpsest::testing
