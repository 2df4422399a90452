#include "cli/history_writes.hpp"

#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/files.hpp"
#include "crdt/doc.hpp"
#include "net/raw_client.hpp"
#include "program.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace cli = server::cli;
namespace fs = std::filesystem;
using nlohmann::json;

// A store with the document "notes": Ada wrote, Bob went on, Ada erased some of it.
struct Stored {
  Stored() {
    const auto store = storage::open_sqlite_store(data(), storage::Access::kReadWrite);
    const auto writer = store->writer();
    crdt::Doc doc;
    storage::Seq seq = 0;
    const auto write = [&](crdt::ClientId client, const char* name, auto&& change) {
      storage::Append append;
      append.document = "notes";
      append.seq = ++seq;
      append.at = storage::Time(std::chrono::seconds(1'790'000'000 + seq));
      append.author = {client, name};
      append.update = std::make_shared<const crdt::Bytes>(doc.transact(client, change));
      writer->append({&append, 1});
    };
    write(1, "Ada", [](auto& t) { t.text_insert("content", 0, "milk bread"); });
    write(2, "Bob", [](auto& t) { t.text_insert("content", 10, " SECRET"); });
    write(1, "Ada", [](auto& t) { t.text_delete("content", 0, 5); });
  }
  fs::path data() const { return directory.path() / "data"; }
  ProgramResult ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", data()});
    return run_program(arguments);
  }
  // What it prints when all goes well.
  std::string said(const std::vector<std::string>& arguments) const {
    const ProgramResult result = ask(arguments);
    CAPTURE(arguments, result.error);
    CHECK(result.status == 0);
    CHECK(result.error.empty());
    return result.out;
  }
  std::string text(const std::string& document = "notes") const {
    const auto log = json::parse(ask({"log", document, "--json"}).out);
    return ask({"show", document, "--at", std::to_string(log["seq"].get<int>())}).out;
  }

  TempDirectory directory;
};

TEST_CASE("restore-text brings back a moment, a range or what somebody did", "[history]") {
  const Stored stored;
  SECTION("a moment") {
    CHECK(stored.said({"restore-text", "notes", "--at", "1", "--by", "Grace"}) ==
          "change 4 of document \"notes\": 5 units brought back, 7 taken out\n");
    CHECK(stored.text() == "milk bread");
    CHECK(stored.said({"blame", "notes"}).find("Grace") != std::string::npos);
    CHECK(stored.said({"restore-text", "notes", "--at", "1"}) ==
          "there is nothing to bring back in document \"notes\"\n");
  }
  SECTION("a range") {
    stored.said({"restore-text", "notes", "--at", "1", "--range", "0:4", "--root", "content"});
    CHECK(stored.text() == "milkbread SECRET");
  }
  SECTION("what one did, by name") {
    stored.said({"restore-text", "notes", "--from", "1", "--author", "Bob"});
    CHECK(stored.text() == "bread");
  }
  SECTION("what one did up to a moment, by number") {
    const json done = json::parse(stored.said(
        {"restore-text", "notes", "--from", "1", "--to", "3", "--author", "1", "--json"}));
    CHECK(done["seq"] == 4);
    CHECK(done["restored"] == 5);
    CHECK(stored.text() == "milk bread SECRET");
  }
}

TEST_CASE("moments are named and listed", "[history]") {
  const Stored stored;
  CHECK(stored.said({"versions", "notes"}).empty());
  CHECK(stored.said({"versions", "notes", "--name", "draft", "--at", "1", "--by", "Ada"}) ==
        "change 1 of document \"notes\" is v:draft\n");
  CHECK(stored.said({"versions", "notes", "--name", "now"}) ==
        "change 3 of document \"notes\" is v:now\n");
  CHECK(stored.said({"versions", "notes"}) ==
        "2026-09-21T14:13:21.000Z  1  v:draft  by Ada\n"
        "2026-09-21T14:13:23.000Z  3  v:now\n");
  const json list = json::parse(stored.said({"versions", "notes", "--json"}));
  CHECK(list["versions"][0]["name"] == "draft");
  CHECK(stored.said({"show", "notes", "--at", "v:draft"}) == "milk bread");
}

TEST_CASE("fork makes a document of a moment and prints its name", "[history]") {
  const Stored stored;
  CHECK(stored.said({"fork", "notes", "--at", "1", "--as", "copy of it"}) == "copy of it\n");
  CHECK(stored.text("copy of it") == "milk bread");
  std::string made = stored.said({"fork", "notes"});
  REQUIRE(made.size() > 20);
  made.pop_back();
  CHECK(stored.text(made) == "bread SECRET");
}

TEST_CASE("purge takes a passage out and says what it did", "[history][purge]") {
  const Stored stored;
  CHECK(stored.said({"purges", "notes"}).empty());
  CHECK(stored.said({"purge", "notes", "--text", "SECRET", "--by", "Grace", "--reason", "a name",
                     "--yes"}) == "took 6 units out of 1 change of document \"notes\"\n");
  CHECK(stored.said({"show", "notes", "--at", "2"}) == "milk bread ");
  CHECK(stored.said({"purge", "notes", "--text", "SECRET", "--yes"}) ==
        "nothing of it is in the history of document \"notes\"\n");
  CHECK(stored.said({"purge", "notes", "--range", "0:5", "--at", "1", "--yes"}) ==
        "took 5 units out of 1 change of document \"notes\"\n");
  CHECK(stored.said({"show", "notes", "--at", "1"}) == "bread");
  const std::string list = stored.said({"purges", "notes"});
  CHECK(list.find("  units: 5  by somebody\n") != std::string::npos);
  CHECK(list.find("  units: 6  by Grace  # a name\n") != std::string::npos);
}

TEST_CASE("purge --document takes what is in the bin, and nothing else", "[history][purge]") {
  const Stored stored;
  const ProgramResult refused = stored.ask({"purge", "notes", "--document", "--yes"});
  CHECK(refused.status == 1);
  CHECK(refused.error.find("document \"notes\": the document is not in the bin") !=
        std::string::npos);
  CHECK(stored.said({"delete", "notes"}) == "document \"notes\" is in the bin\n");
  CHECK(stored.said({"undelete", "notes"}) == "document \"notes\" is back\n");
  stored.said({"delete", "notes"});
  CHECK(stored.said({"purge", "notes", "--document", "--by", "Grace", "--yes"}) ==
        "document \"notes\" is gone, with 3 changes\n");
  CHECK(stored.ask({"log", "notes"}).status == 1);
  CHECK(stored.said({"purges", "notes"}).find("  the document, changes: 3  by Grace\n") !=
        std::string::npos);
  CHECK(stored.said({"check"}).find("0 documents") == 0);
}

TEST_CASE("what cannot be done is told in a line, with its exit status, and nothing changes",
          "[history]") {
  const Stored stored;
  const auto [arguments, status, part] =
      GENERATE(table<std::vector<std::string>, int, std::string>({
          {{"restore-text", "notes"}, 2, "either --at"},
          {{"restore-text", "notes", "--at", "1", "--from", "1"}, 2, "either --at"},
          {{"restore-text", "notes", "--at", ""}, 2, "--at"},
          {{"restore-text", "notes", "--at", "1", "--range", "4"}, 2, "INDEX:LENGTH"},
          {{"restore-text", "notes", "--at", "9"}, 1, "at: change 9 has not come yet"},
          {{"restore-text", "notes", "--at", "1", "--range", "5:9"}, 1, "range: "},
          {{"restore-text", "notes", "--from", "0", "--author", "Eve"}, 1, "author: nobody"},
          {{"restore-text", "none", "--at", "1"}, 1, "document \"none\": there is no such"},
          {{"restore-text", "\xff", "--at", "1"}, 1, "the document's name: not UTF-8"},
          {{"restore-text", "notes", "--at", "\xff"}, 1, "at: not UTF-8"},
          {{"purge", "notes", "--yes"}, 2, "one of --text, --range and --document"},
          {{"purge", "notes", "--text", "", "--yes"}, 2, "--text"},
          {{"purge", "notes", "--text", "a", "--document", "--yes"}, 2, "one of --text"},
          {{"purge", "notes", "--text", "a", "--at", "1", "--yes"}, 2, "go with --range"},
          {{"purge", "notes", "--text", "SECRET"}, 2, "say --yes"},
          {{"purge", "none", "--text", "SECRET", "--yes"}, 1, "document \"none\""},
          {{"purges", "none"}, 1, "document \"none\""},
          {{"versions", "none"}, 1, "document \"none\""},
          {{"versions", "notes", "--at", "1"}, 2, "go with --name"},
          {{"versions", "notes", "--name", "x", "--at", "v:y"}, 1, "at: "},
          {{"fork", "notes", "--as", "notes"}, 1, "there is a document of that name"},
          {{"delete", "none"}, 1, "document \"none\": there is no such document"},
          {{"undelete"}, 2, "DOC"},
      }));
  const ProgramResult result = stored.ask(arguments);
  CAPTURE(arguments, result.error);
  CHECK(result.status == status);
  CHECK(result.out.empty());
  CHECK(result.error.find(part) != std::string::npos);
  CHECK(stored.text() == "bread SECRET");
}

TEST_CASE("who can be asked is asked before anything is purged", "[history][purge]") {
  const Stored stored;
  cli::PurgeHistory command;
  command.config.data = stored.data();
  command.document = "notes";
  command.text = "SECRET";
  std::ostringstream out;
  std::ostringstream questions;
  const auto answer = [&](const std::string& line) {
    std::istringstream in(line);
    cli::run(command, {in, true, out, questions});
  };
  for (const char* no : {"no\n", "y\n", "\n", ""}) CHECK_THROWS_AS(answer(no), cli::InputError);
  CHECK(questions.str().find("for good") != std::string::npos);
  CHECK(stored.text() == "bread SECRET");
  answer("yes\n");
  CHECK(out.str() == "took 6 units out of 1 change of document \"notes\"\n");
  CHECK(stored.text() == "bread ");
}

TEST_CASE("a range is two numbers", "[history]") {
  CHECK(cli::text_range("4:10")->index == 4);
  CHECK(cli::text_range("4:10")->length == 10);
  for (const char* bad :
       {"", ":", "4", "4:", ":4", "4:0", "-1:4", "4:4x", "4:-4", "1:2:3", "99999999999999999999:1"})
    CHECK_FALSE(cli::text_range(bad));
}

TEST_CASE("a directory without a store is left as it is", "[history]") {
  const TempDirectory directory;
  const std::string data = directory.path() / "nothing";
  CHECK(run_program({"purge", "notes", "--text", "x", "--yes", "--data", data}).status == 78);
  CHECK(run_program({"fork", "notes", "--data", data}).status == 78);
  CHECK_FALSE(fs::exists(data));
}

TEST_CASE("a server that runs on the data does it", "[history]") {
  const TestServer server;
  const auto ask = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data", server.data()});
    const ProgramResult result = run_program(arguments);
    CAPTURE(arguments, result.error);
    CHECK(result.status == 0);
    return result.out;
  };
  crdt::Doc doc;
  {
    RawWebSocket socket(server.port(), "/notes?ack=1");
    socket.send({.payload = update_message(doc.transact(
                     1, [](crdt::Transaction& t) { t.text_insert("content", 0, "SECRET"); }))});
    while (!socket.read(2).value().payload.starts_with("\x08\x01")) {
    }
  }
  CHECK(ask({"versions", "notes", "--name", "draft"}) ==
        "change 1 of document \"notes\" is v:draft\n");
  CHECK(ask({"purge", "notes", "--text", "SECRET", "--yes"}) ==
        "took 6 units out of 1 change of document \"notes\"\n");
  ask({"delete", "notes"});
  CHECK(ask({"purge", "notes", "--document", "--yes"}) ==
        "document \"notes\" is gone, with 2 changes\n");
}

}  // namespace
}  // namespace palimpsest::testing
