#include <functional>
#include <optional>

#include <boost/asio/co_spawn.hpp>

#include "room/claim.hpp"
#include "storage/lost_clocks.hpp"
#include "support.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using namespace std::chrono_literals;
using server::Claim;
using server::Close;
using server::CloseReason;
using storage::LostClocks;

// "old" by client 7 was written and is lost again; "kept" by client 3 is there still.
class AfterRestore {
 public:
  AfterRestore() {
    {
      Server before(disk, {});
      Client writer(before, "doc", 3);
      writer.connect();
      writer.append("kept ");
      settle(before, {&writer});
    }
    disk.begin_generation(
        "doc", 2, LostClocks(crdt::StateVector({{3, 5}, {7, 4}}), crdt::StateVector({{3, 5}})));
  }

  MemoryStore disk;
};

TEST_CASE("I8: a stock client with lost content is told so, and nothing is merged either way",
          "[generations]") {
  AfterRestore scene;
  Server server(scene.disk, {});
  Client ann(server, "doc", 1);
  Client old(server, "doc", 7);
  old.append("old ");
  ann.connect();
  old.connect();
  settle(server, {&ann, &old});
  CHECK(old.closed == Close{CloseReason::kGenerationChanged});
  CHECK(old.text() == "old ");
  CHECK(ann.text() == "kept ");
  ann.append("new");
  settle(server, {&ann});
  CHECK_FALSE(ann.closed);
  CHECK(server.stored_text("doc") == "kept new");
}

TEST_CASE("I8: content that goes on where lost content ended is refused, whoever sends it",
          "[generations]") {
  AfterRestore scene;
  Server server(scene.disk, {});
  crdt::Doc lost;
  lost.transact(7, [](crdt::Transaction& t) { t.text_insert("content", 0, "old "); });
  const crdt::Bytes next =
      lost.transact(7, [](crdt::Transaction& t) { t.text_insert("content", 4, "and on"); });
  Client ann(server, "doc", 1);
  ann.connect();
  settle(server, {&ann});
  ann.send_sync(crdt::SyncMessage::Kind::kUpdate, next);
  settle(server, {&ann});
  CHECK(ann.closed == Close{CloseReason::kGenerationChanged});
  CHECK(server.stored_log("doc").size() == 1);
}

TEST_CASE("what was written offline behind the clocks that are there is welcome", "[generations]") {
  AfterRestore scene;
  Server server(scene.disk, {});
  Client back(server, "doc", 3);
  back.append("kept ");  // as it knows it
  back.append("offline");
  back.connect();
  settle(server, {&back});
  CHECK_FALSE(back.closed);
  CHECK(server.stored_text("doc") == "kept offline");
}

TEST_CASE("who has not said what it has is shown nothing while something is lost",
          "[generations]") {
  AfterRestore scene;
  Server server(scene.disk, {});
  Client ann(server, "doc", 1);
  Client silent(server, "doc", 2);
  silent.open();
  ann.connect();
  settle(server, {&ann});
  ann.append("new");
  settle(server, {&ann});
  silent.read();
  CHECK(silent.text().empty());
  silent.send_step1();
  settle(server, {&ann, &silent});
  CHECK(silent.text() == "kept new");
  ann.append("er");
  settle(server, {&ann, &silent});
  CHECK(silent.text() == "kept newer");
}

TEST_CASE("the name of a document that is gone begins with the next generation", "[generations]") {
  MemoryStore disk;
  disk.begin_generation("doc", 4, LostClocks(crdt::StateVector({{7, 4}}), {}));
  Server server(disk, {});
  Client stale(server, "doc", 1);
  stale.connect({.acks = server::YWebsocket::Acks::kCount, .generation = 3});
  CHECK(stale.closed == Close{CloseReason::kGenerationChanged});
  Client old(server, "doc", 7);
  old.append("old ");
  old.connect();
  settle(server, {&old});
  CHECK(old.closed == Close{CloseReason::kGenerationChanged});
  Client ann(server, "doc", 2);
  ann.append("new");
  ann.connect({.generation = 4});
  settle(server, {&ann});
  CHECK(server.stored_text("doc") == "new");
}

// --- Names that are held ---

class Claiming {
 public:
  using How = boost::asio::awaitable<Claim> (*)(server::Directory&, std::string);

  Claiming(Server& server, const std::string& document, How how = server::claim_name) {
    const server::Lease any = server.directory().open("any");
    boost::asio::co_spawn(any->strand(), how(server.directory(), document),
                          [this](const std::exception_ptr& failure, Claim claim) {
                            REQUIRE_FALSE(failure);
                            claim_.emplace(std::move(claim));
                          });
    server.run();
  }
  bool is_answered() const { return claim_.has_value(); }
  Claim::Outcome outcome() const { return claim_.value().outcome(); }
  void release() { claim_.reset(); }

 private:
  std::optional<Claim> claim_;
};

