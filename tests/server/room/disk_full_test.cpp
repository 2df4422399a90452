// F6: what clients see of a full disk, and of the moment when there is room again.

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

namespace {

const YWebsocket::Options kCounted{.acks = YWebsocket::Acks::kCount};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
  return found;
}

}  // namespace

TEST_CASE("F6: while the disk is full edits wait, and nobody is closed, told or shown",
          "[disk full]") {
  const auto outcome =
      GENERATE(FaultyStore::Outcome::kNothingDone, FaultyStore::Outcome::kDoneButNotTold);
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect(kCounted);
  bob.connect(kCounted);
  ann.append("<before>");
  settle(server, {&ann, &bob});
  const std::size_t acknowledged = ann.acknowledged;

  server.store().fail_nth(FaultyStore::Call::kAppend, 0, storage::Error::Kind::kDiskFull, outcome);
  server.store().fill_disk();
  ann.append("<ann>");
  settle(server, {&ann, &bob});
  bob.append("<bob>");
  for (int i = 0; i < 10; ++i) {
    server.pass(1s);
    settle(server, {&ann, &bob});
  }
  CHECK(ann.acknowledged == acknowledged);
  CHECK(bob.text() == "<before><bob>");
  CHECK_FALSE(ann.closed);
  CHECK_FALSE(bob.closed);
  CHECK(server.failures().empty());

  server.store().free_disk();
  settle(server, {&ann, &bob});
  CHECK(ann.acknowledged == acknowledged + 1);
  CHECK(ann.text() == bob.text());
  CHECK(server.stored_text("doc") == ann.text());
  for (const char* token : {"<before>", "<ann>", "<bob>"}) CHECK(count(ann.text(), token) == 1);
  CHECK(server.stored_log("doc").size() == 3);
}

TEST_CASE("F6: who joins while the disk is full reads what is stored, and misses nothing later",
          "[disk full]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect(kCounted);
  ann.append("stored ");
  settle(server, {&ann});
  server.store().fill_disk();
  ann.append("waiting");
  Client early(server, "doc", 2);  // asks before anybody knows that the disk is full
  early.connect();
  settle(server, {&ann, &early});
  server.pass(1s);
  Client late(server, "doc", 3);
  late.connect();
  Client elsewhere(server, "another", 4);
  elsewhere.connect();
  settle(server, {&ann, &early, &late, &elsewhere});
  for (Client* reader : {&early, &late}) {
    CHECK(reader->text() == "stored ");
    CHECK(reader->answers == 1);
  }
  CHECK(elsewhere.answers == 1);

  // The author comes back meanwhile, and with him what he had not been told is saved.
  ann.disconnect();
  ann.connect(kCounted);
  settle(server, {&ann, &early, &late});
  CHECK(ann.text() == "stored waiting");
  CHECK(early.text() == "stored ");

  const std::size_t acknowledged = ann.acknowledged;
  server.store().free_disk();
  settle(server, {&ann, &early, &late});
  CHECK(ann.acknowledged > acknowledged);
  CHECK(early.text() == "stored waiting");
  CHECK(late.text() == "stored waiting");
  CHECK(late.answers == 1);
  CHECK(server.stored_log("doc").size() == 2);
}

TEST_CASE("F6: a document stays in memory while it waits for room on the disk", "[disk full]") {
  Server server({.idle_before_unload = 0ms});
  Client ann(server, "doc", 1);
  ann.connect();
  settle(server, {&ann});
  server.store().fill_disk();
  ann.append("left behind");
  ann.disconnect();
  for (int i = 0; i < 100; ++i) {
    server.pass(1s);
    server.commit();
  }
  CHECK(server.directory().room_count() == 1);
  server.store().free_disk();
  server.commit();
  server.pass(2s);
  server.commit();
  CHECK(server.stored_text("doc") == "left behind");
  CHECK(server.directory().room_count() == 0);
}

TEST_CASE("F6: a server that stops while the disk is full tells its peers to come back",
          "[disk full]") {
  const bool is_freed = GENERATE(true, false);
  Server server;
  Client ann(server, "doc", 1);
  ann.connect(kCounted);
  settle(server, {&ann});
  const std::size_t acknowledged = ann.acknowledged;
  const bool is_known = GENERATE(true, false);
  server.store().fill_disk();
  ann.append("waiting");
  if (is_known) settle(server, {&ann});
  bool is_done = false;
  server.directory().drain([&] { is_done = true; });
  server.commit();
  server.pass(1s);
  settle(server, {&ann});
  REQUIRE(ann.closed);
  CHECK(ann.closed->reason == CloseReason::kRestart);
  CHECK(ann.acknowledged == acknowledged);
  CHECK_FALSE(is_done);
  if (is_freed) server.store().free_disk();
  server.commit();
  CHECK(is_done == is_freed);
  CHECK(server.stored_text("doc") == (is_freed ? "waiting" : ""));
}

TEST_CASE("F6: who sends more than can wait for room is told to come back", "[disk full]") {
  MemoryStore disk;
  Server server(disk, {}, {.stalled_bytes = 1000});
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  settle(server, {&ann, &bob});
  server.store().fill_disk();
  ann.append(std::string(2000, 'x'));
  settle(server, {&ann, &bob});
  CHECK_FALSE(ann.closed);
  ann.append("more");
  settle(server, {&ann, &bob});
  REQUIRE(ann.closed);
  CHECK(ann.closed->reason == CloseReason::kStorageUnavailable);
  CHECK(ann.closed->retry);
  CHECK_FALSE(bob.closed);

  server.store().free_disk();
  settle(server, {&bob});
  ann.connect();
  settle(server, {&ann, &bob});
  CHECK(bob.text() == std::string(2000, 'x') + "more");
  CHECK(server.stored_text("doc") == bob.text());
}

TEST_CASE("F7: who joins while the disk does not answer reads what is stored", "[disk full]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect(kCounted);
  ann.append("stored ");
  settle(server, {&ann});
  ann.append("waiting");
  server.run();
  const std::size_t acknowledged = ann.acknowledged;
  Client late(server, "doc", 2);
  std::string seen;
  server.store().before([&](FaultyStore::Call call) {
    if (call != FaultyStore::Call::kAppend) return;
    server.store().before({});
    server.pass(29s);
    late.connect();
    server.run();
    late.read();
    CHECK(late.answers == 0);
    server.pass(2s);
    late.read();
    seen = late.text();
  });
  server.commit();
  CHECK(seen == "stored ");
  CHECK(late.answers == 1);
  settle(server, {&ann, &late});
  CHECK(ann.acknowledged == acknowledged + 1);
  CHECK(late.text() == "stored waiting");
  CHECK(late.answers == 1);
  CHECK_FALSE(ann.closed);
  CHECK_FALSE(late.closed);
}
