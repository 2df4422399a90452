// Lists, searches and what people set of a document, over HTTP.

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "crdt/doc.hpp"
#include "raw_client.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using nlohmann::json;

RawResponse request(const TestServer& server, const std::string& method, const std::string& path,
                    const std::string& body = "") {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!body.empty()) text += "Content-Type: application/json\r\n";
  if (method != "GET") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return ask(server.port(), text + "\r\n" + body);
}

json get_json(const TestServer& server, const std::string& path) {
  const RawResponse response = request(server, "GET", path);
  CAPTURE(path, response.body);
  CHECK(response.status == 200);
  return json::parse(response.body);
}

// Writes a document through a socket; each change is on disk when the call returns.
class Author {
 public:
  Author(const TestServer& server, const std::string& document)
      : socket_(server.port(), "/" + document + "?ack=1") {}

  void insert(std::size_t index, const std::string& text) {
    send(doc_.transact(7, [&](crdt::Transaction& t) { t.text_insert("content", index, text); }));
  }
  void erase(std::size_t index, std::size_t length) {
    send(doc_.transact(7, [&](crdt::Transaction& t) { t.text_delete("content", index, length); }));
  }
  RawWebSocket& socket() { return socket_; }

 private:
  void send(const crdt::Bytes& update) {
    socket_.send({.payload = update_message(update)});
    for (;;) {
      const auto frame = socket_.read(2);
      REQUIRE(frame);
      if (frame->payload.starts_with('\x08') && frame->payload.at(1) == 1) return;
    }
  }

  RawWebSocket socket_;
  crdt::Doc doc_;
};

// Asks until the index, which works behind the edits, has it: there is nothing else to wait for.
json search_until_found(const TestServer& server, const std::string& query) {
  for (;;) {
    json found = get_json(server, "/api/search?" + query);
    if (!found["documents"].empty()) return found;
  }
}

std::vector<std::string> names(const json& answer) {
  std::vector<std::string> all;
  for (const json& document : answer["documents"]) all.push_back(document["name"]);
  return all;
}

// The code of the close frame that comes next.
unsigned close_code(RawWebSocket& socket) {
  const auto frame = socket.read(8);
  REQUIRE(frame);
  return frame->close_code();
}

using Names = std::vector<std::string>;

TEST_CASE("a list is told in pages", "[http][documents]") {
  TestServer server;
  for (const char* const name : {"a", "b", "c"}) Author(server, name).insert(0, "x");
  const json first = get_json(server, "/api/documents?limit=2");
  CHECK(names(first) == Names{"c", "b"});
  const std::string cursor = first["next"];
  const json second = get_json(server, "/api/documents?limit=2&cursor=" + cursor);
  CHECK(names(second) == Names{"a"});
  CHECK(second["next"].is_null());
  CHECK(names(get_json(server, "/api/documents?sort=title&query=b")) == Names{"b"});
}

TEST_CASE("title, tags and stars are set, shown and chosen by", "[http][documents]") {
  TestServer server;
  Author(server, "notes").insert(0, "x");
  Author(server, "other").insert(0, "x");
  const RawResponse set =
      request(server, "PATCH", "/api/documents/notes",
              R"({"title": " By  hand ", "tags": ["press", "minutes"], "starred": true})");
  CAPTURE(set.body);
  CHECK(set.status == 200);
  const json document = json::parse(set.body);
  CHECK(document["title"] == "By hand");
  CHECK(document["ownTitle"] == true);
  CHECK(document["tags"] == json({"minutes", "press"}));
  CHECK(document["starred"] == true);
  CHECK(document["deletedAt"].is_null());
  CHECK(document["size"].get<int>() > 0);
  CHECK(get_json(server, "/api/documents/notes")["title"] == "By hand");
  CHECK(names(get_json(server, "/api/documents?tag=press")) == Names{"notes"});
  CHECK(names(get_json(server, "/api/documents?starred=1")) == Names{"notes"});
  CHECK(names(get_json(server, "/api/documents?query=hand")) == Names{"notes"});

  const RawResponse cleared =
      request(server, "PATCH", "/api/documents/notes", R"({"title": null, "starred": false})");
  CHECK(json::parse(cleared.body)["ownTitle"] == false);
  CHECK(json::parse(cleared.body)["tags"].size() == 2);
  CHECK(names(get_json(server, "/api/documents?starred=1")).empty());
}

