#include "room/room.hpp"

#include <map>

#include <spdlog/logger.h>

#include "support.hpp"
#include "support/catch.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using server::Close;
using server::CloseReason;
using server::YWebsocket;
using testing::Client;
using testing::FaultyStore;
using testing::MemoryStore;
using testing::Server;
using Kind = crdt::SyncMessage::Kind;

namespace {

const YWebsocket::Options kCounted{.acks = YWebsocket::Acks::kCount};
const YWebsocket::Options kEchoed{.acks = YWebsocket::Acks::kEcho};

// Updates of a writer that nobody hears of until the test sends them.
struct Writer {
  explicit Writer(crdt::ClientId client) : id(client) {}

  crdt::Bytes append(std::string_view text) {
    const std::size_t end = crdt_length();
    return doc.transact(id, [&](crdt::Transaction& t) { t.text_insert("content", end, text); });
  }
  std::size_t crdt_length() const { return doc.text("content").size(); }

  crdt::ClientId id;
  crdt::Doc doc;
};

// A room by itself, whose host can be told to find a bug.
struct Rig {
  struct FakeHost final : server::Room::Host {
    bool retire(server::Room&) override { return false; }
    void abandon(server::Room&) override { is_abandoned = true; }
    void publish(server::RoomStatus) override {
      if (has_bug) throw crdt::Bug("test: a broken invariant");
    }
    void read_stored(server::Room&) override {}
    void checkpointed(const server::Room&) override {}
    bool has_bug = false;
    bool is_abandoned = false;
  };
  struct FakePeer final : server::Peer {
    explicit FakePeer(std::uint64_t number_) : number(number_) {}
    std::uint64_t connection() const override { return number; }
    bool wants_own_updates() const override { return false; }
    void opened() override {}
    void deliver(const std::shared_ptr<const server::ReleasedUpdate>&) override { ++delivered; }
    void deliver_sync(const server::Frame&) override {}
    void deliver_awareness(const server::Frame&) override {}
    void acknowledge(server::Acknowledged more) override { acknowledged += more.updates; }
    void tick(server::Instant) override {}
    void close(Close close) override { closed = close; }

    std::uint64_t number;
    std::size_t delivered = 0;
    std::size_t acknowledged = 0;
    std::optional<Close> closed;
  };

  Rig() { room->loaded({}); }

  void run() {
    io.restart();
    io.poll();
  }

  MemoryStore disk;
  testing::FakeClock clock;
  server::Journal journal{disk, clock, {}, {}};
  boost::asio::io_context io;
  std::shared_ptr<spdlog::logger> log = std::make_shared<spdlog::logger>("test");
  FakeHost host;
  FakePeer ann{1};
  FakePeer bob{2};
  std::shared_ptr<server::Room> room =
      std::make_shared<server::Room>("doc", server::Strand(io.get_executor()), host, journal, clock,
                                     *log, server::Room::Options{});
};

}  // namespace

TEST_CASE("a bug costs its room's peers the connection, and nothing of what was received",
          "[room]") {
  Rig rig;
  rig.room->join(rig.ann);
  rig.room->join(rig.bob);
  rig.room->receive(rig.ann, Writer(1).append("hello"));
  rig.host.has_bug = true;
  rig.room->tick();
  CHECK(rig.ann.closed == Close{CloseReason::kInternal});
  CHECK(rig.bob.closed == Close{CloseReason::kInternal});

  // The next room of this document must find all of it on disk.
  CHECK_FALSE(rig.host.is_abandoned);
  Rig::FakePeer eve(3);
  rig.room->join(eve);
  CHECK(eve.closed == Close{CloseReason::kInternal});
  while (rig.journal.step()) {
  }
  rig.run();
  CHECK(rig.host.is_abandoned);
  CHECK(rig.disk.reader()->load("doc")->last_seq == 1);
  CHECK(rig.bob.delivered == 0);
  CHECK(rig.ann.acknowledged == 0);
}

TEST_CASE("an edit reaches the other peers, and its author hears that it is saved", "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect(kCounted);
  bob.connect();
  settle(server, {&ann, &bob});
  const std::size_t updates_before = ann.updates;
  const std::size_t acknowledged_before = ann.acknowledged;

  ann.append("hello");
  settle(server, {&ann, &bob});
  CHECK(bob.text() == "hello");
  CHECK(bob.updates == 1);
  CHECK(ann.updates == updates_before);
  CHECK(ann.acknowledged == acknowledged_before + 1);
  CHECK(server.stored_text("doc") == "hello");
}

