// HTTP over a real socket: what the guard's own tests cannot see, which is time, bodies, and what
// becomes of the connection.

#include <string>

#include "raw_client.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using namespace std::chrono_literals;

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

std::string post(const std::string& fields, const std::string& body = "") {
  return "POST /api/documents HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
}

TEST_CASE("the server says that it is up and ready", "[http]") {
  TestServer server;
  CHECK(ask(server.port(), get("/healthz")).body == "ok\n");
  CHECK(ask(server.port(), get("/readyz")).status == 200);
}

TEST_CASE("every response carries the security fields", "[http]") {
  TestServer server;
  const std::string request =
      GENERATE(get("/healthz"), get("/nothing"), get("/api/documents"), std::string("bad\r\n\r\n"));
  const RawResponse response = ask(server.port(), request);
  CAPTURE(response.head);
  CHECK(response.field("X-Content-Type-Options") == "nosniff");
  CHECK(response.field("Referrer-Policy") == "no-referrer");
  CHECK(response.field("Cross-Origin-Opener-Policy") == "same-origin");
  CHECK(response.field("Cross-Origin-Resource-Policy") == "same-origin");
  CHECK(response.field("Content-Security-Policy").starts_with("default-src 'none'"));
  CHECK(response.field("Cache-Control") == "no-store");
}

TEST_CASE("a refused request is answered as a problem and ends the connection", "[http]") {
  TestServer server;
  RawClient client(server.port());
  client.send("GET /secret HTTP/1.1\r\nHost: a\r\nHost: secret\r\n\r\n" + get("/healthz"));
  const RawResponse response = read_response(client);
  CHECK(response.status == 400);
  CHECK(response.field("Content-Type") == "application/problem+json");
  CHECK(response.field("Connection") == "close");
  CHECK(response.body.find("secret") == std::string::npos);
  CHECK(client.is_closed());
}

TEST_CASE("requests follow each other on one connection", "[http]") {
  TestServer server;
  RawClient client(server.port());
  for (int i = 0; i < 40; ++i) {
    client.send(get("/healthz"));
    REQUIRE(read_response(client).body == "ok\n");
  }
  client.send(get("/healthz", "Connection: close\r\n"));
  CHECK(read_response(client).status == 200);
  CHECK(client.is_closed());
}

TEST_CASE("a request that comes in single bytes is served", "[http]") {
  TestServer server;
  RawClient client(server.port());
  for (const char c : get("/healthz")) client.send(std::string(1, c));
  CHECK(read_response(client).body == "ok\n");
}

TEST_CASE("H17: of many pipelined requests the first sixteen are served", "[http]") {
  TestServer server;
  RawClient client(server.port());
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get("/healthz");
  client.send(requests);
  client.finish_sending();
  const std::string answers = client.read_to_end();
  std::size_t count = 0;
  for (std::size_t at = 0; (at = answers.find("HTTP/1.1 200", at)) != std::string::npos; ++at)
    ++count;
  CHECK(count == 16);
}

TEST_CASE("H17: a method that a path does not have is told which it has", "[http]") {
  TestServer server;
  const auto [request, allow] = GENERATE(table<std::string, std::string>({
      {"TRACE / HTTP/1.1\r\n", "GET, HEAD"},
      {"CONNECT localhost:1 HTTP/1.1\r\n", "GET, HEAD"},
      {"BREW /healthz HTTP/1.1\r\n", "GET, HEAD"},
      {"OPTIONS * HTTP/1.1\r\n", "GET, HEAD"},
      {"DELETE /api/documents HTTP/1.1\r\n", "GET, HEAD, POST"},
      {"PUT /api/documents/x HTTP/1.1\r\n", "GET, HEAD, PATCH, DELETE"},
  }));
  CAPTURE(request);
  const RawResponse response = ask(server.port(), request + "Host: localhost\r\n\r\n");
  CHECK(response.status == 405);
  CHECK(response.field("Allow") == allow);
}

