// A passage is taken out of everything, while somebody writes.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <nlohmann/json.hpp>

#include "live_document.hpp"
#include "raw_client.hpp"
#include "storage/backup.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string kBase = "/api/documents/notes";

bool is_in(const fs::path& file, const std::string& bytes) {
  std::ifstream in(file, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  return content.find(bytes) != std::string::npos;
}

// Of the store's files, and of a backup made now.
bool is_anywhere(const TestServer& server, const std::string& bytes) {
  for (const auto& file : fs::directory_iterator(server.data()))
    if (file.is_regular_file() && is_in(file.path(), bytes)) return true;
  const TempDirectory directory;
  storage::Backup(server.data()).write_to(directory.path() / "copy.db");
  return is_in(directory.path() / "copy.db", bytes);
}

TEST_CASE("a passage is purged wherever it stood, and who writes goes on", "[http][purge]") {
  TestServer server;
  Author author(server);
  author.insert(0, "keep SECRETword keep");
  // Once typed in pieces, and erased again.
  author.insert(20, " SECRETd");
  author.insert(27, "wor");
  author.erase(20, 11);
  author.insert(0, "more, ");
  REQUIRE(is_anywhere(server, "SECRETword"));

  const json done = post_json(server, kBase + "/purge",
                              {{"text", "SECRETword"}, {"by", "Grace"}, {"reason", "a name"}});
  CHECK(done["units"] == 20);
  CHECK(done["complete"] == true);
  CHECK(done["seq"] == 6);
  author.wait_for("more, keep  keep");
  author.insert(0, "and ");
  CHECK(get(server, kBase + "/content").body == "and more, keep  keep");
  CHECK(get(server, kBase + "/content?at=1").body == "keep  keep");
  CHECK(get_json(server, kBase + "/history/search?q=SECRETword")["occurrences"].empty());
  CHECK_FALSE(is_anywhere(server, "SECRET"));

  const json purges = get_json(server, kBase + "/purge")["purges"];
  REQUIRE(purges.size() == 1);
  CHECK(purges[0]["by"] == "Grace");
  CHECK(purges[0]["reason"] == "a name");
  CHECK(purges[0]["units"] == 20);

  // Whoever comes with a copy that has it loses it, and nothing is doubled.
  CHECK(post_json(server, kBase + "/purge", {{"text", "SECRETword"}})["units"] == 0);
}

TEST_CASE("a range of a moment is purged", "[http][purge]") {
  TestServer server;
  Author author(server);
  author.insert(0, "one two three");
  author.erase(4, 4);
  const json done =
      post_json(server, kBase + "/purge",
                {{"at", 1}, {"root", "content"}, {"range", {{"index", 4}, {"length", 4}}}});
  CHECK(done["units"] == 4);
  CHECK(done["seq"].is_null());
  CHECK(get(server, kBase + "/content?at=1").body == "one three");
  CHECK_FALSE(is_anywhere(server, "two"));
}

TEST_CASE("values that contain a purged text go as a whole", "[http][purge]") {
  TestServer server;
  Author author(server);
  author.write([](crdt::Transaction& t) {
    t.map_set("m", "kept", crdt::Any(std::string("a")));
    t.map_set("m", "gone", crdt::Any(std::string("my SECRET")));
  });
  CHECK(post_json(server, kBase + "/purge", {{"text", "SECRET"}})["units"] == 1);
  CHECK(get(server, kBase + "/content?format=json&root=m").body == "{\"kept\":\"a\"}\n");
  CHECK_FALSE(is_anywhere(server, "SECRET"));
}

TEST_CASE("a purge that cannot be is refused by name, and nothing changes", "[http][purge]") {
  TestServer server;
  Author author(server);
  author.insert(0, "text");
  const auto detail = [&](const json& body, unsigned status) {
    return post_json(server, kBase + "/purge", body, status)["detail"].get<std::string>();
  };
  CHECK(detail(json::object(), 400) ==
        "either text, to be taken out wherever it stood, or a range");
  CHECK(detail({{"text", ""}}, 400) == "text must be text of 1 to 10000 bytes");
  CHECK(detail({{"text", "x"}, {"at", 1}}, 400) == "at, root and type go with range");
  CHECK(detail({{"range", {{"index", 0}, {"length", 5}}}}, 400) ==
        "range: the text was not as long as that then");
  CHECK(post_json(server, kBase + "/purge", {{"text", "nowhere"}})["units"] == 0);
  CHECK(send_json(server, "POST", "/api/documents/other/purge", {{"text", "x"}}).status == 404);
  CHECK(get_json(server, kBase + "/history")["seq"] == 1);
  CHECK(get_json(server, kBase + "/purge")["purges"].empty());
}

}  // namespace
}  // namespace palimpsest::testing
