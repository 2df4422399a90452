#include "cli/check.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "storage/builders.hpp"
#include "storage/raw_database.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using storage::Access;

// A store with "notes" and "other": three entries each, and a checkpoint at the second.
class Stored {
 public:
  explicit Stored(const crdt::Bytes& state_of_notes = Merged().add(1, "a").add(2, "b").state()) {
    const auto store = open_sqlite_store(data(), Access::kReadWrite);
    const auto writer = store->writer();
    for (const char* name : {"notes", "other"}) {
      for (storage::Seq seq = 1; seq <= 3; ++seq) {
        append_one(*writer, entry(name, seq, std::string(1, static_cast<char>('a' + seq - 1))));
      }
    }
    writer->write_checkpoint({"notes", 2, state_of_notes, "", ""});
    writer->write_checkpoint({"other", 2, Merged().add(1, "a").add(2, "b").state(), "", ""});
  }
  fs::path data() const { return directory_.path() / "data"; }
  void damage(const std::string& sql) const {
    run_sql(data() / "palimpsest.db",
            sql + " AND document_id = (SELECT id FROM documents WHERE name = 'notes')");
  }
  ProgramResult check(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), {"check", "--data", data()});
    return run_program(arguments);
  }

 private:
  TempDirectory directory_;
};

TEST_CASE("check says how much there is when all is well", "[check]") {
  const Stored stored;
  const ProgramResult result = stored.check();
  CHECK(result.status == 0);
  CHECK(result.out == "2 documents, 6 updates: all well\n");
  CHECK(result.error.empty());
  const json answer = json::parse(stored.check({"--json"}).out);
  CHECK(answer == json{{"documents", 2}, {"updates", 6}, {"findings", json::array()}});
}

TEST_CASE("check reads a store while a server has it open", "[check]") {
  const Stored stored;
  const auto store = open_sqlite_store(stored.data(), Access::kReadWrite);
  const auto writer = store->writer();
  append_one(*writer, entry("notes", 4, "d"));  // not in the database yet, but in its log
  CHECK(stored.check().out == "2 documents, 7 updates: all well\n");
  append_one(*writer, entry("notes", 5, "e"));  // and the server has its writer still
}

TEST_CASE("check names what is damaged, where and why", "[check]") {
  const Stored stored;
  const auto [damage, line] = GENERATE(table<std::string, std::string>({
      {"UPDATE checkpoints SET state = x'0000' WHERE true",
       "document \"notes\", seq 2: the checkpoint at seq 2 does not match its checksum\n"},
      {"UPDATE log SET entries = x'43' WHERE last_seq = 1",
       "document \"notes\", seq 1: entry 1 of the log does not match its checksum\n"},
      {"UPDATE log SET entries = x'43' WHERE last_seq = 3",
       "document \"notes\", seq 3: entry 3 of the log does not match its checksum\n"},
      {"DELETE FROM log WHERE last_seq = 2", "document \"notes\", seq 2: entries are missing\n"},
  }));
  stored.damage(damage);
  const ProgramResult result = stored.check();
  CHECK(result.status == 1);
  CHECK(result.out == line);
  CHECK(result.error.empty());
}

TEST_CASE("check finds a checkpoint that the log does not come to", "[check]") {
  const Stored stored(Merged().add(1, "a").state());  // which lacks what the second entry wrote
  const ProgramResult result = stored.check();
  CHECK(result.status == 1);
  CHECK(result.out ==
        "document \"notes\", seq 2: the checkpoint at seq 2 is not what the log up to it comes to: "
        "client 2 has 0 units in it and 1 in the log\n");
  const ProgramResult as_json = stored.check({"--json"});
  CHECK(as_json.status == 1);
  const json answer = json::parse(as_json.out);
  CHECK(answer["documents"] == 2);
  REQUIRE(answer["findings"].size() == 1);
  CHECK(answer["findings"][0]["document"] == "notes");
  CHECK(answer["findings"][0]["seq"] == 2);
}

TEST_CASE("check says of each finding one line, whatever the name", "[check]") {
  const Stored stored;
  run_sql(stored.data() / "palimpsest.db",
          "UPDATE log SET entries = x'43' WHERE last_seq = 1;"
          "UPDATE documents SET name = CAST(x'610aff62' AS TEXT) WHERE name = 'notes'");
  const ProgramResult result = stored.check();
  CHECK(result.status == 1);
  CHECK(contains(result.out, "document \"a ?b\", seq 1: "));
  CHECK(contains(result.out, "document \"other\", seq 1: "));
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 2);
  CHECK(json::parse(stored.check({"--json"}).out)["findings"].size() == 2);
}

TEST_CASE("a store that cannot be used is not checked", "[check]") {
  const TempDirectory directory;
  SECTION("there is none") {}
  SECTION("of another program") {
    run_sql(directory.path() / "palimpsest.db", "CREATE TABLE theirs (x)");
  }
  SECTION("no database") {
    write_file(directory.path() / "palimpsest.db", std::vector<char>(5000, 'x'));
  }
  const ProgramResult result = run_program({"check", "--data", directory.path()});
  CHECK(result.status == 78);
  CHECK(result.out.empty());
  CHECK(contains(result.error, (directory.path() / "palimpsest.db").string()));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
}

}  // namespace
}  // namespace palimpsest::testing
