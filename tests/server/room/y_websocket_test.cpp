#include "dialect/y_websocket.hpp"

#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using server::Close;
using server::CloseReason;
using server::YWebsocket;
using testing::awareness_message;
using testing::Client;
using testing::Server;
using testing::sync_message;
using Kind = crdt::SyncMessage::Kind;

namespace {

const YWebsocket::Options kCounted{.acks = YWebsocket::Acks::kCount};
const YWebsocket::Options kEchoed{.acks = YWebsocket::Acks::kEcho};

crdt::Bytes operator+(crdt::Bytes left, const crdt::Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const crdt::Bytes kEmptyStep1{0, 0, 1, 0};
const crdt::Bytes kEmptyStep2{0, 1, 2, 0, 0};
const crdt::Bytes kSignOfLife{1, 1, 0};

// 9, age, update
crdt::Bytes aged_update(std::uint64_t age_ms, crdt::ByteView update) {
  crdt::Writer writer;
  writer.write_var_uint(9);
  writer.write_var_uint(age_ms);
  writer.write_var_bytes(update);
  return std::move(writer).take();
}

crdt::Bytes some_update(crdt::ClientId client) {
  crdt::Doc doc;
  return doc.transact(client, [](crdt::Transaction& t) { t.text_insert("content", 0, "x"); });
}

}  // namespace

TEST_CASE("every close has the code and the reason that the contract names", "[close]") {
  CHECK(server::close_code(CloseReason::kGoingAway) == 1001);
  CHECK(server::close_code(CloseReason::kUnsupportedData) == 1003);
  CHECK(server::close_code(CloseReason::kMessageTooBig) == 1009);
  CHECK(server::close_code(CloseReason::kInternal) == 1011);
  CHECK(server::close_code(CloseReason::kRestart) == 1012);
  CHECK(server::close_code(CloseReason::kTryLater) == 1013);
  CHECK(server::close_code(CloseReason::kSlowConsumer) == 1013);
  CHECK(server::close_code(CloseReason::kBadMessage) == 4400);
  CHECK(server::close_code(CloseReason::kGenerationChanged) == 4409);
  CHECK(server::close_code(CloseReason::kDocumentFull) == 4413);
  CHECK(server::close_code(CloseReason::kStorageUnavailable) == 4503);
  CHECK(server::close_text({CloseReason::kBadMessage}) == "bad_message");
  CHECK(server::close_text({CloseReason::kRestart, 3s}) == "restart; retry=3");
}

TEST_CASE("the server speaks first: a sync step 1, then who is there", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.open();
  ann.read();
  CHECK(ann.frames == std::vector<crdt::Bytes>{kEmptyStep1});
  ann.say("{}");

  Client bob(server, "doc", 2);
  bob.open();
  bob.read();
  CHECK(bob.frames == std::vector<crdt::Bytes>{kEmptyStep1, awareness_message(1, 1, "{}")});
}

TEST_CASE("a sync step 1 is answered although the document is empty", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.open();
  ann.read();
  ann.frames.clear();
  ann.send_step1();
  ann.read();
  CHECK(ann.frames == std::vector<crdt::Bytes>{kEmptyStep2});
}

TEST_CASE("several messages in one frame are served in order, each with a frame of its own",
          "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.open();
  ann.read();
  ann.frames.clear();
  ann.send(awareness_message(1, 1, "{}") + kEmptyStep1 + crdt::Bytes{3});
  ann.read();
  CHECK(ann.frames == std::vector<crdt::Bytes>{awareness_message(1, 1, "{}"), kEmptyStep2,
                                               awareness_message(1, 1, "{}")});
}

TEST_CASE("Y1, Y12: a bad frame ends its connection, and changes nothing for anybody",
          "[y_websocket]") {
  const crdt::Bytes good = sync_message(Kind::kUpdate, some_update(9));
  const crdt::Bytes bad = GENERATE_COPY(values<crdt::Bytes>({
      {},                                // empty
      {7},                               // no such type
      {2, 0, 1, 'x'},                    // auth: from the server only
      {8, 1},                            // acknowledgement: from the server only
      aged_update(5, some_update(9)),    // not without ack=1
      {0},                               // sync of no kind
      {0, 3, 0},                         // sync of a kind that does not exist
      {0, 0, 5, 0},                      // cut off
      {0, 2, 1, 0},                      // an update that ends early
      {0, 2, 3, 0, 0, 0},                // bytes after the update
      {0, 1, 2, 255, 255},               // an update that claims too much
      {0, 0, 5, 255, 255, 255, 255, 7},  // Y3: a state vector that claims too much
      {1, 1, 9},                         // A1: awareness that claims too much
      {1, 4, 1, 1, 1, 0},                // a state that is no JSON
      {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0},  // Y2: endless number
      good + crdt::Bytes{7},                                            // good, then garbage
      good + crdt::Bytes{0, 2},
  }));
  CAPTURE(bad);
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.send(bad);
  settle(server, {&ann, &bob});
  CHECK(ann.closed == Close{CloseReason::kBadMessage});
  CHECK_FALSE(bob.closed);
  CHECK(bob.updates == 0);
  CHECK(server.stored_log("doc").empty());
}

TEST_CASE("a peer that has been closed is not heard any more", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  ann.send(crdt::Bytes{7});
  ann.append("more");
  CHECK_FALSE(ann.connection().wants_input());
  settle(server, {&ann});
  CHECK(server.stored_log("doc").empty());
}

TEST_CASE("a peer that ends the connection with a bad frame is gone for the others at once",
          "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.say("{}");
  bob.read();
  CHECK_FALSE(bob.states[1].is_gone());
  ann.send(crdt::Bytes{7});
  bob.read();
  CHECK(bob.states[1].is_gone());
}

TEST_CASE("awareness goes to everybody, its sender included", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.say(R"({"user":{"name":"Ann"}})");
  ann.read();
  bob.read();
  CHECK(ann.states[1].json == R"({"user":{"name":"Ann"}})");
  CHECK(bob.states[1].json == R"({"user":{"name":"Ann"}})");
}

TEST_CASE("A2: a stock client that sends back what it hears does no harm", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.say("{}");
  bob.read();
  bob.send(awareness_message(1, 1, "{}"));
  bob.say(1, 5, "null");
  const std::size_t before = ann.frames.size();
  ann.read();
  CHECK(ann.frames.size() == before + 1);  // its own echo
  CHECK_FALSE(bob.closed);
  bob.disconnect();
  ann.read();
  CHECK_FALSE(ann.states[1].is_gone());
}

TEST_CASE("when a peer leaves, the others hear that its clients are gone", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.say("{}");
  ann.say(7, 3, "{}");
  ann.disconnect();
  bob.read();
  CHECK(bob.states[1] == crdt::AwarenessState{1, 2, "null"});
  CHECK(bob.states[7] == crdt::AwarenessState{7, 4, "null"});
}

TEST_CASE("A6: a client that says nothing for 30 s is gone, though its connection stands",
          "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect();
  bob.connect();
  ann.say("{}");
  server.pass(29s);
  bob.read();
  CHECK_FALSE(bob.states[1].is_gone());
  server.pass(1s);
  bob.read();
  CHECK(bob.states[1].is_gone());
  CHECK(ann.is_connected());
}

TEST_CASE("who asks for the awareness states is sent them, though there be none", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  ann.frames.clear();
  ann.send(crdt::Bytes{3});
  ann.read();
  CHECK(ann.frames == std::vector<crdt::Bytes>{kSignOfLife});
}

TEST_CASE("every peer is sent a data frame at least every 15 s", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  std::chrono::seconds silence{0};
  std::chrono::seconds longest{0};
  std::size_t frames = ann.frames.size();
  for (int second = 0; second < 600; ++second) {
    server.pass(1s);
    ann.read();
    silence = ann.frames.size() == frames ? silence + 1s : 0s;
    frames = ann.frames.size();
    longest = std::max(longest, silence);
  }
  CHECK(longest < 15s);
  CHECK(ann.frames.back() == kSignOfLife);
  CHECK(ann.frames.size() < 60);
}

TEST_CASE("a peer that is sent something anyway needs no other sign of life", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  ann.frames.clear();
  for (int i = 0; i < 10; ++i) {
    ann.say("{}");
    ann.read();
    server.pass(10s);
  }
  CHECK(ann.frames.size() == 10);
}

TEST_CASE("by default nothing is added to the protocol", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  for (int i = 0; i < 10; ++i) ann.append("x");
  settle(server, {&ann});
  for (const crdt::Bytes& frame : ann.frames) CHECK(frame[0] <= 1);
  CHECK(ann.updates == 0);
}

TEST_CASE("with ack=1 the generation comes first, then a count of what is on disk",
          "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.append("offline");
  ann.connect(kCounted);
  CHECK(ann.frames[0] == crdt::Bytes{8, 0, 1});
  CHECK(ann.greeting == 1);
  CHECK(ann.acknowledged == 0);
  settle(server, {&ann});
  CHECK(ann.acknowledged == 1);  // the step 2 that it answered with
  for (int i = 0; i < 200; ++i) ann.append("x");
  settle(server, {&ann});
  CHECK(ann.acknowledged == 201);
  CHECK(ann.frames.back() == crdt::Bytes{8, 0xC8, 1});  // one message for one commit
}

TEST_CASE("an update made offline is logged with the time at which it was made", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect(kCounted);
  settle(server, {&ann});
  const std::size_t before = ann.acknowledged;
  ann.send(aged_update(90'000, some_update(9)));
  ann.send(aged_update(crdt::kMaxSafeInteger, some_update(10)));
  settle(server, {&ann});
  CHECK(ann.acknowledged == before + 2);
  const auto log = server.stored_log("doc");
  REQUIRE(log.size() == 2);
  CHECK(log[0].at == server.clock().wall());
  CHECK(log[0].made_at == server.clock().wall() - 90s);
  CHECK(log[1].made_at == storage::Time());
}

TEST_CASE("the messages of ack=1 are unknown to ack=echo", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect(kEchoed);
  ann.send(aged_update(5, some_update(9)));
  ann.read();
  CHECK(ann.closed == Close{CloseReason::kBadMessage});
}

TEST_CASE("I8: a client with a copy of another generation is told so before any sync",
          "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.append("old copy");
  ann.connect({.acks = YWebsocket::Acks::kCount, .generation = 2});
  CHECK(ann.closed == Close{CloseReason::kGenerationChanged});
  CHECK(ann.frames.empty());
  settle(server, {&ann});
  CHECK(server.stored_log("doc").empty());

  ann.connect({.generation = 1});
  settle(server, {&ann});
  CHECK_FALSE(ann.closed);
  CHECK(server.stored_text("doc") == "old copy");
}

TEST_CASE("R3: a peer that does not read has its backlog replaced by one difference",
          "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client slow(server, "doc", 2);
  ann.connect();
  slow.connect({.outbox = {.soft_bytes = 2000, .hard_bytes = 8000}});
  settle(server, {&ann, &slow});
  slow.frames.clear();
  ann.append("begin ");
  server.commit();
  for (int i = 0; i < 1000; ++i) {
    ann.append("0123456789");
    ann.say("{}");
    server.commit();
    ann.read();
  }
  ann.erase(0, 6);
  server.commit();
  slow.read();
  CHECK(slow.text() == ann.text());
  CHECK(slow.states[1].clock == 1000);
  CHECK(slow.frames.size() < 10);

  ann.append("after");
  settle(server, {&ann, &slow});
  CHECK(slow.text() == ann.text());
}

TEST_CASE("a slow peer is told of a departure that it missed", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 3);
  Client slow(server, "doc", 2);
  ann.connect();
  bob.connect();
  slow.connect({.outbox = {.soft_bytes = 300, .hard_bytes = 8000}});
  bob.say("{}");
  slow.read();
  for (int i = 0; i < 100; ++i) ann.say(R"({"cursor":"somewhere"})");
  bob.disconnect();
  slow.read();
  CHECK(slow.states[3].is_gone());
  CHECK(slow.states[1].clock == 100);
}

TEST_CASE("a peer that misses updates of several writers while reading now and then converges",
          "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 3);
  Client slow(server, "doc", 2);
  ann.connect();
  bob.connect();
  slow.connect({.outbox = {.soft_bytes = 200, .hard_bytes = 8000}});
  for (int i = 0; i < 500; ++i) {
    (i % 3 == 0 ? ann : bob).insert(0, "some text");
    if (i % 4 == 0) (i % 8 == 0 ? ann : bob).erase(1, 3);
    server.commit();
    ann.read();
    bob.read();
    if (i % 50 == 17) slow.read();
  }
  settle(server, {&ann, &bob, &slow});
  CHECK(slow.text() == ann.text());
  CHECK(slow.doc().state_vector() == ann.doc().state_vector());
  CHECK(slow.doc().delete_set() == ann.doc().delete_set());
}

TEST_CASE("R3: a peer that is behind and takes nothing at all is closed", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client stalled(server, "doc", 2);
  ann.connect();
  stalled.connect({.outbox = {.soft_bytes = 1000, .hard_bytes = 8000}});
  settle(server, {&ann, &stalled});
  for (int i = 0; i < 20; ++i) ann.append(std::string(100, 'x'));
  server.commit();
  server.pass(9s);
  CHECK(stalled.connection().wants_input());
  server.pass(2s);
  CHECK_FALSE(stalled.connection().wants_input());
  stalled.frames.clear();
  stalled.read();
  CHECK(stalled.frames.empty());
  CHECK(stalled.closed == Close{CloseReason::kSlowConsumer});
  CHECK_FALSE(ann.closed);
}

TEST_CASE("a peer that asks and never reads is closed at the hard limit", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect({.outbox = {.soft_bytes = 100, .hard_bytes = 1000}});
  ann.say("\"" + std::string(300, 'x') + "\"");
  for (int i = 0; i < 20; ++i) ann.send(crdt::Bytes{3});
  ann.read();
  CHECK(ann.closed == Close{CloseReason::kSlowConsumer});
}

TEST_CASE("F7: what is not yet on disk holds back its sender, and nobody else", "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  Client bob(server, "doc", 2);
  ann.connect({.unacknowledged_bytes = 1000});
  bob.connect();
  settle(server, {&ann, &bob});
  ann.append(std::string(600, 'x'));
  CHECK(ann.connection().wants_input());
  ann.append(std::string(600, 'x'));
  CHECK_FALSE(ann.connection().wants_input());
  CHECK(bob.connection().wants_input());
  server.commit();
  CHECK(ann.connection().wants_input());
}

TEST_CASE("what the transport finds wrong ends the connection after what was queued",
          "[y_websocket]") {
  Server server;
  Client ann(server, "doc", 1);
  ann.connect();
  ann.say("{}");
  ann.connection().end({CloseReason::kUnsupportedData});
  ann.connection().end({CloseReason::kMessageTooBig});
  ann.read();
  CHECK_FALSE(ann.states.contains(1));  // cleared with the connection
  CHECK(ann.frames.back() == awareness_message(1, 1, "{}"));
  CHECK(ann.closed == Close{CloseReason::kUnsupportedData});
}

TEST_CASE("sync messages are read as they are written", "[sync]") {
  for (const Kind kind : {Kind::kStep1, Kind::kStep2, Kind::kUpdate}) {
    const crdt::Bytes payload{1, 2, 3};
    crdt::Writer writer;
    crdt::SyncMessage{kind, payload}.write(writer);
    crdt::Reader reader(writer.view());
    const crdt::SyncMessage read = crdt::SyncMessage::read(reader);
    CHECK(read.kind == kind);
    CHECK(std::equal(read.payload.begin(), read.payload.end(), payload.begin(), payload.end()));
    CHECK(reader.at_end());
  }
}
