#include "room/directory.hpp"

#include "storage/sqlite_store.hpp"
#include "support.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using server::Close;
using server::CloseReason;
using server::Lease;
using server::YWebsocket;
using testing::Client;
using testing::FaultyStore;
using testing::MemoryStore;
using testing::Server;
using Call = FaultyStore::Call;

namespace {

// What one server leaves on disk that had `text` written into a document.
void write(MemoryStore& disk, std::string document, std::string_view text) {
  Server server(disk, {});
  Client ann(server, std::move(document), 1);
  ann.connect();
  ann.append(text);
  settle(server, {&ann});
  ann.disconnect();
}

std::size_t count_calls(Server& server, Call wanted, std::size_t& count) {
  server.store().before([&count, wanted](Call call) { count += call == wanted ? 1 : 0; });
  return count;
}

}  // namespace

TEST_CASE("F27: however many open a cold document at once, it is loaded once", "[directory]") {
  MemoryStore disk;
  write(disk, "doc", "hello");
  Server server(disk, {});
  std::size_t loads = 0;
  count_calls(server, Call::kLoad, loads);
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Client*> all;
  for (crdt::ClientId id = 10; id < 60; ++id) {
    clients.push_back(std::make_unique<Client>(server, "doc", id));
    clients.back()->open();
    all.push_back(clients.back().get());
  }
  server.run();
  for (Client* client : all) client->send_step1();
  settle(server, all);
  CHECK(loads == 1);
  for (Client* client : all) CHECK(client->text() == "hello");
}

TEST_CASE("I2: nobody is answered, and no input is wanted, before the document is in memory",
          "[directory]") {
  MemoryStore disk;
  write(disk, "doc", "hello");
  Server server(disk, {});
  Client ann(server, "doc", 2);
  ann.open();
  CHECK_FALSE(ann.connection().wants_input());
  CHECK_FALSE(ann.connection().next());
  server.run();
  CHECK(ann.connection().wants_input());
  ann.send_step1();
  settle(server, {&ann});
  CHECK(ann.text() == "hello");
}

TEST_CASE("I1: a document that cannot be loaded is nowhere, and nothing is written over it",
          "[directory]") {
  const auto kind = GENERATE(storage::Error::Kind::kIo, storage::Error::Kind::kCorrupt);
  MemoryStore disk;
  write(disk, "doc", "precious");
  Server server(disk, {});
  std::size_t appends = 0;
  server.store().before([&](Call call) {
    if (call == Call::kLoad) throw storage::Error(kind, "test: cannot be read");
    if (call == Call::kAppend) ++appends;
  });
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Client*> all;
  for (crdt::ClientId id = 10; id < 60; ++id) {
    clients.push_back(std::make_unique<Client>(server, "doc", id));
    clients.back()->open();
    clients.back()->append("over it");
    all.push_back(clients.back().get());
  }
  settle(server, all);
  for (Client* client : all) CHECK(client->closed == Close{CloseReason::kStorageUnavailable});
  CHECK(appends == 0);
  CHECK(server.directory().room_count() == 0);

  server.store().before(nullptr);
  Client later(server, "doc", 2);
  later.connect();
  settle(server, {&later});
  CHECK(later.text() == "precious");
}

TEST_CASE("stored bytes that are no update make their document unreadable, and no other",
          "[directory]") {
  MemoryStore disk;
  write(disk, "good", "hello");
  {
    const auto writer = disk.writer();
    storage::Append append;
    append.document = "bad";
    append.seq = 1;
    append.update = std::make_shared<const crdt::Bytes>(crdt::Bytes{255, 255, 255});
    writer->append({&append, 1});
  }
  Server server(disk, {});
  Client ann(server, "bad", 2);
  Client bob(server, "good", 3);
  ann.connect();
  bob.connect();
  settle(server, {&ann, &bob});
  CHECK(ann.closed == Close{CloseReason::kStorageUnavailable});
  CHECK(bob.text() == "hello");
}

