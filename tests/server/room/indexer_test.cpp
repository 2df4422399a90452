#include "room/indexer.hpp"

#include "storage/sqlite_store.hpp"
#include "support.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using server::Close;
using server::CloseReason;
using testing::Client;
using testing::FakeClock;
using testing::FaultyStore;
using testing::Server;
using testing::TempDirectory;
using Call = FaultyStore::Call;
using Names = std::vector<std::string>;

namespace {

// A real store: the doubles have no full-text index.
struct Disk {
  TempDirectory directory;
  std::unique_ptr<storage::Store> store =
      storage::open_sqlite_store(directory.path(), storage::Access::kReadWrite);
};

Names found(Server& server, const std::string& text,
            storage::SearchQuery::In in = storage::SearchQuery::In::kNow) {
  storage::SearchQuery query;
  query.text = text;
  query.in = in;
  Names names;
  for (const auto& hit : server.store().reader()->search(query).hits)
    names.push_back(hit.document.name);
  return names;
}

// Time passes, and what is to be written is.
void live(Server& server, std::chrono::seconds time) {
  for (std::chrono::seconds passed{0}; passed < time; ++passed) {
    server.pass(1s);
    server.commit();
  }
}

}  // namespace

TEST_CASE("what is written is found a moment later, and what is erased in the past",
          "[indexer]") {
  Disk disk;
  Server server(*disk.store, {});
  Client ann(server, "notes", 1);
  ann.connect();
  ann.append("# The ferry\nstopped");
  settle(server, {&ann});
  live(server, 2s);
  CHECK(found(server, "ferry") == Names{"notes"});
  CHECK(server.store().reader()->find("notes", "")->title == "The ferry");
  ann.erase(6, 5);
  settle(server, {&ann});
  live(server, 10s);
  CHECK(found(server, "ferry").empty());
  CHECK(found(server, "ferry", storage::SearchQuery::In::kPast) == Names{"notes"});
}

TEST_CASE("a document rests for as long as indexing it costs, many times over", "[indexer]") {
  Disk disk;
  Server server(*disk.store, {});
  std::size_t passes = 0;
  server.store().before([&](Call call) {
    if (call != Call::kPrepareIndex) return;
    ++passes;
    server.clock().advance(400ms);
  });
  Client ann(server, "notes", 1);
  ann.connect();
  for (int second = 0; second < 100; ++second) {
    ann.append("word ");
    settle(server, {&ann});
    live(server, 1s);
  }
  // Each takes 400 ms, and is followed by 20 s.
  CHECK(passes >= 4);
  CHECK(passes <= 6);
}

TEST_CASE("all documents together take no more than a share of the time", "[indexer]") {
  Disk disk;
  Server server(*disk.store, {});
  std::size_t passes = 0;
  server.store().before([&](Call call) {
    if (call != Call::kPrepareIndex) return;
    ++passes;
    server.clock().advance(100ms);
  });
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Client*> all;
  for (crdt::ClientId id = 1; id <= 100; ++id) {
    clients.push_back(std::make_unique<Client>(server, "doc " + std::to_string(id), id));
    clients.back()->connect();
    clients.back()->append("word");
    all.push_back(clients.back().get());
  }
  settle(server, all);
  const auto begin = server.clock().now();
  live(server, 20s);
  const auto passed = server.clock().now() - begin;
  CHECK(passes > 20);
  CHECK(passes * 100ms <= passed * 3 / 10);
}

TEST_CASE("a document that leaves memory is indexed at once", "[indexer]") {
  Disk disk;
  Server server(*disk.store, {.idle_before_unload = 2s});
  Client ann(server, "notes", 1);
  ann.connect();
  ann.append("first");
  settle(server, {&ann});
  live(server, 2s);
  ann.append(" second");
  settle(server, {&ann});
  ann.disconnect();
  live(server, 3s);
  CHECK(server.directory().room_count() == 0);
  CHECK(found(server, "second") == Names{"notes"});
}

TEST_CASE("what a crash kept from the index gets there when the server starts again",
          "[indexer]") {
  Disk disk;
  {
    Server server(*disk.store, {});
    Client ann(server, "notes", 1);
    ann.connect();
    ann.append("ferry");
    settle(server, {&ann});
  }
  Server server(*disk.store, {});
  CHECK(found(server, "ferry").empty());
  live(server, 1s);
  CHECK(found(server, "ferry") == Names{"notes"});
  CHECK(server.directory().room_count() == 0);
}

TEST_CASE("a document that cannot be indexed is said, and the others are", "[indexer]") {
  Disk disk;
  Server server(*disk.store, {});
  bool has_failed = false;
  server.store().before([&](Call call) {
    if (call != Call::kPrepareIndex || has_failed) return;
    has_failed = true;
    throw storage::Error(storage::Error::Kind::kCorrupt, "test: cannot be read");
  });
  Client ann(server, "a", 1);
  Client bob(server, "b", 2);
  for (Client* client : {&ann, &bob}) {
    client->connect();
    client->append("ferry");
  }
  settle(server, {&ann, &bob});
  live(server, 2s);
  CHECK(found(server, "ferry") == Names{"b"});
  ann.append(" again");
  settle(server, {&ann});
  live(server, 10s);
  CHECK(found(server, "again") == Names{"a"});
}

TEST_CASE("U7: a document that is put into the bin is closed for everybody until it is out again",
          "[directory]") {
  Server server;
  Client ann(server, "notes", 1);
  ann.connect();
  ann.append("hello");
  settle(server, {&ann});
  const auto set = [&](bool is_in_bin) {
    server.journal().run({.write =
                              [&server, is_in_bin](storage::Writer& writer) {
                                if (is_in_bin) writer.put_into_bin("notes", server.clock().wall());
                                if (!is_in_bin) writer.take_from_bin("notes");
                              },
                          .done = [](bool) {}});
    server.commit();
    server.directory().set_in_bin("notes", is_in_bin);
    server.run();
  };
  set(true);
  server.commit();
  CHECK(ann.closed == Close{CloseReason::kNotFound});
  CHECK(server::close_code(CloseReason::kNotFound) == 4404);
  live(server, 2s);
  CHECK(server.directory().room_count() == 0);  // long before it would have been unloaded

  Client bob(server, "notes", 2);
  bob.connect();
  bob.append("over it");
  settle(server, {&bob});
  CHECK(bob.closed == Close{CloseReason::kNotFound});
  CHECK(server.stored_text("notes") == "hello");

  set(false);  // while its room may still be there
  Client cid(server, "notes", 3);
  cid.connect();
  settle(server, {&cid});
  CHECK_FALSE(cid.closed);
  CHECK(cid.text() == "hello");
}

TEST_CASE("a document that is put into the bin while it is loaded, or taken out, is as was said",
          "[directory]") {
  const bool is_in_bin = GENERATE(true, false);
  Server server;
  {
    Client ann(server, "notes", 1);
    ann.connect();
    ann.append("hello");
    settle(server, {&ann});
  }
  server.pass(61s);
  server.commit();
  server.pass(1s);
  REQUIRE(server.directory().room_count() == 0);
  Client bob(server, "notes", 2);
  bob.open();  // its load has not run yet
  server.directory().set_in_bin("notes", is_in_bin);
  server.run();
  CHECK(bob.closed.has_value() == is_in_bin);
}
