// The names H1–H18 and W… are those of the catalogue of bad input that these tests go through.
#include "http/guard.hpp"

#include <string>

#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using server::http::GuardLimits;
using server::http::HeadScan;
using server::http::scan_head;

HeadScan scan(const std::string& bytes) { return scan_head(bytes, GuardLimits{}); }

// 0 when the guard has nothing against it.
unsigned refusal_of(const std::string& bytes) {
  const HeadScan head = scan(bytes);
  return head.refusal ? head.refusal->status : 0;
}

std::string request_with(const std::string& fields) {
  return "POST /api/documents HTTP/1.1\r\nHost: localhost:1234\r\n" + fields + "\r\n";
}

TEST_CASE("an ordinary request passes the guard", "[guard]") {
  const std::string head = request_with("Accept: */*\r\nX-Empty:\r\nContent-Length: 12\r\n");
  const HeadScan scanned = scan(head + "and the body");
  REQUIRE_FALSE(scanned.refusal);
  CHECK(scanned.head_bytes == head.size());
  CHECK(scanned.content_length == 12);
  CHECK_FALSE(scanned.chunked);
}

TEST_CASE("a chunked body is announced to the reader", "[guard]") {
  CHECK(scan(request_with("transfer-encoding: Chunked\r\n")).chunked);
}

TEST_CASE("a head that is not complete yet is neither passed nor refused", "[guard]") {
  const std::string head = request_with("Accept: */*\r\n");
  for (std::size_t length = 0; length < head.size(); ++length) {
    const HeadScan scanned = scan(head.substr(0, length));
    CAPTURE(length);
    CHECK_FALSE(scanned.refusal);
    CHECK(scanned.head_bytes == 0);
  }
}