TEST_CASE(
    "a document leaves memory a minute after the last peer, and is the same when loaded again",
    "[directory]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  ann.append("hello");
  settle(server, {&ann});
  ann.disconnect();
  server.pass(59s);
  server.commit();
  CHECK(server.directory().room_count() == 1);
  server.pass(1s);
  server.commit();
  CHECK(server.directory().room_count() == 0);
  CHECK(server.store().reader()->load("doc")->tail.empty());

  Client bob(server, "doc", 2);
  bob.connect();
  settle(server, {&bob});
  CHECK(bob.text() == "hello");
}

TEST_CASE("I3: a document stays in memory until all of it is on disk, however long that takes",
          "[directory]") {
  Server server({.idle_before_unload = 0ms});
  Client ann(server, "doc", 1);
  ann.connect();
  settle(server, {&ann});
  ann.append("hello");
  ann.disconnect();
  server.pass(300s);
  CHECK(server.directory().room_count() == 1);

  // Who comes now finds it as it was, and sees it once it is on disk.
  Client bob(server, "doc", 2);
  bob.connect();
  CHECK(bob.text().empty());
  settle(server, {&bob});
  CHECK(bob.text() == "hello");
  bob.disconnect();
  server.pass(2s);
  server.commit();
  CHECK(server.directory().room_count() == 0);
}

TEST_CASE("I3: the next who joins while the last one leaves misses nothing", "[directory]") {
  Server server({.idle_before_unload = 0ms});
  std::string expected;
  for (crdt::ClientId id = 1; id <= 1000; ++id) {
    Client client(server, "doc", id);
    client.connect();
    if (id % 3 != 0) server.commit();  // or the commit is still under way when the next one comes
    client.append("x");
    expected += "x";
    client.disconnect();
    if (id % 5 == 0) server.pass(1s);
    if (id % 7 == 0) server.commit();
  }
  server.commit();
  CHECK(server.stored_text("doc") == expected.substr(0, server.stored_text("doc").size()));
  CHECK(server.stored_log("doc").size() == 1000);
}

TEST_CASE("a lease keeps its room in memory before anybody has joined", "[directory]") {
  Server server({.idle_before_unload = 0ms});
  {
    const Lease lease = server.directory().open("doc");
    CHECK(lease->name() == "doc");
    server.pass(5s);
    CHECK(server.directory().room_count() == 1);
  }
  server.pass(1s);
  CHECK(server.directory().room_count() == 0);
}

TEST_CASE("a lease can be moved, and counts once", "[directory]") {
  Server server({.idle_before_unload = 0ms});
  Lease lease = server.directory().open("doc");
  Lease other = std::move(lease);
  lease = std::move(other);
  CHECK(lease);
  CHECK_FALSE(other);
  lease = Lease();
  server.pass(2s);
  CHECK(server.directory().room_count() == 0);
}

TEST_CASE("a stale summary is refreshed by loading the document once", "[directory]") {
  MemoryStore disk;
  write(disk, "doc", "# Title");
  Server server(disk, {});
  CHECK(server.store().reader()->list(1, 0)[0].summary_seq == 0);
  server.directory().refresh("doc");
  server.directory().refresh("doc");
  server.pass(61s);
  server.commit();
  CHECK(server.directory().room_count() == 0);
  const auto summary = server.store().reader()->list(1, 0)[0];
  CHECK(summary.title == "Title");
  CHECK(summary.summary_seq == summary.last_seq);
}

TEST_CASE("a document that was only looked at is not written", "[directory]") {
  Server server({.idle_before_unload = 0ms});
  Client ann(server, "doc", 1);
  ann.connect();
  settle(server, {&ann});
  ann.disconnect();
  server.pass(2s);
  server.commit();
  CHECK(server.directory().room_count() == 0);
  CHECK_FALSE(server.store().reader()->load("doc"));
}

TEST_CASE("others can know who is in which document, and what it is called now", "[directory]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.say(R"({"user":{"name":"Ann","color":"#112233"}})");
  ann.append("# Minutes");
  settle(server, {&ann, &bob});
  server.pass(1s);
  auto status = server.directory().open_document("doc");
  REQUIRE(status);
  CHECK(status->people == std::vector<server::Person>{{1, "Ann", "#112233"}});
  CHECK(status->connections == 2);
  CHECK(status->last_seq == 1);
  REQUIRE(status->summary);
  CHECK(status->summary->title == "Minutes");
  CHECK(server.directory().open_documents().size() == 1);
  CHECK_FALSE(server.directory().open_document("another"));

  ann.disconnect();
  server.pass(1s);
  status = server.directory().open_document("doc");
  CHECK(status->people.empty());
  CHECK(status->connections == 1);
}

