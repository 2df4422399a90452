// A history is thinned by request, and says so, over HTTP.

#include <string>

#include <nlohmann/json.hpp>

#include "live_document.hpp"
#include "raw_client.hpp"
#include "storage/builders.hpp"
#include "storage/whole_document.hpp"
#include "support/catch.hpp"
#include "transfer/document_file.hpp"

namespace palimpsest::testing {
namespace {

using nlohmann::json;

const std::string kBase = "/api/documents/notes";

// A document "notes" on the server: twenty keys in two bursts, years ago.
void import_notes(const TestServer& server) {
  storage::WholeDocumentBuilder builder("notes", 1);
  crdt::Doc doc;
  for (storage::Seq seq = 1; seq <= 20; ++seq) {
    const crdt::Bytes update =
        doc.transact(8, [&](crdt::Transaction& t) { t.text_insert("content", seq - 1, "x"); });
    builder.add(
        {seq,
         time(1'600'000'000'000 + static_cast<std::int64_t>(seq) * 100 + (seq > 10 ? 600'000 : 0)),
         {},
         8,
         1,
         update});
  }
  std::string body;
  server::export_document(std::move(builder).finish("", ""), [&](crdt::ByteView bytes) {
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  const RawResponse response =
      ask(server.port(),
          "POST /api/import?format=palimpsest HTTP/1.1\r\nHost: localhost\r\n"
          "Content-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  CAPTURE(response.body);
  REQUIRE(response.status == 201);
}

TEST_CASE("a history is thinned, and its timeline says so", "[http][retention]") {
  TestServer server;
  import_notes(server);
  const json before = get_json(server, kBase + "/history");
  CHECK(before["thinned"].is_null());
  const json dry = post_json(server, kBase + "/thin", {{"olderThanDays", 90}, {"dryRun", true}});
  CHECK(dry["done"] == false);
  CHECK(dry["until"] == 20);
  CHECK(get(server, kBase + "/content?at=5").body == "xxxxx");

  const json done = post_json(server, kBase + "/thin", {{"olderThanDays", 90}});
  CHECK(done["done"] == true);
  CHECK(done["entries"] == 20);
  CHECK(done["emptied"] == 18);
  CHECK(done["bursts"] == 2);
  CHECK(done["bytesBefore"] > 0);
  CHECK(done["bytesAfter"] > 0);
  const json after = get_json(server, kBase + "/history");
  CHECK(after["thinned"]["until"] == 20);
  CHECK(after["thinned"]["days"] == 90);
  REQUIRE(after["bursts"].size() == before["bursts"].size());
  for (std::size_t i = 0; i < after["bursts"].size(); ++i) {
    for (const char* member : {"first", "last", "begin", "end"})
      CHECK(after["bursts"][i][member] == before["bursts"][i][member]);
  }
  const RawResponse inside = get(server, kBase + "/content?at=15");
  CHECK(inside.body == "xxxxxxxxxx");
  CHECK(inside.field("Palimpsest-Seq") == "10");
  CHECK(get_json(server, kBase + "/blame?at=15")["at"] == 10);
  CHECK(post_json(server, kBase + "/thin", {{"olderThanDays", 90}})["until"].is_null());
}

TEST_CASE("who is in a document does not notice that its past is thinned", "[http][retention]") {
  TestServer server;
  import_notes(server);
  Author author(server);
  author.insert(0, "more ");
  CHECK(post_json(server, kBase + "/thin", {{"olderThanDays", 90}})["done"] == true);
  author.insert(5, "and more ");
  CHECK(get(server, kBase + "/content").body == "more and more " + std::string(20, 'x'));
  CHECK(get(server, kBase + "/content?at=21").body == "more " + std::string(20, 'x'));
}

TEST_CASE("a rule of a document's own is set and shown", "[http][retention]") {
  TestServer server;
  import_notes(server);
  const auto patch = [&](const json& body) { return send_json(server, "PATCH", kBase, body); };
  CHECK(get_json(server, kBase)["historyDays"].is_null());
  CHECK(json::parse(patch({{"historyDays", 30}}).body)["historyDays"] == 30);
  CHECK(get_json(server, "/api/documents")["documents"][0]["historyDays"] == 30);
  CHECK(json::parse(patch({{"historyDays", 0}}).body)["historyDays"] == 0);
  CHECK(json::parse(patch({{"historyDays", nullptr}}).body)["historyDays"].is_null());
  for (const json& wrong : {json(-1), json(1.5), json("30"), json(36501), json(true)}) {
    const RawResponse refused = patch({{"historyDays", wrong}});
    CHECK(refused.status == 400);
    CHECK(json::parse(refused.body)["detail"] ==
          "historyDays must be a number of days from 0 to 36500");
  }
}

TEST_CASE("a thinning that cannot be is refused by name", "[http][retention]") {
  TestServer server;
  import_notes(server);
  const auto detail = [&](const json& body) {
    return post_json(server, kBase + "/thin", body, 400)["detail"].get<std::string>();
  };
  CHECK(detail(json::object()) == "olderThanDays must be a number of days from 0 to 36500");
  CHECK(detail({{"olderThanDays", 1}, {"dryRun", 1}}) == "dryRun must be true or false");
  CHECK(detail({{"days", 1}}) == "the body has a member that is none of olderThanDays, dryRun");
  CHECK(send_json(server, "POST", "/api/documents/other/thin", {{"olderThanDays", 1}}).status ==
        404);
  CHECK(get(server, kBase + "/content?at=5").body == "xxxxx");
}

}  // namespace
}  // namespace palimpsest::testing
