// Bringing back, naming and forking what a document said, over HTTP, while somebody writes to it.

#include <string>

#include <nlohmann/json.hpp>

#include "live_document.hpp"
#include "raw_client.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using nlohmann::json;

const std::string kBase = "/api/documents/notes";

std::string text_of(const TestServer& server, const std::string& path = kBase) {
  return get(server, path + "/content").body;
}

TEST_CASE("a moment comes back as an edit that reaches who is writing", "[http][restore]") {
  TestServer server;
  Author author(server);
  author.insert(0, "one two three");
  author.erase(4, 4);
  author.insert(9, " four");
  const json done = post_json(server, kBase + "/restore", {{"at", 1}, {"by", "Grace"}});
  CHECK(done["seq"] == 4);
  CHECK(done["deleted"] == 5);
  CHECK(done["restored"] == 4);
  CHECK(done["lost"] == 0);
  author.wait_for("one two three");
  CHECK(text_of(server) == "one two three");
  // The text between is still there to go back to, and who brought what back is known.
  CHECK(get(server, kBase + "/content?at=3").body == "one three four");
  const json blame = get_json(server, kBase + "/blame");
  CHECK(blame["runs"][1]["text"] == "two ");
  CHECK(blame["runs"][1]["name"] == "Grace");
  CHECK(blame["runs"][1]["client"] == done["client"]);

  SECTION("and can be taken back in turn") {
    post_json(server, kBase + "/restore", {{"from", 3}, {"to", 4}, {"author", done["client"]}});
    author.wait_for("one three four");
  }
  SECTION("and bringing it back once more does nothing") {
    const json body = GENERATE(json{{"at", 1}}, json{{"from", 1}, {"to", 3}});
    const json again = post_json(server, kBase + "/restore", body);
    CHECK(again["seq"].is_null());
    CHECK(get_json(server, kBase + "/history")["seq"] == 4);
  }
}

TEST_CASE("a passage comes back and the rest stays", "[http][restore]") {
  TestServer server;
  Author author(server);
  author.insert(0, "first second third");
  author.erase(0, 6);
  author.erase(6, 6);
  post_json(server, kBase + "/restore",
            {{"at", "1"}, {"root", "content"}, {"range", {{"index", 0}, {"length", 6}}}});
  author.wait_for("first second");
  // In the main text, where none is named.
  post_json(server, kBase + "/restore", {{"at", 1}, {"range", {{"index", 12}, {"length", 6}}}});
  author.wait_for("first second third");
}

TEST_CASE("what one author did in an interval is taken back, by id or by name", "[http][restore]") {
  TestServer server;
  Author author(server);
  author.insert(0, "Ada's words.");
  const json grace = post_json(server, kBase + "/restore", {{"at", 0}, {"by", "Grace"}});
  author.wait_for("");
  author.insert(0, "more");
  CHECK(send_json(server, "POST", kBase + "/restore", {{"from", 0}, {"author", "Nobody"}}).status ==
        404);
  post_json(server, kBase + "/restore", {{"from", 1}, {"to", 3}, {"author", "Grace"}});
  author.wait_for("moreAda's words.");
  post_json(server, kBase + "/restore", {{"from", 2}, {"author", "Ada"}});
  author.wait_for("Ada's words.");
}

TEST_CASE("a moment gets a name and is found by it", "[http][versions]") {
  TestServer server;
  Author author(server);
  author.insert(0, "draft");
  author.insert(5, " two");
  const json named = post_json(server, kBase + "/versions",
                               {{"name", "First draft"}, {"at", 1}, {"by", "Ada"}}, 201);
  CHECK(named["seq"] == 1);
  CHECK(post_json(server, kBase + "/versions", {{"name", "now"}}, 201)["seq"] == 2);
  const json refused = post_json(server, kBase + "/versions", {{"name", "now"}}, 409);
  CHECK(refused["detail"] == "name: there is a version of that name");

  const json versions = get_json(server, kBase + "/versions")["versions"];
  REQUIRE(versions.size() == 2);
  CHECK(versions[0]["name"] == "First draft");
  CHECK(versions[0]["by"] == "Ada");
  CHECK(versions[1]["seq"] == 2);
  CHECK(get(server, kBase + "/content?at=v:First+draft").body == "draft");
  CHECK(get(server, kBase + "/content?at=v:other").status == 404);
  post_json(server, kBase + "/restore", {{"at", "v:First draft"}});
  author.wait_for("draft");
}

