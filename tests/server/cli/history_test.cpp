#include "cli/history.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "crdt/doc.hpp"
#include "program.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t kStart = 1'790'000'000'000;  // 2026-09-21T14:13:20Z

// A store with the document "notes": five changes, a second apart.
struct Stored {
  Stored() {
    const auto store = storage::open_sqlite_store(data(), storage::Access::kReadWrite);
    const auto writer = store->writer();
    crdt::Doc doc;
    const auto write = [&](crdt::ClientId client, const char* name, auto&& change) {
      storage::Append append;
      append.document = "notes";
      append.seq = ++seq;
      append.at = storage::Time(std::chrono::milliseconds(kStart + 1000 * (seq - 1)));
      append.author = {client, name};
      append.update = std::make_shared<const crdt::Bytes>(doc.transact(client, change));
      writer->append({&append, 1});
    };
    write(1, "Ada", [](auto& t) { t.text_insert("content", 0, "# Plan\nmilk\nbread\n"); });
    write(2, "", [](auto& t) { t.text_insert("content", 11, " and eggs"); });
    write(1, "", [](auto& t) { t.text_delete("content", 12, 8); });
    write(1, "", [](auto& t) { t.map_set("meta", "title", "Shopping"); });
    write(2, "", [](auto& t) { t.text_insert("content", 19, "tea\n"); });
  }
  void index() const {
    const auto store = storage::open_sqlite_store(data(), storage::Access::kReadWrite);
    const auto prepared = store->reader()->prepare_index("notes", std::size_t{1} << 20);
    store->writer()->index(prepared->steps);
  }
  fs::path data() const { return directory.path() / "data"; }
  ProgramResult ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", data()});
    return run_program(arguments);
  }

  TempDirectory directory;
  std::int64_t seq = 0;
};

TEST_CASE("log tells who wrote when and where", "[history]") {
  const Stored stored;
  const ProgramResult result = stored.ask({"log", "notes"});
  CHECK(result.error.empty());
  CHECK(result.out ==
        "2026-09-21T14:13:21.000Z  2-5  3 s  client 2  +13 -0  # Plan\n"
        "2026-09-21T14:13:20.000Z  1-4  3 s  Ada  +18 -8  # Plan\n");
  CHECK(stored.ask({"log", "notes", "--limit", "1"}).out ==
        "2026-09-21T14:13:21.000Z  2-5  3 s  client 2  +13 -0  # Plan\n");
  const json sittings = json::parse(stored.ask({"log", "notes", "--sittings", "--json"}).out);
  REQUIRE(sittings["bursts"].size() == 1);
  CHECK(sittings["bursts"][0]["authors"][0]["name"] == "Ada");
  CHECK(sittings["bursts"][0]["last"] == 5);
  CHECK(sittings["seq"] == 5);
}

TEST_CASE("show prints what a document said", "[history]") {
  const Stored stored;
  CHECK(stored.ask({"show", "notes", "--at", "2"}).out == "# Plan\nmilk and eggs\nbread\n");
  CHECK(stored.ask({"show", "notes", "--at", "0"}).out.empty());
  CHECK(stored.ask({"show", "notes", "--at", "2026-09-21T14:13:22.5Z"}).out ==
        "# Plan\nmilk \nbread\n");
  CHECK(stored.ask({"show", "notes", "--at", "3", "--root", "meta"}).status == 0);
  CHECK(stored.ask({"show", "notes", "--at", "5", "--root", "meta"}).out ==
        "{\"title\":\"Shopping\"}\n");
  const json shown =
      json::parse(stored.ask({"show", "notes", "--at", "5", "--root", "meta", "--json"}).out);
  CHECK(shown["content"]["title"] == "Shopping");
  CHECK(shown["time"] == "2026-09-21T14:13:24.000Z");
}

