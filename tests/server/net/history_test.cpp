// A document's history over HTTP, from a server that somebody writes to.

#include <string>

#include <nlohmann/json.hpp>

#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "live_document.hpp"
#include "raw_client.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using nlohmann::json;

TEST_CASE("the past of a document that somebody writes is told as it grows", "[http][history]") {
  TestServer server;
  Author author(server);
  author.insert(0, "# Plan\nbuy milk\n");
  author.insert(11, "fresh ");
  author.erase(7, 4);

  const std::string base = "/api/documents/notes";
  const json timeline = get_json(server, base + "/history?group=burst");
  CHECK(timeline["seq"] == 3);
  CHECK(timeline["texts"] == json::parse(R"([{"root": "content"}])"));
  REQUIRE(timeline["bursts"].size() == 1);
  CHECK(timeline["bursts"][0]["place"] == "Plan");
  CHECK(timeline["bursts"][0]["authors"][0]["client"] == 7);
  CHECK(timeline["bursts"][0]["authors"][0]["name"] == "Ada");
  CHECK(timeline["bursts"][0]["authors"][0]["inserted"] == 22);
  CHECK(timeline["bursts"][0]["authors"][0]["deleted"] == 4);
  CHECK(get_json(server, base + "/history?group=sitting&before=1")["bursts"].empty());

  const json activity = get_json(server, base + "/history/activity?bucket=86400");
  CHECK(activity["buckets"][0]["authors"][0]["client"] == 7);

  const json diff = get_json(server, base + "/diff?from=1&to=2");
  REQUIRE(diff["runs"].size() == 3);
  CHECK(diff["runs"][1]["op"] == "insert");
  CHECK(diff["runs"][1]["text"] == "fresh ");
  CHECK(diff["runs"][1]["first"] == 2);
  CHECK(get(server, base + "/diff?from=1&to=3&format=text").body ==
        "--- 1\n+++ 3\n@@ -1,2 +1,2 @@\n # Plan\n-buy milk\n+fresh milk\n");

  CHECK(get_json(server, base + "/blame?at=1")["runs"][0]["text"] == "# Plan\nbuy milk\n");
  const json found = get_json(server, base + "/history/search?q=buy+milk");
  CHECK(found["complete"] == true);
  CHECK(found["occurrences"][0]["spans"][0]["until"] == 2);
  CHECK(found["occurrences"][0]["spans"][0]["endedBy"]["client"] == 7);

  // What comes now is there at once, beside what was woven before.
  author.insert(0, "intro\n");
  CHECK(get_json(server, base + "/history")["seq"] == 4);
  CHECK(get(server, base + "/content").body == "intro\n# Plan\nfresh milk\n");
}

TEST_CASE("a weave is binary for a browser and JSON for people", "[http][history]") {
  TestServer server;
  Author author(server);
  author.insert(0, "abc");
  author.erase(1, 1);
  const RawResponse binary = get(server, "/api/documents/notes/history/weave?root=content");
  CHECK(binary.status == 200);
  CHECK(binary.field("Content-Type") == "application/octet-stream");
  const crdt::Bytes bytes(binary.body.begin(), binary.body.end());
  crdt::Reader reader(bytes);
  CHECK(reader.read_var_uint() == 1);

  const json weave = get_json(server, "/api/documents/notes/history/weave?format=json");
  REQUIRE(weave["runs"].size() == 3);
  CHECK(weave["runs"][1]["text"] == "b");
  CHECK(weave["runs"][1]["inserted"] == 1);
  CHECK(weave["runs"][1]["deleted"] == 2);
  CHECK(weave["runs"][1]["deletedBy"] == 7);
  CHECK_FALSE(weave["runs"][0].contains("deleted"));
}

