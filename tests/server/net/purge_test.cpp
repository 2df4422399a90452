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
        "either text, to be taken out wherever it stood, or a range, or document: true");
  CHECK(detail({{"document", false}}, 400) == "document must be true");
  CHECK(detail({{"document", true}, {"text", "x"}}, 400) ==
        "document goes with by and reason only");
  CHECK(detail({{"document", true}}, 409) ==
        "the document is not in the bin: only one that is can be purged as a whole");
  CHECK(detail({{"text", ""}}, 400) == "text must be text of 1 to 10000 bytes");
  CHECK(detail({{"text", "x"}, {"at", 1}}, 400) == "at, root and type go with range");
  CHECK(detail({{"range", {{"index", 0}, {"length", 5}}}}, 400) ==
        "range: the text was not as long as that then");
  CHECK(post_json(server, kBase + "/purge", {{"text", "nowhere"}})["units"] == 0);
  CHECK(send_json(server, "POST", "/api/documents/other/purge", {{"text", "x"}}).status == 404);
  CHECK(get_json(server, kBase + "/history")["seq"] == 1);
  CHECK(get_json(server, kBase + "/purge")["purges"].empty());
}

TEST_CASE("a document in the bin is purged as a whole, and its name is free", "[http][purge]") {
  TestServer server;
  {
    Author author(server);
    author.insert(0, "# SECRETtitle\nSECRETword ");
    author.erase(0, 2);
    post_json(server, kBase + "/versions", {{"name", "SECRETversion"}}, 201);
    post_json(server, kBase + "/purge", {{"text", "nowhere"}});
    CHECK(get_json(server, kBase + "/history")["seq"] == 2);  // remembered from now on
    CHECK(send_json(server, "PATCH", kBase, {{"tags", json::array({"SECRETtag"})}}).status == 200);
    CHECK(send_json(server, "DELETE", kBase, json()).status == 204);
  }
  CHECK(send_json(server, "POST", kBase + "/restore", {{"at", 1}}).status == 409);
  const json done = post_json(server, kBase + "/purge",
                              {{"document", true}, {"by", "Grace"}, {"reason", "a request"}});
  CHECK(done == json({{"document", true}, {"entries", 2}}));
  CHECK_FALSE(is_anywhere(server, "SECRET"));

  for (const std::string path : {"", "/history", "/content", "/versions", "/export"})
    CHECK(get(server, kBase + path).status == 404);
  CHECK(get_json(server, "/api/documents?bin=1")["documents"].empty());
  CHECK(send_json(server, "POST", kBase + "/undelete", json::object()).status == 404);
  CHECK(post_json(server, kBase + "/purge", {{"document", true}}, 404)["detail"] ==
        "there is no such document");
  const json purges = get_json(server, kBase + "/purge")["purges"];
  REQUIRE(purges.size() == 1);
  CHECK(purges[0]["by"] == "Grace");
  CHECK(purges[0]["reason"] == "a request");
  CHECK(purges[0]["document"] == true);
  CHECK(purges[0]["entries"] == 2);
  CHECK(get(server, "/api/documents/never/purge").status == 404);

  // The writer of the old one comes as another client now.
  crdt::Doc next;
  RawWebSocket socket(server.port(), "/notes?ack=1");
  socket.send({.payload = update_message(next.transact(
                   8, [](crdt::Transaction& t) { t.text_insert("content", 0, "new"); }))});
  const auto greeting = socket.read(2);
  REQUIRE(greeting);
  CHECK(greeting->payload == std::string("\x08\x00\x02", 3));
  while (!socket.read(2).value().payload.starts_with("\x08\x01")) {
  }
  CHECK(get(server, kBase + "/content").body == "new");
  CHECK(get_json(server, kBase + "/history")["seq"] == 1);
  CHECK(get_json(server, kBase + "/versions")["versions"].empty());
  CHECK(get_json(server, kBase)["tags"].empty());
}

TEST_CASE("nobody is between a purge and the bin", "[http][purge]") {
  TestServer server;
  {
    Author author(server);
    author.insert(0, "text");
  }
  CHECK(send_json(server, "DELETE", kBase, json()).status == 204);
  CHECK(send_json(server, "POST", kBase + "/undelete", json::object()).status == 200);
  CHECK(post_json(server, kBase + "/purge", {{"document", true}}, 409)["detail"] ==
        "the document is not in the bin: only one that is can be purged as a whole");
  CHECK(get(server, kBase + "/content").body == "text");
}

TEST_CASE("what an earlier document of that name had does not come back by a fork",
          "[http][purge]") {
  TestServer server;
  {
    Author author(server);
    author.insert(0, "text");
  }
  post_json(server, kBase + "/fork", {{"name", "copy"}}, 201);
  CHECK(send_json(server, "DELETE", kBase, json()).status == 204);
  post_json(server, kBase + "/purge", {{"document", true}});
  CHECK(post_json(server, "/api/documents/copy/fork", {{"name", "notes"}}, 409)["detail"] ==
        "an earlier document of that name had some of that: use another name");
  CHECK(get(server, "/api/documents/copy/content").body == "text");
}

}  // namespace
}  // namespace palimpsest::testing