TEST_CASE("a document is forked from a moment, with its authors", "[http][fork]") {
  TestServer server;
  Author author(server);
  author.insert(0, "kept");
  author.insert(4, " and not");
  const json fork = post_json(server, kBase + "/fork", {{"at", 1}, {"name", "a copy/of it"}}, 201);
  CHECK(fork["from"] == "notes");
  const std::string copy = "/api/documents/a%20copy%2Fof%20it";
  CHECK(text_of(server, copy) == "kept");
  CHECK(get_json(server, copy + "/blame")["runs"][0]["name"] == "Ada");
  CHECK(text_of(server) == "kept and not");
  CHECK(post_json(server, kBase + "/fork", {{"name", "notes"}}, 409)["detail"] ==
        "name: there is a document of that name");
  const std::string made = post_json(server, kBase + "/fork", json::object(), 201)["name"];
  CHECK(text_of(server, "/api/documents/" + made) == "kept and not");
}

TEST_CASE("what cannot be brought back is refused by name, and nothing changes",
          "[http][restore]") {
  TestServer server;
  Author author(server);
  author.insert(0, "text");
  using Case = std::tuple<const char*, json, unsigned, std::string>;
  const auto [path, body, status, detail] = GENERATE(values<Case>({
      {"/restore", json::object(), 400,
       "either at, a moment to go back to, or from, where to begin to take back"},
      {"/restore",
       {{"at", 1}, {"from", 0}},
       400,
       "either at, a moment to go back to, or from, where to begin to take back"},
      {"/restore", {{"at", 2}}, 404, "at: change 2 has not come yet: the last one is 1"},
      {"/restore",
       {{"at", true}},
       400,
       "at must be text of 1 to 300 bytes without control characters"},
      {"/restore",
       {{"at", "soon"}},
       400,
       "at: a moment is the number of a change, an RFC 3339 time or v:NAME"},
      {"/restore",
       {{"at", 1}, {"author", 7}},
       400,
       "author and to go with from; root, type and range go with at"},
      {"/restore", {{"from", 1}, {"to", 0}}, 400, "to: is before from"},
      {"/restore",
       {{"at", 1}, {"range", {{"index", 3}, {"length", 2}}}},
       400,
       "range: the text was not as long as that then"},
      {"/restore",
       {{"at", 1}, {"range", {{"index", -1}, {"length", 2}}}},
       400,
       "index must be a number"},
      {"/restore", {{"at", 1}, {"type", "7:99"}}, 404, "type: the document has no such type"},
      {"/restore",
       {{"at", 1}, {"passage", "x"}},
       400,
       "the body has a member that is none of at, root, type, range, from, to, author, by"},
      {"/versions",
       {{"name", ""}},
       400,
       "name must be text of 1 to 255 bytes without control characters"},
      {"/versions",
       {{"name", "x"}, {"at", 9}},
       404,
       "at: change 9 has not come yet: the last one is 1"},
      {"/fork", {{"name", ".."}}, 400, "name: 1 to 255 bytes without control characters"},
  }));
  CAPTURE(path, body.dump());
  const json problem = post_json(server, kBase + path, body, status);
  CHECK(problem["detail"] == detail);
  CHECK(get_json(server, kBase + "/history")["seq"] == 1);
}

TEST_CASE("the past of a document that is not there is not brought back", "[http][restore]") {
  TestServer server;
  CHECK(send_json(server, "POST", kBase + "/restore", {{"at", 0}}).status == 404);
  CHECK(send_json(server, "POST", kBase + "/versions", {{"name", "x"}}).status == 404);
  CHECK(send_json(server, "POST", kBase + "/fork", json::object()).status == 404);
  CHECK(get_json(server, "/api/documents")["documents"].empty());
}

}  // namespace
}  // namespace palimpsest::testing