TEST_CASE("a request whose framing is in doubt is refused", "[guard]") {
  const auto [name, fields, status] = GENERATE(table<std::string, std::string, unsigned>({
      {"H1: another transfer coding", "Transfer-Encoding: gzip\r\n", 501},
      {"H2: chunked and something", "Transfer-Encoding: chunked, identity\r\n", 400},
      {"H2: something and chunked", "Transfer-Encoding: gzip, chunked\r\n", 400},
      {"H2: two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"H2: an empty coding", "Transfer-Encoding:\r\n", 400},
      {"H4: both, length first", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400},
      {"H4: both, coding first", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400},
      {"H5: two equal lengths", "Content-Length: 3\r\nContent-Length: 3\r\n", 400},
      {"H5: a list of lengths", "Content-Length: 3, 3\r\n", 400},
      {"a signed length", "Content-Length: +3\r\n", 400},
      {"a negative length", "Content-Length: -1\r\n", 400},
      {"a hexadecimal length", "Content-Length: 0x10\r\n", 400},
      {"an empty length", "Content-Length: \r\n", 400},
      {"H15: a length over the limit", "Content-Length: 262145\r\n", 413},
      {"H15: a length over 64 bits", "Content-Length: 99999999999999999999\r\n", 413},
      {"H17: Expect", "Expect: 100-continue\r\n", 417},
  }));
  CAPTURE(name);
  CHECK(refusal_of(request_with(fields)) == status);
}

TEST_CASE("only an import may have a body of the size of an import", "[guard]") {
  GuardLimits limits;
  limits.body_bytes = 10;
  limits.upload_bytes = 1000;
  const auto head = [](const std::string& line) {
    return line + " HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n";
  };
  const HeadScan import = scan_head(head("POST /api/import?name=x"), limits);
  CHECK_FALSE(import.refusal);
  CHECK(import.is_upload);
  for (const char* line : {"POST /api/documents", "PUT /api/import", "POST /api/import/x"}) {
    CAPTURE(line);
    const HeadScan other = scan_head(head(line), limits);
    REQUIRE(other.refusal);
    CHECK(other.refusal->status == 413);
  }
}

TEST_CASE("a body of exactly the limit is announced without complaint", "[guard]") {
  CHECK(refusal_of(request_with("Content-Length: 262144\r\n")) == 0);
}

TEST_CASE("chunked is refused in HTTP/1.0", "[guard]") {
  CHECK(refusal_of("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

TEST_CASE("a request names its host exactly once", "[guard]") {
  const auto [fields, status] = GENERATE(table<std::string, unsigned>({
      {"Host: a\r\nHost: b\r\n", 400},
      {"Host: a\r\nhost: a\r\n", 400},
      {"", 400},
      {"Host:\r\n", 400},
      {"Host: a b\r\n", 400},
      {"Host: a/b\r\n", 400},
      {"Host: user@a\r\n", 400},
      {"Host: [::1]:1234\r\n", 0},
      {"Host: docs.example.org\r\n", 0},
  }));
  CAPTURE(fields);
  CHECK(refusal_of("GET / HTTP/1.1\r\n" + fields + "\r\n") == status);
}

TEST_CASE("HTTP/1.0 may leave out the host", "[guard]") {
  CHECK(refusal_of("GET / HTTP/1.0\r\n\r\n") == 0);
}

TEST_CASE("a field that a kinder parser would mend is refused", "[guard]") {
  const auto [name, fields] = GENERATE(table<std::string, std::string>({
      {"H7: a folded field", "X-A: 1\r\n 2\r\n"},
      {"H7: folded with a tab", "X-A: 1\r\n\t2\r\n"},
      {"H8: NUL in a value", std::string("X-A: 1\0002\r\n", 10)},
      {"H8: NUL in a name", std::string("X\0A: 1\r\n", 8)},
      {"H8: a bare LF", "X-A: 1\nX-B: 2\r\n"},
      {"H8: a bare CR", "X-A: 1\rX-B: 2\r\n"},
      {"H8: a space before the colon", "X-A : 1\r\n"},
      {"a name with a space", "X A: 1\r\n"},
      {"no name", ": 1\r\n"},
      {"no colon", "X-A\r\n"},
      {"an escape character", "X-A: \x1b[31m\r\n"},
      {"a DEL", "X-A: \x7f\r\n"},
  }));
  CAPTURE(name);
  CHECK(refusal_of(request_with(fields)) == 400);
}

TEST_CASE("text beyond ASCII is taken in a value", "[guard]") {
  CHECK(refusal_of(request_with("X-Name: Zo\xc3\xab\r\n")) == 0);
}

TEST_CASE("a request line is three words, of a form that URLs have", "[guard]") {
  const auto [line, status] = GENERATE(table<std::string, unsigned>({
      {"GET /", 400},
      {"GET", 400},
      {" GET / HTTP/1.1", 400},
      {"GET  / HTTP/1.1", 400},
      {"GET / HTTP/1.1 ", 400},
      {"GET\t/\tHTTP/1.1", 400},
      {"G@T / HTTP/1.1", 400},
      {"GET / HTTP/1", 400},
      {"GET / http/1.1", 400},
      {"GET / HTTP/x.1", 400},
      {"GET / HTTP/2.0", 505},
      {"GET / HTTP/1.2", 505},
      {"PRI * HTTP/2.0", 505},
      {"GET /a b HTTP/1.1", 400},
      {"GET /a\\b HTTP/1.1", 400},
      {"GET /a#b HTTP/1.1", 400},
      {"GET /<a> HTTP/1.1", 400},
      {"GET /Zo\xc3\xab HTTP/1.1", 400},
      {"GET a HTTP/1.1", 400},
      {"GET http://elsewhere/ HTTP/1.1", 400},
      {"TRACE / HTTP/1.1", 0},
      {"CONNECT a:1 HTTP/1.1", 0},
      {"OPTIONS * HTTP/1.1", 0},
      {"GET /a|b?c=%20&d=[e] HTTP/1.1", 0},
  }));
  CAPTURE(line);
  CHECK(refusal_of(line + "\r\nHost: a\r\n\r\n") == status);
}

TEST_CASE("an empty line in front of a request is refused", "[guard]") {
  CHECK(refusal_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
}

TEST_CASE("what is wrong is refused before the head is complete", "[guard]") {
  CHECK(refusal_of("GET / HTTP/1.1\nHost: a") == 400);
  CHECK(refusal_of(std::string("GET /\0", 6)) == 400);
}

TEST_CASE("H12: a hundred fields are taken, one more is not", "[guard]") {
  std::string fields;
  for (int i = 1; i < 100; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
  CHECK(refusal_of(request_with(fields)) == 0);  // with Host they are 100
  CHECK(refusal_of(request_with(fields + "X-100: 1\r\n")) == 431);
}

TEST_CASE("H13: a head of 8 KiB is taken, one byte more is not", "[guard]") {
  const std::size_t overhead = request_with("X-A: \r\n").size();
  const auto of_size = [&](std::size_t size) {
    return request_with("X-A: " + std::string(size - overhead, 'a') + "\r\n");
  };
  REQUIRE(of_size(8192).size() == 8192);
  CHECK(refusal_of(of_size(8192)) == 0);
  CHECK(refusal_of(of_size(8193)) == 431);
}

TEST_CASE("H13: a target without an end is refused as a target", "[guard]") {
  const std::string line = "GET /" + std::string(9000, 'a');
  CHECK(refusal_of(line.substr(0, 8192)) == 0);
  CHECK(refusal_of(line.substr(0, 8193)) == 414);
  CHECK(refusal_of(line + " HTTP/1.1\r\nHost: a\r\n\r\n") == 414);
}

}  // namespace
}  // namespace palimpsest::testing