TEST_CASE("nobody sees an edit, and nobody is told that it is saved, before it is on disk",
          "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect(kCounted);
  bob.connect();
  settle(server, {&ann, &bob});
  const std::size_t acknowledged_before = ann.acknowledged;

  ann.append("hello");
  server.run();
  Client late(server, "doc", 3);
  late.connect();
  for (Client* client : {&ann, &bob, &late}) client->read();
  CHECK(bob.text().empty());
  CHECK(late.text().empty());
  CHECK(late.answers == 0);
  CHECK(ann.acknowledged == acknowledged_before);
  CHECK(server.stored_text("doc").empty());

  settle(server, {&ann, &bob, &late});
  CHECK(bob.text() == "hello");
  CHECK(late.text() == "hello");
  CHECK(ann.acknowledged == acknowledged_before + 1);
}

TEST_CASE("I4: an edit made during a slow commit is written by the next one", "[room]") {
  MemoryStore disk;
  {
    Server server(disk, {});
    Client ann(server, "doc", 1);
    ann.connect();
    settle(server, {&ann});
    ann.append("first ");
    bool is_first = true;
    server.store().before([&](FaultyStore::Call call) {
      if (call == FaultyStore::Call::kAppend && std::exchange(is_first, false))
        ann.append("second");
    });
    server.commit();
    server.store().before(nullptr);
    ann.disconnect();
  }
  Server after_kill(disk, {});
  CHECK(after_kill.stored_text("doc") == "first second");
}

TEST_CASE("F15: when the wall clock jumps edits are logged as they came, and nothing expires",
          "[room]") {
  const auto jump = GENERATE(std::chrono::hours(-1), std::chrono::hours(1),
                             std::chrono::hours(-24 * 3650), std::chrono::hours(24 * 3650));
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect(kCounted);
  bob.connect();
  bob.say(R"({"user":{"name":"Bob"}})");
  settle(server, {&ann, &bob});
  ann.append("one ");
  settle(server, {&ann, &bob});
  server.clock().jump(jump);
  ann.append("two ");
  settle(server, {&ann, &bob});
  server.pass(2s);
  server.clock().jump(-jump);
  ann.append("three");
  settle(server, {&ann, &bob});
  CHECK(bob.text() == "one two three");
  CHECK(ann.acknowledged == 4);
  CHECK(ann.states.at(2).json == R"({"user":{"name":"Bob"}})");
  const auto log = server.stored_log("doc");
  REQUIRE(log.size() == 3);
  CHECK(log[1].at == log[0].at + jump);
  CHECK(server.stored_text("doc") == "one two three");
}

TEST_CASE("a commit acknowledges and shows what is in it, and not what came while it ran",
          "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect(kCounted);
  bob.connect();
  settle(server, {&ann, &bob});
  const std::size_t before = ann.acknowledged;
  ann.append("first ");
  bool is_first = true;
  server.store().before([&](FaultyStore::Call call) {
    if (call == FaultyStore::Call::kAppend && std::exchange(is_first, false)) ann.append("second");
  });
  server.journal().step();
  ann.read();
  bob.read();
  CHECK(ann.acknowledged == before + 1);
  CHECK(bob.text() == "first ");
  settle(server, {&ann, &bob});
  CHECK(ann.acknowledged == before + 2);
  CHECK(bob.text() == "first second");
}

TEST_CASE("I6: an edit is saved although its author left in the same moment", "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  settle(server, {&ann});
  ann.append("last words");
  ann.disconnect();
  server.commit();
  CHECK(server.stored_text("doc") == "last words");
}

TEST_CASE("after kill -9 everything is there that somebody was told of or shown", "[room]") {
  // The server is killed after each possible number of writes to the store.
  for (std::size_t writes = 0; writes < 12; ++writes) {
    MemoryStore disk;
    std::string seen;
    std::size_t acknowledged = 0;
    {
      Server server(disk, {.checkpoint_updates = 3});
      Client ann(server, "doc", 1);
      Client bob(server, "doc", 2);
      ann.connect(kCounted);
      bob.connect();
      server.store().fail_nth(FaultyStore::Call::kAppend, writes);
      settle(server, {&ann, &bob});
      acknowledged = ann.acknowledged;
      for (int i = 0; i < 10; ++i) {
        ann.append("x");
        settle(server, {&ann, &bob});
      }
      seen = bob.text();
      acknowledged = ann.acknowledged - acknowledged;
    }
    Server after_kill(disk, {});
    CAPTURE(writes);
    CHECK(after_kill.stored_text("doc").size() >= seen.size());
    CHECK(after_kill.stored_text("doc").size() >= acknowledged);
    CHECK(seen.size() == std::min<std::size_t>(writes, 10));
  }
}