TEST_CASE("what cannot be set is refused with the name of the field, and nothing is set",
          "[http][documents]") {
  TestServer server;
  Author(server, "notes").insert(0, "x");
  const auto [body, detail] = GENERATE(table<std::string, std::string>({
      {R"({})", "the body must have"},
      {R"({"titel": "x"})", "the body has a member that is none of title"},
      {R"({"title": ""})", "title must be text"},
      {R"({"title": 5})", "title must be text"},
      {R"({"title": "  "})", "title must be text"},
      {R"({"tags": "press"})", "tags must be an array"},
      {R"({"title": "set", "tags": ["a", 5]})", "tags[1] must be text"},
      {R"({"title": "set", "tags": ["a", "a"]})", "tags[1] is there twice"},
      {R"({"title": "set", "tags": [""]})", "tags[0] must be text"},
      {R"({"tags": [")" + std::string(51, 'x') + R"("]})", "tags[0] must be text"},
      {R"({"tags": ["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17",)"
       R"("18","19","20","21"]})",
       "tags must be at most 20"},
      {R"({"title": "set", "starred": 1})", "starred must be"},
  }));
  CAPTURE(body);
  const RawResponse response = request(server, "PATCH", "/api/documents/notes", body);
  CHECK(response.status == 400);
  CHECK(json::parse(response.body)["detail"].get<std::string>().starts_with(detail));
  CHECK(get_json(server, "/api/documents/notes")["ownTitle"] == false);
}

TEST_CASE("U7: a deleted document is closed, in the bin, and comes back from it",
          "[http][documents]") {
  TestServer server;
  Author author(server, "notes");
  author.insert(0, "kept");
  CHECK(request(server, "DELETE", "/api/documents/notes").status == 204);
  CHECK(close_code(author.socket()) == 4404);
  CHECK(request(server, "DELETE", "/api/documents/notes").status == 204);
  CHECK(names(get_json(server, "/api/documents")).empty());
  CHECK(names(get_json(server, "/api/documents?bin=1")) == Names{"notes"});
  CHECK(get_json(server, "/api/documents/notes")["deletedAt"].is_string());
  RawWebSocket late(server.port(), "/notes");
  CHECK(close_code(late) == 4404);

  const RawResponse back = request(server, "POST", "/api/documents/notes/undelete");
  CHECK(back.status == 200);
  CHECK(json::parse(back.body)["deletedAt"].is_null());
  CHECK(names(get_json(server, "/api/documents")) == Names{"notes"});
  Author again(server, "notes");
  again.insert(0, "more ");
  CHECK(request(server, "GET", "/api/documents/notes/content").body.find("kept") !=
        std::string::npos);

  for (const char* const method : {"DELETE", "PATCH"}) {
    CHECK(request(server, method, "/api/documents/nothing", R"({"starred": true})").status == 404);
  }
  CHECK(request(server, "POST", "/api/documents/nothing/undelete").status == 404);
}