TEST_CASE("a title is not shown of text that is not on disk", "[directory]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  settle(server, {&ann});
  ann.append("# Secret");
  server.pass(10s);
  CHECK_FALSE(server.directory().open_document("doc")->summary);
}

TEST_CASE(
    "F22: a stopping server brings all it received to disk and delivers it, then says when to "
    "come back",
    "[directory]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect({.acks = YWebsocket::Acks::kCount});
  bob.connect();
  settle(server, {&ann, &bob});
  const std::size_t before = ann.acknowledged;
  ann.append("hello");
  bool is_done = false;
  server.directory().drain([&] { is_done = true; });
  server.run();
  ann.append(" too late");
  ann.read();
  CHECK_FALSE(ann.closed);
  CHECK_FALSE(is_done);

  server.commit();
  CHECK(is_done);
  ann.read();
  bob.read();
  CHECK(bob.text() == "hello");
  CHECK(ann.acknowledged == before + 1);
  REQUIRE((ann.closed && bob.closed));
  CHECK(ann.closed->reason == CloseReason::kRestart);
  CHECK(ann.closed->retry != bob.closed->retry);
  CHECK(server.stored_text("doc") == "hello");
  CHECK(server.store().reader()->load("doc")->tail.empty());
  CHECK_FALSE(server.directory().open("doc"));
}

TEST_CASE("a server with nothing open has stopped at once", "[directory]") {
  Server server;
  bool is_done = false;
  server.directory().drain([&] { is_done = true; });
  CHECK_FALSE(is_done);
  server.run();
  CHECK(is_done);
}

TEST_CASE("a stopping server waits for the documents that are being loaded", "[directory]") {
  const bool load_fails = GENERATE(true, false);
  Server server;
  if (load_fails) server.store().fail_nth(Call::kLoad, 0);
  Client ann(server, "doc", 1);
  ann.open();
  bool is_done = false;
  server.directory().drain([&] { is_done = true; });
  server.run();
  CHECK(is_done);
  ann.read();
  REQUIRE(ann.closed);
  CHECK(ann.closed->reason ==
        (load_fails ? CloseReason::kStorageUnavailable : CloseReason::kRestart));
}

TEST_CASE("a server whose disk fails while it stops still stops", "[directory]") {
  const auto call = GENERATE(Call::kAppend, Call::kWriteCheckpoint);
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  settle(server, {&ann});
  ann.append("hello");
  server.store().fail_nth(call, 0);
  bool is_done = false;
  server.directory().drain([&] { is_done = true; });
  server.commit();
  CHECK(is_done);
  ann.read();
  CHECK(ann.closed);
}

TEST_CASE("a long log is packed behind a checkpoint, and what is left of it after unloading",
          "[directory]") {
  const testing::TempDirectory directory;
  const auto disk = open_sqlite_store(directory.path(), storage::Access::kReadWrite);
  Server server(*disk, {});
  std::size_t packings = 0;
  count_calls(server, Call::kCompact, packings);
  Client ann(server, "doc", 1);
  ann.connect();
  for (std::size_t round = 0; round < 17; ++round) {
    for (std::size_t i = 0; i < 100; ++i) ann.append("x");
    settle(server, {&ann});
  }
  CHECK(packings == 1);
  ann.disconnect();
  for (int second = 0; second < 70; ++second) {
    server.pass(1s);
    server.commit();
  }
  CHECK(server.directory().room_count() == 0);
  CHECK(packings == 2);

  const auto reader = disk->reader();
  CHECK(reader->verify().empty());
  CHECK(reader->log("doc", 1, 10'000).size() == 1700);
  CHECK(reader->load("doc")->tail.empty());
  ann.connect();
  settle(server, {&ann});
  CHECK(ann.text() == std::string(1700, 'x'));
}
