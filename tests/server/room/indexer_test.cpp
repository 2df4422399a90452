#include "room/indexer.hpp"

#include "storage/sqlite_store.hpp"
#include "support.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using testing::Client;
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

TEST_CASE("what is written is found a moment later, and what is erased in the past", "[indexer]") {
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

TEST_CASE("what opens a long history is there when its document leaves memory", "[indexer]") {
  Disk disk;
  {
    // Long before: longer than what is read as fast from the log.
    const auto writer = disk.store->writer();
    crdt::Doc doc;
    std::vector<storage::Append> log(16'384);
    for (storage::Append& one : log) {
      one.document = "long";
      one.seq = static_cast<storage::Seq>(&one - log.data()) + 1;
      one.author = {7, "Ada"};
      one.update = std::make_shared<const crdt::Bytes>(
          doc.transact(7, [](crdt::Transaction& t) { t.text_insert("content", 0, "x"); }));
    }
    writer->append(log);
  }
  Server server(*disk.store, {.idle_before_unload = 2s});
  live(server, 3s);
  const auto reader = server.store().reader();
  REQUIRE(reader->kept_history("long"));
  CHECK(reader->kept_history("long")->seq == 16'384);

  Client ann(server, "long", 1);
  ann.connect();
  ann.append("word");
  settle(server, {&ann});
  live(server, 10s);
  CHECK(reader->kept_history("long")->seq == 16'384);  // not for a few keys
  ann.disconnect();
  live(server, 60s);
  CHECK(reader->kept_history("long")->seq == reader->find("long", "")->last_seq);
  CHECK(reader->find("long", "")->last_seq > 16'384);
  CHECK(reader->verify().empty());
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

TEST_CASE("what a crash kept from the index gets there when the server starts again", "[indexer]") {
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
  live(server, 70s);
  CHECK(found(server, "again") == Names{"a"});
}