TEST_CASE("HEAD is GET without the body", "[http]") {
  TestServer server;
  RawClient client(server.port());
  client.send("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(read_response(client, false).field("Content-Length") == "3");
  client.send(get("/healthz"));
  CHECK(read_response(client).body == "ok\n");
}

TEST_CASE("a body of a known length is read to its end", "[http]") {
  TestServer server;
  RawClient client(server.port());
  client.send(post("Content-Length: 2\r\n", "{}") + get("/healthz"));
  CHECK(read_response(client).status == 201);
  CHECK(read_response(client).body == "ok\n");
}

TEST_CASE("a body in chunks is read to its end", "[http]") {
  TestServer server;
  RawClient client(server.port());
  client.send(post("Transfer-Encoding: chunked\r\n", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n") +
              get("/healthz"));
  CHECK(read_response(client).status == 201);
  CHECK(read_response(client).body == "ok\n");
}

TEST_CASE("a body whose chunks are not exactly right is refused", "[http]") {
  TestServer server;
  const auto [name, body] = GENERATE(table<std::string, std::string>({
      {"H9: a chunk extension", "2;a=b\r\n{}\r\n0\r\n\r\n"},
      {"H9: a long chunk extension", "2;" + std::string(100'000, 'a') + "\r\n{}\r\n0\r\n\r\n"},
      {"H9: one on the last chunk", "2\r\n{}\r\n0;a\r\n\r\n"},
      {"H10: a trailer", "2\r\n{}\r\n0\r\nX-A: 1\r\n\r\n"},
      {"H11: a trailer that would be a credential", "0\r\nAuthorization: Bearer a\r\n\r\n"},
      {"a size that is no number", "zz\r\n{}\r\n0\r\n\r\n"},
      {"a size with a sign", "+2\r\n{}\r\n0\r\n\r\n"},
      {"a size with a prefix", "0x2\r\n{}\r\n0\r\n\r\n"},
      {"a space after the size", "2 \r\n{}\r\n0\r\n\r\n"},
      {"a chunk that does not end", "2\r\n{}{}\r\n0\r\n\r\n"},
      {"a bare LF after the size", "2\n{}\r\n0\r\n\r\n"},
      {"a size over 64 bits", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"},
  }));
  CAPTURE(name);
  const RawResponse response =
      ask(server.port(), post("Transfer-Encoding: chunked\r\n", body) + get("/healthz"));
  CHECK((response.status == 400 || response.status == 413));
  CHECK(response.field("Connection") == "close");
}

TEST_CASE("H10: trailers without end are refused before they fill memory", "[http]") {
  TestServer server;
  std::string trailers;
  for (int i = 0; i < 50'000; ++i) trailers += "X-" + std::to_string(i) + ": 1\r\n";
  const RawResponse response =
      ask(server.port(), post("Transfer-Encoding: chunked\r\n", "0\r\n" + trailers + "\r\n"));
  CHECK(response.status == 400);
}

TEST_CASE("H15: a body over the limit is refused, declared or not", "[http]") {
  TestServer server;
  CHECK(ask(server.port(), post("Content-Length: 262145\r\n")).status == 413);
  const std::string chunks =
      "40000\r\n" + std::string(0x40000, 'a') + "\r\n1\r\na\r\n0\r\n\r\n";  // 256 KiB and one
  CHECK(ask(server.port(), post("Transfer-Encoding: chunked\r\n", chunks)).status == 413);
}

TEST_CASE("H16: a head that takes too long is given up", "[http]") {
  TestServer server({.head_time = 200ms});
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHo");
  CHECK(read_response(client).status == 408);
  CHECK(client.is_closed());
}

TEST_CASE("H16: a body that comes too slowly is given up", "[http]") {
  TestServer server({.head_time = 200ms});
  RawClient client(server.port());
  client.send(post("Content-Length: 10000\r\n", "abc"));
  CHECK(read_response(client).status == 408);
  CHECK(client.is_closed());
}

TEST_CASE("a connection that asks for nothing more is closed without a word", "[http]") {
  TestServer server({.idle_time = 200ms});
  RawClient client(server.port());
  client.send(get("/healthz"));
  CHECK(read_response(client).status == 200);
  CHECK(client.is_closed());
}

TEST_CASE("H18: tricks in a path lead nowhere", "[http]") {
  TestServer server;
  const std::string path =
      GENERATE("/../etc/passwd", "/%2e%2e/etc/passwd", "/d/%2e%2e", "/d/..", "/d/%00", "//healthz",
               "/d/%c0%ae", "/healthz/", "/d/", "/api/documents/", "/api/documents/%2e%2e%2fa",
               "/assets/../index.html", "/\\healthz");
  const RawResponse response = ask(server.port(), get(path));
  CAPTURE(path, response.head);
  CHECK((response.status == 400 || response.status == 404));
}

TEST_CASE("a new document has a name that nobody can guess", "[http]") {
  TestServer server;
  const RawResponse first = ask(server.port(), post("Content-Length: 0\r\n"));
  const RawResponse second = ask(server.port(), post("Content-Length: 0\r\n"));
  CHECK(first.status == 201);
  CHECK(first.field("Location").starts_with("/api/documents/"));
  CHECK(first.field("Location").size() == std::string("/api/documents/").size() + 26);
  CHECK(first.body != second.body);
  // It comes to be with its first edit.
  CHECK(ask(server.port(), get(first.field("Location"))).status == 404);
  CHECK(ask(server.port(), get("/api/documents")).body == "{\"documents\":[],\"next\":null}\n");
}

TEST_CASE("a list's bounds are numbers", "[http]") {
  TestServer server;
  const std::string query =
      GENERATE("limit=x", "limit=-1", "limit=1001", "limit=1e3", "limit=", "limit=%zz");
  CAPTURE(query);
  CHECK(ask(server.port(), get("/api/documents?" + query)).status == 400);
}

TEST_CASE("U12: a foreign page can change nothing", "[http]") {
  TestServer server;
  CHECK(ask(server.port(), post("Origin: https://evil.example\r\n")).status == 403);
  CHECK(ask(server.port(), post("Origin: http://localhost\r\n")).status == 201);
}

TEST_CASE("a foreign name for this machine gets no answer from the API", "[http]") {
  TestServer server;
  CHECK(ask(server.port(), "GET /api/documents HTTP/1.1\r\nHost: evil.example\r\n\r\n").status ==
        421);
}

}  // namespace
}  // namespace palimpsest::testing
