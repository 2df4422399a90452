// WebSocket over a real socket. W1–W16 are those of the catalogue of bad input.

#include <string>

#include "crdt/doc.hpp"
#include "raw_client.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr unsigned kContinuation = 0;
constexpr unsigned kText = 1;
constexpr unsigned kBinary = 2;
constexpr unsigned kClose = 8;
constexpr unsigned kPing = 9;
constexpr unsigned kPong = 10;

// y-protocols: sync step 1 of a client that knows nothing.
const std::string kStep1("\x00\x00\x01\x00", 4);
// And the update of client 1 that writes "a" at the start of the root "content".
const std::string kUpdate(
    "\x00\x02\x11\x01\x01\x01\x00\x04\x01\x07"
    "content\x01"
    "a\x00",
    20);

std::string close_frame(unsigned code, const std::string& reason = "") {
  const std::string payload{static_cast<char>(code >> 8), static_cast<char>(code)};
  return RawFrame{.opcode = kClose, .payload = payload + reason}.encode();
}

TEST_CASE("a document is served at its name, under /sync too", "[websocket]") {
  TestServer server;
  const std::string target = GENERATE("/doc", "/sync/doc", "/a/b", "/a%20b", "/sync/a%2Fb?ack=1");
  RawWebSocket client(server.port(), target);
  client.send({.payload = kStep1});
  std::optional<RawFrame> answer;
  do answer = client.read(kBinary);
  while (answer && !answer->payload.starts_with("\x00\x01"s));
  CHECK(answer);  // sync step 2
}

TEST_CASE("what one writes the other reads", "[websocket]") {
  TestServer server;
  RawWebSocket writer(server.port()), reader(server.port(), "/sync/doc");
  reader.send({.payload = kStep1});
  writer.send({.payload = kStep1});
  writer.send({.payload = kUpdate});
  for (;;) {
    const auto frame = reader.read(kBinary);
    REQUIRE(frame);
    if (frame->payload.find("content") != std::string::npos) break;
  }
}

TEST_CASE("W15: frames in the segment of the handshake are served", "[websocket]") {
  TestServer server;
  RawClient client(server.port());
  client.send(handshake("/doc?ack=1") + RawFrame{.opcode = kPing, .payload = "early"}.encode());
  CHECK(read_response(client, false).status == 101);
  CHECK_FALSE(client.read_until("early").empty());
}

TEST_CASE("W15: a handshake that comes in single bytes is served", "[websocket]") {
  TestServer server;
  RawClient client(server.port());
  for (const char c : handshake("/doc")) client.send(std::string(1, c));
  CHECK(read_response(client, false).status == 101);
}

TEST_CASE("W15: a handshake that takes too long is given up", "[websocket]") {
  TestServer server({.head_time = 200ms});
  CHECK(ask(server.port(), handshake("/doc").substr(0, 100)).status == 408);
}

