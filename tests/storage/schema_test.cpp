#include "sqlite/schema.hpp"

#include <array>

#include "builders.hpp"
#include "raw_database.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using storage::Error;
using storage::sqlite::check_identity;
using storage::sqlite::check_version;
using storage::sqlite::Connection;
using storage::sqlite::migrate;
using storage::sqlite::Migration;
using storage::sqlite::Migrations;
using storage::sqlite::Role;

constexpr std::array kThree{Migration{"CREATE TABLE first (x)"},
                            Migration{"CREATE TABLE second (x)"},
                            Migration{"CREATE TABLE third (x)"}};
constexpr std::array kBroken{Migration{"CREATE TABLE first (x)"},
                             Migration{"CREATE TABLE second (x); INSERT INTO missing VALUES (1)"}};

Migrations first(std::size_t count) { return Migrations(kThree).first(count); }

// A connection to a file that is a database of nothing yet.
class Blank {
 public:
  Blank() {
    write_file(directory_.path() / "x.db", {});
    connection_.emplace(directory_.path() / "x.db", Role::kWriter);
  }
  Connection& operator*() { return *connection_; }
  std::int64_t tables() {
    return connection_->query_integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table'");
  }

 private:
  TempDirectory directory_;
  std::optional<Connection> connection_;
};

TEST_CASE("a new database gets every migration in order", "[schema]") {
  Blank database;
  migrate(*database, first(3));
  CHECK(database.tables() == 3);
  CHECK_NOTHROW(check_version(*database, first(3)));
}

TEST_CASE("F23: an older database gets the migrations that it lacks", "[schema]") {
  Blank database;
  migrate(*database, first(1));
  CHECK_NOTHROW(check_identity(*database, first(3)));
  CHECK(contains(error_of([&] { check_version(*database, first(3)); }), "older schema"));
  migrate(*database, first(3));
  CHECK(database.tables() == 3);
  migrate(*database, first(3));  // nothing is left to do
}

TEST_CASE("F23: a newer database is refused with both versions named", "[schema]") {
  Blank database;
  migrate(*database, first(3));
  {
    const std::string said = error_of([&] { check_identity(*database, first(2)); });
    CHECK(contains(said, "schema version 3"));
    CHECK(contains(said, "1 to 2"));
  }
}

TEST_CASE("a migration that fails half way has not happened", "[schema]") {
  Blank database;
  CHECK(contains(error_of([&] { migrate(*database, kBroken); }), "migration to schema version 2"));
  CHECK(database.tables() == 1);
  CHECK_NOTHROW(check_version(*database, first(1)));
  migrate(*database, first(3));
  CHECK(database.tables() == 3);
}

}  // namespace
}  // namespace palimpsest::testing
