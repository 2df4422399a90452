#include "storage/foreign_stores.hpp"

#include <map>
#include <vector>

#include "builders.hpp"
#include "raw_database.hpp"
#include "storage/store.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using Found = std::vector<std::pair<std::string, std::string>>;

Found hocuspocus(const fs::path& file, std::optional<std::string> document = std::nullopt) {
  Found found;
  storage::read_hocuspocus(file, document, [&](const std::string& name, crdt::ByteView update) {
    found.emplace_back(name, text_of(update));
  });
  return found;
}

// As Hocuspocus' extension makes its database (version 4).
constexpr const char* kHocuspocusSchema =
    "CREATE TABLE IF NOT EXISTS \"documents\" (\"name\" varchar(255) NOT NULL, "
    "\"data\" blob NOT NULL, UNIQUE(name));";

TEST_CASE("the documents of Hocuspocus' SQLite extension are read, all or one", "[foreign]") {
  const TempDirectory directory;
  const fs::path file = directory.path() / "hocuspocus.sqlite";
  run_sql(file, std::string(kHocuspocusSchema) + "INSERT INTO documents VALUES ('one', x'" +
                    to_hex(update_of(1, "a")) + "'), ('two', x'" + to_hex(update_of(2, "b")) +
                    "')");
  const auto before = read_file(file);
  CHECK(hocuspocus(file) == Found{{"one", "a"}, {"two", "b"}});
  CHECK(hocuspocus(file, "two") == Found{{"two", "b"}});
  CHECK(hocuspocus(file, "three").empty());
  CHECK(read_file(file) == before);
}

TEST_CASE("a database of another kind, and no database, are refused", "[foreign]") {
  const TempDirectory directory;
  const fs::path file = directory.path() / "x.sqlite";
  run_sql(file, "CREATE TABLE documents (id, text)");
  CHECK(contains(error_of([&] { hocuspocus(file); }), "no table documents (name, data)"));
  write_file(file, std::vector<char>(5000, 'x'));
  CHECK(contains(error_of([&] { hocuspocus(file); }), "not a database"));
  CHECK_FALSE(error_of([&] { hocuspocus(directory.path() / "none"); }).empty());
}

TEST_CASE("a directory without a LevelDB is refused, and a damaged one", "[foreign]") {
  const TempDirectory directory;
  const auto visit = [](const std::string&, crdt::ByteView) {};
  const auto said = [&] {
    return error_of([&] { storage::read_y_leveldb(directory.path(), std::nullopt, visit); });
  };
  CHECK(contains(said(), "is no LevelDB"));
  write_file(directory.path() / "CURRENT", {'x', '\n'});
  CHECK_FALSE(said().empty());
  CHECK(fs::directory_iterator(directory.path()) != fs::directory_iterator());
}

}  // namespace
}  // namespace palimpsest::testing