TEST_CASE("W16: a wrong handshake is told what is wrong", "[websocket]") {
  TestServer server;
  const auto replaced = [](std::string_view from, std::string_view to) {
    std::string text = handshake("/doc");
    return text.replace(text.find(from), from.size(), to);
  };
  const auto [request, status] = GENERATE_COPY(table<std::string, unsigned>({
      {replaced("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12"), 426},
      {replaced("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400},
      {replaced("Upgrade: websocket\r\n", "Upgrade: websocket\r\nUpgrade: websocket\r\n"), 400},
      {replaced("GET", "POST"), 400},
      {replaced("HTTP/1.1", "HTTP/1.0"), 400},
      {replaced("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\n{}"), 400},
      {replaced("/doc", "/"), 404},
      {replaced("/doc", "/%00"), 404},
      {replaced("/doc", "/%zz"), 400},
      {replaced("/doc", "/doc?generation=x"), 400},
      {replaced("/doc", "/" + std::string(256, 'a')), 404},
      {replaced("\r\n\r\n", "\r\nOrigin: https://evil.example\r\n\r\n"), 403},
      {replaced("\r\n\r\n", "\r\nOrigin: null\r\n\r\n"), 403},
      {replaced("Host: localhost", "Host: evil.example"), 421},
  }));
  CAPTURE(request);
  const RawResponse response = ask(server.port(), request);
  CHECK(response.status == status);
  if (status == 426) CHECK(response.field("Sec-WebSocket-Version") == "13");
}

TEST_CASE("a page of another port of this machine may connect", "[websocket]") {
  TestServer server;
  RawWebSocket client(server.port(), "/doc", "Origin: http://localhost:5173\r\n");
  client.send({.payload = kStep1});
  CHECK(client.read(kBinary));
}

TEST_CASE("a frame that breaks RFC 6455 ends the connection with its code", "[websocket]") {
  TestServer server;
  const auto [name, bytes, code] = GENERATE(table<std::string, std::string, unsigned>({
      {"W1: a 64-bit length with the top bit set",
       RawFrame{.claimed_length = std::uint64_t{1} << 63, .length_bytes = 8}.encode(), 1009},
      {"W2: a length of 2^40",
       RawFrame{.claimed_length = std::uint64_t{1} << 40, .length_bytes = 8}.encode(), 1009},
      {"W3: a length in two bytes that fits in one",
       RawFrame{.payload = "a", .length_bytes = 2}.encode(), 1002},
      {"W3: a length in eight bytes that fits in two",
       RawFrame{.payload = std::string(200, 'a'), .length_bytes = 8}.encode(), 1002},
      {"W4: no mask", RawFrame{.payload = "a", .is_masked = false}.encode(), 1002},
      {"W5: RSV1", RawFrame{.payload = "a", .reserved = 4}.encode(), 1002},
      {"W5: RSV2", RawFrame{.payload = "a", .reserved = 2}.encode(), 1002},
      {"W5: RSV3", RawFrame{.payload = "a", .reserved = 1}.encode(), 1002},
      {"W6: opcode 3", RawFrame{.opcode = 3}.encode(), 1002},
      {"W6: opcode 7", RawFrame{.opcode = 7}.encode(), 1002},
      {"W6: opcode 11", RawFrame{.opcode = 11}.encode(), 1002},
      {"W6: opcode 15", RawFrame{.opcode = 15}.encode(), 1002},
      {"W7: a continuation of nothing", RawFrame{.opcode = kContinuation, .payload = "a"}.encode(),
       1002},
      {"W7: a message within a message",
       RawFrame{.payload = "a", .is_final = false}.encode() + RawFrame{.payload = "b"}.encode(),
       1002},
      {"W8: a ping of 126 bytes",
       RawFrame{.opcode = kPing, .payload = std::string(126, 'a')}.encode(), 1002},
      {"W8: a fragmented ping",
       RawFrame{.opcode = kPing, .payload = "a", .is_final = false}.encode(), 1002},
      {"W9: a wrong byte in text", RawFrame{.opcode = kText, .payload = "\xff"}.encode(), 1007},
      {"W9: an overlong form", RawFrame{.opcode = kText, .payload = "\xc0\xaf"}.encode(), 1007},
      {"W9: a surrogate", RawFrame{.opcode = kText, .payload = "\xed\xa0\x80"}.encode(), 1007},
      {"W9: half a character", RawFrame{.opcode = kText, .payload = "\xc3"}.encode(), 1007},
      {"W10: a close of one byte", RawFrame{.opcode = kClose, .payload = "a"}.encode(), 1002},
      {"W10: code 0", close_frame(0), 1002},
      {"W10: code 999", close_frame(999), 1002},
      {"W10: code 1005", close_frame(1005), 1002},
      {"W10: code 1006", close_frame(1006), 1002},
      {"W10: code 1015", close_frame(1015), 1002},
      {"W10: code 2999", close_frame(2999), 1002},
      {"W13: text", RawFrame{.opcode = kText, .payload = "hello"}.encode(), 1003},
  }));
  CAPTURE(name);
  RawWebSocket client(server.port());
  CHECK(client.close_code_after(bytes) == code);
}

TEST_CASE("W11: a message over the limit is refused before it is there", "[websocket]") {
  TestServer server;
  RawWebSocket client(server.port());
  RawFrame start{.is_final = false, .claimed_length = (std::uint64_t{16} << 20) + 1};
  CHECK(client.close_code_after(start.encode()) == 1009);
}

TEST_CASE("W12: a flood of pings is told to come back later", "[websocket]") {
  TestServer server;
  RawWebSocket client(server.port());
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += RawFrame{.opcode = kPing, .payload = "!"}.encode();
  CHECK(client.close_code_after(pings) == 1013);
}

TEST_CASE("W12: a message that does not go on is given up", "[websocket]") {
  TestServer server({.message_time = 300ms});
  RawWebSocket client(server.port());
  client.send({.payload = kStep1});
  client.socket().send(RawFrame{.payload = "abc", .claimed_length = 10'000}.encode());
  while (client.read()) {
  }
  CHECK(client.socket().is_closed());
}

TEST_CASE("a message in fragments is one message", "[websocket]") {
  TestServer server;
  RawWebSocket client(server.port());
  std::string bytes;
  for (std::size_t i = 0; i < kStep1.size(); ++i)
    bytes += RawFrame{.opcode = i == 0 ? kBinary : kContinuation,
                      .payload = kStep1.substr(i, 1),
                      .is_final = i + 1 == kStep1.size()}
                 .encode() +
             RawFrame{.opcode = kPing, .payload = "in between"}.encode();
  client.socket().send(bytes);
  CHECK(client.read(kPong)->payload == "in between");
  CHECK(client.read(kBinary));
}

TEST_CASE("bytes that are no message of the protocol are a bad message", "[websocket]") {
  TestServer server;
  const std::string payload =
      GENERATE(""s, "\x63"s, "\x00\x00\xff"s, "\x00\x02\x05\x01\x01"s, "\x01\xff\xff\xff\xff\x0f"s);
  RawWebSocket client(server.port());
  CHECK(client.close_code_after(RawFrame{.payload = payload}.encode()) == 4400);
}

TEST_CASE("a goodbye is answered", "[websocket]") {
  TestServer server;
  RawWebSocket client(server.port());
  CHECK(client.close_code_after(close_frame(1000, "bye")) == 1000);
  CHECK(client.socket().is_closed());
}

TEST_CASE("a peer that answers no ping is dead", "[websocket]") {
  TestServer server({.ping_interval = 200ms});
  RawWebSocket client(server.port());
  const auto ping = client.read(kPing);
  REQUIRE(ping);
  // Whatever else it is sent, it never answers; at last the server gives up.
  while (client.read()) {
  }
  CHECK(client.socket().is_closed());
}

TEST_CASE("F21: a peer that takes nothing is let go, and holds up nobody", "[websocket]") {
  constexpr int kUpdates = 150;
  TestServer server({.write_progress_time = 300ms});
  RawWebSocket stalled(server.port(), "/doc", "", 4096);
  RawWebSocket reader(server.port()), writer(server.port());
  for (RawWebSocket* client : {&stalled, &reader, &writer}) client->send({.payload = kStep1});

  crdt::Doc doc;
  std::size_t sent = 0, received = 0;
  for (int i = 0; i < kUpdates; ++i) {
    const std::string text(std::size_t{64} << 10, static_cast<char>('a' + i % 26));
    writer.send({.payload = update_message(doc.transact(
                     7, [&](crdt::Transaction& change) { change.text_insert("t", 0, text); }))});
    for (sent += text.size(); received < sent;) {
      const auto frame = reader.read(kBinary);
      REQUIRE(frame);
      received += frame->payload.size();
    }
  }
  CHECK_NOTHROW(stalled.socket().read_to_end());
}

TEST_CASE("a server that stops tells its peers to come back", "[websocket]") {
  TestServer server;
  RawWebSocket client(server.port());
  client.send({.payload = kStep1});
  REQUIRE(client.read(kBinary));
  server.app().stop();
  const auto close = client.read(kClose);
  REQUIRE(close);
  CHECK(close->close_code() == 1012);
  CHECK(close->close_reason().starts_with("restart"));
}

TEST_CASE("an edit that came just before the stop is there afterwards", "[websocket]") {
  TempDirectory directory;
  server::Config config;
  config.listen.port = 0;
  config.data = directory.path();
  config.log_level = server::LogLevel::kError;
  const auto served = [&](auto use) {
    server::App app(config);
    app.start();
    use(app);
    app.stop();
    CHECK(app.wait() == 0);
  };
  served([](server::App& app) {
    RawWebSocket client(app.port());
    client.send({.payload = kStep1});
    REQUIRE(client.read(kBinary));
    client.send({.payload = kUpdate});
    client.send({.opcode = kPing});
    REQUIRE(client.read(kPong));  // so the update has been received
  });
  served([](server::App& app) {
    RawWebSocket client(app.port());
    client.send({.payload = kStep1});
    for (;;) {
      const auto frame = client.read(kBinary);
      REQUIRE(frame);
      if (frame->payload.find("content") != std::string::npos) break;
    }
  });
}

}  // namespace
}  // namespace palimpsest::testing