TEST_CASE("F19: an update that adds nothing is acknowledged, but neither logged nor relayed",
          "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect(kCounted);
  bob.connect();
  Writer writer(9);
  const crdt::Bytes update = writer.append("once");
  for (int i = 0; i < 5; ++i) ann.send_sync(Kind::kUpdate, update);
  CHECK(ann.acknowledged == 1);  // the empty answer to the server's step 1
  settle(server, {&ann, &bob});
  CHECK(ann.acknowledged == 6);
  CHECK(bob.updates == 1);
  CHECK(server.stored_log("doc").size() == 1);
}

TEST_CASE("of an update that repeats known content only what is new is logged and relayed",
          "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.append(std::string(1000, 'x'));
  settle(server, {&ann, &bob});
  ann.disconnect();
  ann.append("new");
  ann.open();
  settle(server, {&ann, &bob});
  ann.send_sync(Kind::kStep2, ann.doc().encode());
  settle(server, {&ann, &bob});
  CHECK(bob.text() == std::string(1000, 'x') + "new");
  const auto log = server.stored_log("doc");
  REQUIRE(log.size() == 2);
  CHECK(log[1].update.size() < 100);
}

TEST_CASE(
    "Y7: an update that waits for another is kept and handed on, but acknowledged only when "
    "it is whole",
    "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect(kCounted);
  settle(server, {&ann});
  const std::size_t before = ann.acknowledged;
  Writer writer(9);
  const crdt::Bytes first = writer.append("a");
  const crdt::Bytes second = writer.append("b");

  ann.send_sync(Kind::kUpdate, second);
  ann.send_sync(Kind::kUpdate, second);
  settle(server, {&ann});
  CHECK(ann.acknowledged == before);
  CHECK(server.stored_log("doc").size() == 1);

  Client late(server, "doc", 2);
  late.connect();
  settle(server, {&ann, &late});
  CHECK(late.doc().has_pending());

  ann.send_sync(Kind::kUpdate, first);
  CHECK(ann.acknowledged == before);
  settle(server, {&ann, &late});
  CHECK(ann.acknowledged == before + 3);
  CHECK(late.text() == "ab");
  CHECK(server.stored_text("doc") == "ab");
}

TEST_CASE("what waits for something missing survives a restart", "[room]") {
  MemoryStore disk;
  Writer writer(9);
  const crdt::Bytes first = writer.append("a");
  const crdt::Bytes second = writer.append("b");
  {
    Server server(disk, {.idle_before_unload = 0ms});
    Client ann(server, "doc", 1);
    ann.connect();
    ann.send_sync(Kind::kUpdate, second);
    settle(server, {&ann});
    ann.disconnect();
    server.pass(1s);
    server.commit();
  }
  Server restarted(disk, {});
  Client ann(restarted, "doc", 1);
  ann.connect();
  ann.send_sync(Kind::kUpdate, first);
  settle(restarted, {&ann});
  CHECK(restarted.stored_text("doc") == "ab");
}

TEST_CASE("Y7: a document keeps so much that waits and no more", "[room]") {
  Server server({.limits = {.pending_bytes = 1000}});
  Client ann(server, "doc", 1);
  ann.connect();
  Writer writer(9);
  writer.append("missing");
  ann.send_sync(Kind::kUpdate, writer.append(std::string(900, 'x')));
  CHECK_FALSE(ann.closed);
  ann.send_sync(Kind::kUpdate, writer.append(std::string(900, 'x')));
  ann.read();
  CHECK(ann.closed == Close{CloseReason::kTryLater});
}

TEST_CASE("a peer that asks again and again to be told of an update that waits is closed",
          "[room]") {
  Server server({.unacknowledged_bytes = 1000});
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  Writer writer(9);
  writer.append("missing");
  const crdt::Bytes waits = writer.append(std::string(400, 'x'));
  for (int i = 0; i < 3; ++i) ann.send_sync(Kind::kUpdate, waits);
  ann.read();
  CHECK(ann.closed == Close{CloseReason::kTryLater});
  bob.send_sync(Kind::kUpdate, waits);
  bob.read();
  CHECK_FALSE(bob.closed);
}