TEST_CASE("runs in JSON come in pages", "[http][history]") {
  TestServer server;
  Author author(server);
  author.insert(0, "abcde");
  author.erase(1, 1);
  author.erase(2, 1);
  for (const std::string what : {"/history/weave?format=json", "/diff?from=1", "/blame?at=0"}) {
    CAPTURE(what);
    const std::string path = "/api/documents/notes" + what;
    const json whole = get_json(server, path);
    CHECK(whole["next"].is_null());
    json runs = json::array();
    for (json next = 0; !next.is_null();) {
      const json page =
          get_json(server, path + "&limit=2&offset=" + std::to_string(next.get<std::size_t>()));
      CHECK(page["runs"].size() <= 2);
      for (const json& run : page["runs"]) runs.push_back(run);
      next = page["next"];
    }
    CHECK(runs == whole["runs"]);
    CHECK(get_json(server, path + "&offset=1000")["runs"].empty());
  }
}

TEST_CASE("the content of a moment is text, JSON or an update", "[http][history]") {
  TestServer server;
  Author author(server);
  author.insert(0, "one");
  const crdt::Bytes then = author.doc().encode();
  author.write([](crdt::Transaction& t) { t.map_set("meta", "title", "Two"); });
  author.insert(3, " two");

  const std::string content = "/api/documents/notes/content";
  CHECK(get(server, content).body == "one two");
  CHECK(get(server, content + "?at=1").body == "one");
  CHECK(get(server, content + "?at=0").body.empty());
  CHECK(get_json(server, content + "?format=json&at=1") == json({{"content", "one"}}));
  CHECK(get_json(server, content + "?format=json&root=meta") == json({{"title", "Two"}}));
  const RawResponse update = get(server, content + "?format=update&at=1");
  CHECK(update.body == std::string(then.begin(), then.end()));
}

TEST_CASE("a question about the past that cannot be answered names what is wrong",
          "[http][history]") {
  TestServer server;
  Author author(server);
  author.insert(0, "text");
  const auto [path, status, detail] = GENERATE(table<std::string, unsigned, std::string>({
      {"/api/documents/nothing/history", 404, "there is no such document"},
      {"/api/documents/notes/history?group=day", 400, "group must be burst or sitting"},
      {"/api/documents/notes/history?limit=x", 400, "limit must be a number up to 1000"},
      {"/api/documents/notes/history/activity?bucket=0", 400, "bucket must be"},
      {"/api/documents/notes/history/weave?root=none", 404, "root: the document never had"},
      {"/api/documents/notes/history/weave?type=1:2", 404, "type: the document never had"},
      {"/api/documents/notes/history/weave?type=x", 400, "type must be CLIENT:CLOCK"},
      {"/api/documents/notes/history/weave?format=xml", 400, "format must be binary or json"},
      {"/api/documents/notes/diff?to=1", 400, "from: a moment is missing"},
      {"/api/documents/notes/diff?from=2", 404, "from: change 2 has not come yet"},
      {"/api/documents/notes/diff?from=0&to=soon", 400, "to: a moment is the number"},
      {"/api/documents/notes/blame?at=v:final", 404, "at: there is no version of that name"},
      {"/api/documents/notes/blame?limit=100001", 400, "limit must be a number up to 100000"},
      {"/api/documents/notes/history/search", 400, "q must be a phrase"},
      {"/api/documents/notes/content?format=json&root=none", 404, "root: the document had no"},
  }));
  const RawResponse response = get(server, path);
  CAPTURE(path, response.body);
  CHECK(response.status == status);
  CHECK(response.field("Content-Type") == "application/problem+json");
  CHECK(json::parse(response.body)["detail"].get<std::string>().starts_with(detail));
}

TEST_CASE("the past is only read", "[http][history]") {
  TestServer server;
  const RawResponse response = ask(server.port(),
                                   "POST /api/documents/notes/history HTTP/1.1\r\nHost: "
                                   "localhost\r\nContent-Length: 0\r\n\r\n");
  CHECK(response.status == 405);
  CHECK(response.field("Allow") == "GET, HEAD");
}

}  // namespace
}  // namespace palimpsest::testing
