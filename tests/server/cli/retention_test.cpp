#include "cli/retention.hpp"

#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "crdt/doc.hpp"
#include "program.hpp"
#include "storage/builders.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using server::cli::parse_days;

constexpr std::int64_t kStart = 1'600'000'000'000;  // 2020-09-13T12:26:40Z

// A store with the document "notes": two bursts of ten keys each, ten minutes apart, years ago.
struct Stored {
  Stored() {
    const auto store = storage::open_sqlite_store(data(), storage::Access::kReadWrite);
    const auto writer = store->writer();
    crdt::Doc doc;
    for (storage::Seq seq = 1; seq <= 20; ++seq) {
      storage::Append append;
      append.document = "notes";
      append.seq = seq;
      append.at = time(kStart + static_cast<std::int64_t>(seq) * 100 + (seq > 10 ? 600'000 : 0));
      append.author = {1, "Ada"};
      append.update = std::make_shared<const crdt::Bytes>(doc.transact(1, [&](auto& t) {
        t.text_insert("content", seq - 1, std::string(1, static_cast<char>('a' + seq - 1)));
      }));
      writer->append({&append, 1});
    }
    writer->write_checkpoint({"notes", 20, doc.encode(), "", ""});
  }
  fs::path data() const { return directory.path() / "data"; }
  ProgramResult ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", data()});
    return run_program(arguments);
  }

  TempDirectory directory;
};

TEST_CASE("a number of days is a number and d", "[retention]") {
  CHECK(parse_days("90d") == 90);
  CHECK(parse_days("0d") == 0);
  CHECK(parse_days("36500d") == 36500);
  for (const char* wrong :
       {"", "d", "90", "90 d", "-1d", "1.5d", "90days", "36501d", "99999999999d"})
    CHECK_FALSE(parse_days(wrong));
}

TEST_CASE("thin says what it would do, and does it", "[retention]") {
  const Stored stored;
  const std::string shown = stored.ask({"show", "notes", "--at", "10"}).out;
  const ProgramResult dry = stored.ask({"thin", "notes", "--older-than", "90d", "--dry-run"});
  CHECK(dry.status == 0);
  CHECK(
      dry.out.starts_with("notes: 20 entries up to change 20 would become 2 bursts, 18 of them "
                          "empty: "));
  CHECK(stored.ask({"show", "notes", "--at", "5"}).out == "abcde");

  const ProgramResult done = stored.ask({"thin", "notes", "--older-than", "90d"});
  CHECK(done.status == 0);
  CHECK(done.out.starts_with(
      "notes: 20 entries up to change 20 became 2 bursts, 18 of them empty: "));
  CHECK(stored.ask({"show", "notes", "--at", "10"}).out == shown);
  CHECK(stored.ask({"check"}).status == 0);
  CHECK(stored.ask({"thin", "notes", "--older-than", "90d"}).out ==
        "notes: nothing to thin that is older than 90 days\n");
  CHECK(stored.ask({"thin", "notes", "--older-than", "36500d"}).out ==
        "notes: nothing to thin that is older than 36500 days\n");
}

TEST_CASE("who asks for a moment inside of a thinned burst is told", "[retention]") {
  const Stored stored;
  CHECK(stored.ask({"log", "notes"}).error.empty());
  REQUIRE(stored.ask({"thin", "notes", "--older-than", "90d"}).status == 0);
  const ProgramResult inside = stored.ask({"show", "notes", "--at", "15"});
  CHECK(inside.out == "abcdefghij");
  CHECK(contains(inside.error,
                 "change 15 is within a burst, of which only the end is kept; this "
                 "is change 10: changes up to 20 were thinned to bursts on "));
  CHECK(contains(inside.error, "being older than 90 days"));
  CHECK(stored.ask({"show", "notes", "--at", "10"}).error.empty());
  CHECK(stored.ask({"show", "notes", "--at", "20"}).out == "abcdefghijklmnopqrst");
  const ProgramResult log = stored.ask({"log", "notes"});
  CHECK(contains(log.error, "changes up to 20 were thinned to bursts"));
  CHECK(log.out ==
        "2020-09-13T12:36:41.100Z  11-20  1 s  Ada  +10 -0\n"
        "2020-09-13T12:26:40.100Z  1-10  1 s  Ada  +10 -0\n");
  const json told = json::parse(stored.ask({"log", "notes", "--json"}).out);
  CHECK(told["thinned"]["until"] == 20);
  CHECK(told["thinned"]["days"] == 90);
  const json shown = json::parse(stored.ask({"show", "notes", "--at", "15", "--json"}).out);
  CHECK(shown["at"] == 10);
  CHECK(shown["asked"] == 15);
}

TEST_CASE("retention says and sets for how long a history is kept", "[retention]") {
  const Stored stored;
  CHECK(stored.ask({"retention", "notes"}).out ==
        "notes: as the server's setting says (--history-days)\n");
  CHECK(stored.ask({"retention", "notes", "--days", "30"}).out ==
        "notes: history older than 30 days is thinned to bursts\n");
  CHECK(stored.ask({"retention", "notes", "--days", "0"}).out ==
        "notes: its history is kept for ever\n");
  CHECK(json::parse(stored.ask({"retention", "notes", "--json"}).out)["historyDays"] == 0);
  CHECK(stored.ask({"retention", "notes", "--as-others"}).out ==
        "notes: as the server's setting says (--history-days)\n");
  const ProgramResult far = stored.ask({"retention", "notes", "--days", "36501"});
  CHECK(far.status == 1);
  CHECK(contains(far.error, "historyDays must be a number of days from 0 to 36500"));
}

TEST_CASE("what cannot be thinned is refused, and nothing changes", "[retention]") {
  const Stored stored;
  CHECK(stored.ask({"thin", "notes"}).status == 2);
  CHECK(stored.ask({"thin", "notes", "--older-than", "soon"}).status == 2);
  const ProgramResult nowhere = stored.ask({"thin", "other", "--older-than", "1d"});
  CHECK(nowhere.status == 1);
  CHECK(contains(nowhere.error, "there is no such document"));
  CHECK(stored.ask({"retention", "other"}).status == 1);
  CHECK(stored.ask({"show", "notes", "--at", "5"}).out == "abcde");
}

TEST_CASE("an exported document says up to where it was thinned", "[retention]") {
  const Stored stored;
  REQUIRE(stored.ask({"thin", "notes", "--older-than", "90d"}).status == 0);
  const std::string file = stored.directory.path() / "notes.palimpsest";
  REQUIRE(stored.ask({"export", "notes", "-o", file}).status == 0);
  REQUIRE(stored.ask({"import", file, "--name", "copy"}).status == 0);
  const ProgramResult inside = stored.ask({"show", "copy", "--at", "15"});
  CHECK(inside.out == "abcdefghij");
  CHECK(contains(inside.error, "this is change 10"));
  CHECK(stored.ask({"thin", "copy", "--older-than", "90d"}).out ==
        "copy: nothing to thin that is older than 90 days\n");
}

}  // namespace
}  // namespace palimpsest::testing