TEST_CASE("a document that is full takes no more text, but lets itself be shortened", "[room]") {
  Server server({.document_bytes = 2000});
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  bob.append(std::string(1500, 'x'));
  settle(server, {&ann, &bob});
  ann.append(std::string(1000, 'y'));
  settle(server, {&ann, &bob});
  CHECK(ann.closed == Close{CloseReason::kDocumentFull});
  CHECK_FALSE(bob.closed);

  bob.erase(0, 1400);
  bob.append(std::string(1000, 'z'));
  settle(server, {&ann, &bob});
  CHECK_FALSE(bob.closed);
  CHECK(server.stored_text("doc") == bob.text());
}

TEST_CASE("a peer that only repeats what a full document has is not closed", "[room]") {
  Server server({.document_bytes = 2000});
  Client ann(server, "doc", 1);
  ann.connect(kCounted);
  ann.append(std::string(1900, 'x'));
  settle(server, {&ann});
  ann.send_sync(Kind::kStep2, ann.doc().encode());
  settle(server, {&ann});
  CHECK_FALSE(ann.closed);
  CHECK(ann.acknowledged == 3);
}

TEST_CASE("Y8: a document has so many clients and no more", "[room]") {
  Server server({.limits = {.clients = 3}});
  Client ann(server, "doc", 1);
  ann.connect();
  for (crdt::ClientId id = 10; id < 13; ++id) {
    ann.send_sync(Kind::kUpdate, Writer(id).append("x"));
  }
  CHECK_FALSE(ann.closed);
  ann.send_sync(Kind::kUpdate, Writer(13).append("x"));
  ann.read();
  CHECK(ann.closed == Close{CloseReason::kDocumentFull});
}

TEST_CASE("the log says who made an update, as far as it is known", "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.say(R"({"user":{"name":"Ann"}})");
  ann.append("hello");
  bob.send_sync(Kind::kUpdate, Writer(9).append("x"));
  settle(server, {&ann, &bob});
  ann.erase(0, 3);
  settle(server, {&ann, &bob});
  bob.erase(0, 1);
  settle(server, {&ann, &bob});

  const auto log = server.stored_log("doc");
  REQUIRE(log.size() == 4);
  CHECK(log[0].author.client == 1);
  CHECK(log[0].author.name == "Ann");
  CHECK(log[0].connection == ann.connection_number());
  CHECK(log[0].at == server.clock().wall());
  CHECK_FALSE(log[0].made_at);
  CHECK(log[1].author.client == 9);  // nobody speaks for it
  CHECK(log[1].author.name.empty());
  CHECK(log[2].author.client == 1);  // only deletes: who sent it
  CHECK(log[3].author.client == 9);  // never said who it is, but wrote as that
}

TEST_CASE("an update that brings several people's work has several authors, named once", "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.say(R"({"user":{"name":"Ann"}})");
  bob.say(R"({"user":{"name":"Bob"}})");
  ann.doc().apply(crdt::Update::decode(Writer(9).append("written before the page was reloaded")));
  ann.doc().apply(crdt::Update::decode(Writer(2).append("from Bob, by another way")));
  ann.append("mine");
  ann.send_sync(Kind::kUpdate, ann.doc().encode());
  settle(server, {&ann, &bob});
  ann.erase(0, 3);
  bob.erase(0, 3);
  settle(server, {&ann, &bob});

  std::map<crdt::ClientId, std::string> names;
  for (const storage::Author& author : server.store().reader()->authors("doc")) {
    names[author.client] = author.name;
  }
  CHECK(names == std::map<crdt::ClientId, std::string>{{1, "Ann"}, {2, "Bob"}, {9, "Ann"}});
  for (const storage::LogEntry& logged : server.stored_log("doc")) {
    CHECK(logged.author.client == (logged.connection == ann.connection_number() ? 1 : 2));
  }
}

TEST_CASE("an update of many clients is logged under the one that its sender speaks for",
          "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.append("mine");
  ann.doc().apply(crdt::Update::decode(Writer(9).append("x")));
  ann.open();
  server.run();
  ann.say("{}");
  settle(server, {&ann});
  const auto log = server.stored_log("doc");
  REQUIRE(log.size() == 1);
  CHECK(log[0].author.client == 1);
}