TEST_CASE("a search shows where the words stand, now and in the past", "[http][search]") {
  TestServer server;
  Author author(server, "notes");
  author.insert(0, "# Plan\nThe ferry stopped");
  author.erase(11, 5);
  author.insert(11, "boat");
  const json now = search_until_found(server, "q=BOAT");
  CHECK(names(now) == Names{"notes"});
  CHECK(now["documents"][0]["title"] == "Plan");
  CHECK(now["documents"][0]["snippets"][0]["text"] == "# Plan The boat stopped");
  CHECK(now["documents"][0]["snippets"][0]["matches"] == json::parse("[[11, 15]]"));
  CHECK(now["behind"] == 0);
  CHECK(names(get_json(server, "/api/search?q=ferry")).empty());
  CHECK(get_json(server, "/api/search?q=plan")["documents"][0]["titleMatches"] ==
        json::parse("[[0, 4]]"));

  const json past = get_json(server, "/api/search?in=past&q=%22the+Ferry%22");
  REQUIRE(names(past) == Names{"notes"});
  const json found = past["documents"][0]["past"][0];
  CHECK(found["term"] == "the Ferry");
  CHECK(found["text"]["root"] == "content");
  const json occurrence = found["occurrences"][0];
  CHECK(occurrence["spans"][0]["from"] == 1);
  CHECK(occurrence["spans"][0]["until"] == 2);
  CHECK(occurrence["spans"][0]["endedBy"]["client"] == 7);
  CHECK(occurrence["writers"][0]["client"] == 7);
  CHECK(occurrence["snippet"]["text"] == "# Plan The ferry stopped");
  CHECK(occurrence["snippet"]["matches"] == json::parse("[[7, 16]]"));

  // Both words stood there, but never beside each other.
  CHECK(names(get_json(server, "/api/search?in=past&q=%22ferry+boat%22")).empty());
  CHECK(names(get_json(server, "/api/search?in=past&q=ferry+boat")) == Names{"notes"});
  CHECK(names(get_json(server, "/api/search?in=past&q=ferry&who=7")) == Names{"notes"});
  CHECK(names(get_json(server, "/api/search?in=past&q=ferry&who=Bob")).empty());
  CHECK(names(get_json(server, "/api/search?in=past&q=ferry&until=2020-01-01T00:00:00Z")).empty());
  CHECK(names(get_json(server, "/api/search?in=past&q=ferry&from=2999-01-01T00:00:00Z")).empty());
  CHECK(names(get_json(server,
                       "/api/search?in=past&q=ferry&from=2020-01-01T00:00:00Z"
                       "&until=2999-01-01T00:00:00Z")) == Names{"notes"});

  request(server, "DELETE", "/api/documents/notes");
  CHECK(names(get_json(server, "/api/search?q=boat")).empty());
}

TEST_CASE("a list or search that cannot be answered names what is wrong", "[http][documents]") {
  TestServer server;
  const auto [path, detail] = GENERATE(table<std::string, std::string>({
      {"/api/documents?sort=size", "sort must be"},
      {"/api/documents?sort=deleted", "sort must be"},
      {"/api/documents?starred=yes", "starred must be 1 or 0"},
      {"/api/documents?bin=true", "bin must be 1 or 0"},
      {"/api/documents?limit=0", "limit must be"},
      {"/api/documents?limit=1001", "limit must be"},
      {"/api/documents?cursor=x", "cursor: "},
      {"/api/documents?cursor=1.2", "cursor: "},
      {"/api/documents?cursor=1.99999999999999999999.", "cursor: "},
      {"/api/documents?query=" + std::string(1001, 'x'), "query must be"},
      {"/api/search", "q must be"},
      {"/api/search?q=", "q must be"},
      {"/api/search?q=x&in=future", "in must be now or past"},
      {"/api/search?q=x&who=Ada", "who is for in=past"},
      {"/api/search?q=x&in=past&from=yesterday", "from must be an RFC 3339 time"},
      {"/api/search?q=x&limit=101", "limit must be"},
  }));
  const RawResponse response = request(server, "GET", path);
  CAPTURE(path, response.body);
  CHECK(response.status == 400);
  CHECK(json::parse(response.body)["detail"].get<std::string>().starts_with(detail));
}

TEST_CASE("whatever is typed into a search is answered", "[http][search]") {
  TestServer server;
  const std::string query = GENERATE("%22", "%22%22", "a%22b", "NEAR(a+b)", "*", "-", "a+AND",
                                     "%00", "%F0%9F%98%80", "%5C%22", "a%3Ab", "%5E", "%7B%7D");
  CAPTURE(query);
  CHECK(names(get_json(server, "/api/search?q=" + query)).empty());
  CHECK(names(get_json(server, "/api/search?in=past&q=" + query)).empty());
  CHECK(names(get_json(server, "/api/documents?query=" + query)).empty());
}

}  // namespace
}  // namespace palimpsest::testing
