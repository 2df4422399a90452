#include "sqlite/generations.hpp"

#include "builders.hpp"
#include "raw_database.hpp"
#include "sqlite/transaction.hpp"
#include "storage/lost_clocks.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using crdt::StateVector;
using storage::Access;
using storage::LostClocks;
using storage::sqlite::Connection;
using storage::sqlite::Generations;
using storage::sqlite::Role;
using Ranges = std::map<crdt::ClientId, LostClocks::Range>;

TEST_CASE("lost is what the older replica knew and the newer one does not", "[generations]") {
  const LostClocks lost(StateVector({{1, 10}, {2, 5}, {3, 7}}), StateVector({{1, 4}, {2, 5}}));
  CHECK(lost.ranges() == Ranges{{1, {4, 10}}, {3, {0, 7}}});
  CHECK(LostClocks(StateVector({{1, 4}}), StateVector({{1, 4}, {2, 9}})).empty());
}

TEST_CASE("a copy of an older generation shows by what it knows, and by what it wrote",
          "[generations]") {
  const LostClocks lost(StateVector({{1, 10}}), StateVector({{1, 4}}));
  CHECK_FALSE(lost.reached_by(StateVector({{1, 4}, {2, 100}})));
  CHECK(lost.reached_by(StateVector({{1, 5}})));
  CHECK(lost.reached_by(StateVector({{1, 50}})));  // wrote on where it was

  using Authored = std::vector<crdt::Update::Authored>;
  CHECK_FALSE(lost.reached_by(Authored{{1, 0, 4}, {2, 0, 100}}));
  CHECK(lost.reached_by(Authored{{2, 0, 1}, {1, 4, 5}}));
  CHECK(lost.reached_by(Authored{{1, 10, 12}}));
}

TEST_CASE("of several generations all that was lost is kept, and no more", "[generations]") {
  LostClocks lost(StateVector({{1, 10}, {2, 3}}), StateVector({{1, 4}}));
  lost.add(LostClocks(StateVector({{1, 8}}), StateVector({{1, 2}})));
  CHECK(lost.ranges() == Ranges{{1, {2, 10}}, {2, {0, 3}}});
  lost.remove(StateVector({{1, 6}, {2, 3}, {9, 9}}));
  CHECK(lost.ranges() == Ranges{{1, {6, 10}}});
}

// Says that the document is gone, behind the back of the store, as purging it will.
void retire(const std::filesystem::path& data, const std::string& name, const StateVector& had) {
  run_sql(
      data / "palimpsest.db",
      "DELETE FROM log; DELETE FROM authors; DELETE FROM documents WHERE name = '" + name + "'");
  Connection connection(data / "palimpsest.db", Role::kWriter);
  connection.configure();
  storage::sqlite::Transaction transaction(connection);
  Generations(connection).retire(name, 3, had);
  transaction.commit();
}

TEST_CASE("a name that is used again goes on one generation later, and knows what is lost",
          "[generations]") {
  const TempDirectory directory;
  {
    const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
    append_one(*store->writer(), entry("notes", 1, "a"));
  }
  retire(directory.path(), "notes", StateVector({{1, 1}}));

  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto reader = store->reader();
  const auto before = reader->load("notes");
  REQUIRE(before);
  CHECK(before->last_seq == 0);
  CHECK(before->generation == 4);
  CHECK(before->lost.ranges() == Ranges{{1, {0, 1}}});
  CHECK(reader->list(10, 0).empty());
  CHECK_FALSE(reader->load("other"));

  append_one(*store->writer(), entry_by({2, ""}, "notes", 1, "b"));
  const auto after = reader->load("notes");
  REQUIRE(after);
  CHECK(after->generation == 4);
  CHECK(after->lost == before->lost);
  CHECK(reader->verify().empty());
}

TEST_CASE("a row keeps the generation in which it was written; one from the future is damage",
          "[generations]") {
  const TempDirectory directory;
  const auto database = directory.path() / "palimpsest.db";
  {
    const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
    append_one(*store->writer(), entry("notes", 1, "a"));
  }
  run_sql(database, "UPDATE documents SET generation = 7");
  {
    const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
    append_one(*store->writer(), entry("notes", 2, "b"));
    CHECK(store->reader()->load("notes")->generation == 7);
    CHECK(store->reader()->verify().empty());
  }
  run_sql(database, "UPDATE documents SET generation = 6");
  const auto store = open_sqlite_store(directory.path(), Access::kReadOnly);
  CHECK(contains(error_of([&] { store->reader()->load("notes"); }), "later generation"));
}

}  // namespace
}  // namespace palimpsest::testing