TEST_CASE("I13: the tail after a checkpoint is at most 500 updates or 1 MiB long", "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  for (int i = 0; i < 1234; ++i) {
    ann.append("x");
    if (i % 7 == 0) server.commit();
  }
  server.commit();
  auto stored = server.store().reader()->load("doc");
  CHECK(stored->last_seq == 1234);
  CHECK(stored->tail.size() <= 501);

  for (int i = 0; i < 30; ++i) ann.append(std::string(100'000, 'x'));
  server.commit();
  stored = server.store().reader()->load("doc");
  std::size_t bytes = 0;
  for (const auto& entry : stored->tail) bytes += entry.update.size();
  CHECK(bytes <= (1u << 20) + 100'100);
  CHECK(server.stored_text("doc") == ann.text());
}

TEST_CASE("a checkpoint carries the title and the first words of the document", "[room]") {
  Server server({.idle_before_unload = 0ms});
  Client ann(server, "doc", 1);
  ann.connect();
  ann.append("# Minutes\nof the meeting");
  settle(server, {&ann});
  ann.disconnect();
  server.pass(1s);
  server.commit();
  const auto list = server.store().reader()->list(10, 0);
  REQUIRE(list.size() == 1);
  CHECK(list[0].title == "Minutes");
  CHECK(list[0].excerpt == "of the meeting");
  CHECK(list[0].summary_seq == list[0].last_seq);
}

TEST_CASE("when the disk fails nothing more is acknowledged or shown, and the peers are told",
          "[room]") {
  const auto outcome =
      GENERATE(FaultyStore::Outcome::kNothingDone, FaultyStore::Outcome::kDoneButNotTold);
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  Client other(server, "other", 3);
  ann.connect(kCounted);
  bob.connect();
  other.connect();
  settle(server, {&ann, &bob, &other});
  const std::size_t before = ann.acknowledged;
  server.store().fail_nth(FaultyStore::Call::kAppend, 0, storage::Error::Kind::kIo, outcome);
  ann.append("lost?");
  settle(server, {&ann, &bob, &other});
  CHECK(ann.acknowledged == before);
  CHECK(bob.text().empty());
  CHECK(ann.closed == Close{CloseReason::kStorageUnavailable});
  CHECK(bob.closed == Close{CloseReason::kStorageUnavailable});
  CHECK(server.failures().size() == 1);

  // Who only reads is not disturbed; who comes back reads what the disk has, and cannot write.
  CHECK_FALSE(other.closed);
  bob.connect();
  settle(server, {&bob});
  CHECK(bob.text() == (outcome == FaultyStore::Outcome::kNothingDone ? "" : "lost?"));
  bob.append("more");
  settle(server, {&bob});
  CHECK(bob.closed == Close{CloseReason::kStorageUnavailable});
}

TEST_CASE("with echo the author's own updates come back once they are on disk", "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect(kEchoed);
  settle(server, {&ann});
  const std::size_t before = ann.updates;
  ann.append("x");
  ann.read();
  CHECK(ann.updates == before);
  settle(server, {&ann});
  CHECK(ann.updates == before + 1);

  ann.send_sync(Kind::kUpdate, ann.doc().encode());  // adds nothing
  settle(server, {&ann});
  CHECK(ann.updates == before + 2);

  Writer writer(9);
  const crdt::Bytes first = writer.append("a");
  ann.send_sync(Kind::kUpdate, writer.append("b"));  // waits
  settle(server, {&ann});
  CHECK(ann.updates == before + 2);
  ann.send_sync(Kind::kUpdate, first);
  settle(server, {&ann});
  CHECK(ann.updates == before + 4);
  CHECK(ann.acknowledged == 0);
}

TEST_CASE("one frame is shared by all who are sent it", "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  Client eve(server, "doc", 3);
  for (Client* client : {&ann, &bob, &eve}) client->connect();
  settle(server, {&ann, &bob, &eve});
  ann.append("hello");
  server.commit();
  const auto to_bob = bob.connection().next();
  const auto to_eve = eve.connection().next();
  REQUIRE((to_bob && to_eve));
  CHECK(std::get<server::Frame>(*to_bob).shares_bytes_with(std::get<server::Frame>(*to_eve)));
}

TEST_CASE("F27: peers that know equally much are sent the same answer, encoded once", "[room]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  ann.append(std::string(100'000, 'x'));
  settle(server, {&ann});
  ann.disconnect();
  std::vector<std::unique_ptr<Client>> joiners;
  std::vector<server::Frame> answers;
  for (crdt::ClientId id = 2; id < 52; ++id) {
    joiners.push_back(std::make_unique<Client>(server, "doc", id));
    joiners.back()->open();
  }
  server.run();
  for (const auto& client : joiners) {
    client->send_step1();
    while (const auto next = client->connection().next()) {
      const auto& frame = std::get<server::Frame>(*next);
      if (frame.size() > 100'000) answers.push_back(frame);
    }
  }
  REQUIRE(answers.size() == 50);
  for (const auto& answer : answers) CHECK(answer.shares_bytes_with(answers[0]));
}