TEST_CASE("diff prints what changed as diff -u does", "[history]") {
  const Stored stored;
  CHECK(stored.ask({"diff", "notes", "1", "5"}).out ==
        "--- notes@1\n+++ notes@5\n@@ -1,3 +1,4 @@\n # Plan\n-milk\n+milk \n bread\n+tea\n");
  CHECK(stored.ask({"diff", "notes", "3", "3"}).out.empty());
  const json changes = json::parse(stored.ask({"diff", "notes", "2", "3", "--json"}).out);
  REQUIRE(changes["runs"].size() == 3);
  CHECK(changes["runs"][1]["op"] == "delete");
  CHECK(changes["runs"][1]["text"] == "and eggs");
}

TEST_CASE("blame prints who wrote each piece", "[history]") {
  const Stored stored;
  CHECK(stored.ask({"blame", "notes", "--at", "2"}).out ==
        "Ada  2026-09-21T14:13:20.000Z  1-1  | # Plan\n"
        "Ada  2026-09-21T14:13:20.000Z  1-1  | milk\n"
        "client 2  2026-09-21T14:13:21.000Z  2-2  +  and eggs\n"
        "Ada  2026-09-21T14:13:20.000Z  1-1  + \n"
        "Ada  2026-09-21T14:13:20.000Z  1-1  | bread\n");
  const json now = json::parse(stored.ask({"blame", "notes", "--json"}).out);
  CHECK(now["at"] == 5);
}

TEST_CASE("search finds what was erased", "[history]") {
  const Stored stored;
  CHECK(stored.ask({"search", "and", "eggs"}).out ==
        "notes  from 2026-09-21T14:13:21.000Z (2, client 2) until 2026-09-21T14:13:22.000Z (3, "
        "Ada)\n");
  CHECK(stored.ask({"search", "bread", "--document", "notes"}).out ==
        "notes  from 2026-09-21T14:13:20.000Z (1, Ada)  still there\n");
  CHECK(stored.ask({"search", "nothing"}).out.empty());
  const json found = json::parse(stored.ask({"search", "milk", "--json"}).out);
  CHECK(found[0]["occurrences"][0]["spans"][0]["until"].is_null());
}

TEST_CASE("search reads what the index knows to have the words, and what it does not know",
          "[history]") {
  const Stored stored;
  const ProgramResult unknown = stored.ask({"search", "gg"});
  CHECK(unknown.error == "palimpsest: reading 1 document that the index is behind with\n");
  CHECK(unknown.out.find("notes  from") == 0);
  stored.index();
  const ProgramResult known = stored.ask({"search", "gg"});
  CHECK(known.error.empty());
  CHECK(known.out == unknown.out);
  CHECK(stored.ask({"search", "nothing"}).out.empty());
}

TEST_CASE("what cannot be answered is told in a line, with its exit status", "[history]") {
  const Stored stored;
  const auto [arguments, status, part] =
      GENERATE(table<std::vector<std::string>, int, std::string>({
          {{"log", "nothing"}, 1, "document \"nothing\""},
          {{"show", "notes", "--at", "9"}, 1, "change 9 has not come yet: the last one is 5"},
          {{"show", "notes", "--at", "v:x"}, 1, "no version of that name"},
          {{"show", "notes", "--at", "1", "--root", "none"}, 1, "never had that root"},
          {{"show", "notes"}, 2, "--at"},
          {{"diff", "notes", "1"}, 2, "TO"},
          {{"search"}, 2, "WORDS"},
          {{"search", ""}, 1, "words"},
      }));
  const ProgramResult result = stored.ask(arguments);
  CAPTURE(result.error);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK(result.error.find(part) != std::string::npos);
}

TEST_CASE("a directory without a store cannot be used", "[history]") {
  const TempDirectory directory;
  const ProgramResult result =
      run_program({"log", "notes", "--data", directory.path() / "nothing"});
  CHECK(result.status == 78);
  CHECK_FALSE(fs::exists(directory.path() / "nothing"));
}

TEST_CASE("the history is read while a server has the store open", "[history]") {
  const Stored stored;
  const auto store = storage::open_sqlite_store(stored.data(), storage::Access::kReadWrite);
  const auto writer = store->writer();
  CHECK(stored.ask({"show", "notes", "--at", "1"}).status == 0);
}

}  // namespace
}  // namespace palimpsest::testing