TEST_CASE("the name of a document that is not there can be held, and nobody begins it",
          "[generations]") {
  MemoryStore disk;
  Server server(disk, {});
  Client ann(server, "doc", 1);
  ann.connect();
  Claiming claim(server, "doc");
  CHECK(claim.outcome() == Claim::Outcome::kHeld);
  ann.read();
  REQUIRE(ann.closed);
  CHECK(ann.closed->reason == CloseReason::kRestart);
  Client bob(server, "doc", 2);
  bob.append("b");
  bob.connect();
  settle(server, {&bob});
  REQUIRE(bob.closed);
  CHECK(bob.closed->reason == CloseReason::kRestart);
  CHECK(Claiming(server, "doc").outcome() == Claim::Outcome::kUnavailable);

  claim.release();
  server.run();
  bob.connect();
  settle(server, {&bob});
  CHECK_FALSE(bob.closed);
  CHECK(server.stored_text("doc") == "b");
}

TEST_CASE("a document that is there keeps its name and its peers", "[generations]") {
  MemoryStore disk;
  Server server(disk, {});
  Client ann(server, "doc", 1);
  ann.connect();
  ann.append("a");  // and is not on disk yet
  Claiming claim(server, "doc");
  CHECK(claim.outcome() == Claim::Outcome::kTaken);
  settle(server, {&ann});
  CHECK_FALSE(ann.closed);
  CHECK(server.stored_text("doc") == "a");
}

// --- Names of documents that are to be gone ---

void write(Server& server, const std::function<void(storage::Writer&)>& work) {
  server.journal().run({.write = work, .done = [](bool) {}});
  server.commit();
}

void put_into_bin(Server& server) {
  write(server,
        [&](storage::Writer& writer) { writer.put_into_bin("doc", server.clock().wall()); });
  server.directory().set_in_bin("doc", true);
}

TEST_CASE("I8: a purged document is held until it is gone, and its copies are told from then on",
          "[generations]") {
  MemoryStore disk;
  Server server(disk, {});
  Client ann(server, "doc", 1);
  ann.connect();
  ann.append("old");
  settle(server, {&ann});
  put_into_bin(server);
  Claiming claim(server, "doc", server::claim_in_bin);
  server.commit();  // a checkpoint is under way
  REQUIRE(claim.outcome() == Claim::Outcome::kHeld);
  Client bob(server, "doc", 2);
  bob.append("b");
  bob.connect();
  REQUIRE(bob.closed);
  CHECK(bob.closed->reason == CloseReason::kRestart);
  CHECK(Claiming(server, "doc", server::claim_in_bin).outcome() == Claim::Outcome::kUnavailable);

  const storage::Removal removal = server.store().reader()->prepare_removal("doc").value();
  storage::Removed removed{};
  write(server, [&](storage::Writer& writer) { removed = writer.remove(removal, {}); });
  CHECK(removed == storage::Removed::kDone);
  claim.release();
  server.run();
  ann.connect();
  settle(server, {&ann});
  CHECK(ann.closed == Close{CloseReason::kGenerationChanged});
  CHECK(ann.text() == "old");
  bob.connect({.acks = server::YWebsocket::Acks::kCount});
  settle(server, {&bob});
  CHECK_FALSE(bob.closed);
  CHECK(bob.greeting == 2);
  CHECK(server.stored_text("doc") == "b");
}

TEST_CASE("what is on its way to disk gets there before a document in the bin is held",
          "[generations]") {
  MemoryStore disk;
  Server server(disk, {});
  Client ann(server, "doc", 1);
  ann.connect();
  ann.append("a");
  server.run();
  server.directory().set_in_bin("doc", true);
  Claiming claim(server, "doc", server::claim_in_bin);
  CHECK_FALSE(claim.is_answered());
  SECTION("and then it is") {
    server.commit();
    CHECK(claim.outcome() == Claim::Outcome::kHeld);
    CHECK(server.stored_text("doc") == "a");
  }
  SECTION("unless it is taken out of the bin") {
    server.directory().set_in_bin("doc", false);
    server.run();
    CHECK(claim.outcome() == Claim::Outcome::kNotInBin);
  }
  SECTION("or the server stops") {
    server.directory().drain([] {});
    server.commit();
    CHECK(claim.outcome() == Claim::Outcome::kUnavailable);
  }
  SECTION("or the store fails") {
    server.store().fail_nth(FaultyStore::Call::kAppend, 0);
    server.commit();
    CHECK(claim.outcome() == Claim::Outcome::kUnavailable);
  }
}

TEST_CASE("a document is not held that is not in the bin", "[generations]") {
  MemoryStore disk;
  Server server(disk, {});
  Client ann(server, "doc", 1);
  ann.connect();
  ann.append("a");
  settle(server, {&ann});
  CHECK(Claiming(server, "doc", server::claim_in_bin).outcome() == Claim::Outcome::kNotInBin);
  CHECK_FALSE(ann.closed);
}

TEST_CASE("a document that cannot be loaded can be held all the same, to be gone",
          "[generations]") {
  MemoryStore disk;
  Server server(disk, {});
  // The first to be loaded is another one.
  server.store().fail_nth(FaultyStore::Call::kLoad, 1, storage::Error::Kind::kCorrupt);
  Claiming claim(server, "doc", server::claim_in_bin);
  CHECK_FALSE(server.store().is_armed());
  CHECK(claim.outcome() == Claim::Outcome::kHeld);
  claim.release();
  server.run();
  Client ann(server, "doc", 1);
  ann.append("a");
  ann.connect();
  settle(server, {&ann});
  CHECK(server.stored_text("doc") == "a");
}

}  // namespace
}  // namespace palimpsest::testing
