#include "http/upgrade.hpp"

#include <string>
#include <utility>
#include <vector>

#include "http/problem.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using namespace server::http;
using Fields = std::vector<std::pair<std::string, std::string>>;

Request handshake() {
  Request request;
  request.method = "GET";
  request.target = "/doc";
  request.fields = {{"Host", "localhost"},
                    {"Upgrade", "websocket"},
                    {"Connection", "keep-alive, Upgrade"},
                    {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                    {"Sec-WebSocket-Version", "13"}};
  return request;
}

// The status of the refusal, 0 when there is none.
unsigned check(const Request& request, bool is_http_1_1 = true, const HeadScan& head = {}) {
  try {
    check_websocket_handshake(request, is_http_1_1, head);
    return 0;
  } catch (const Problem& problem) {
    return problem.status();
  }
}

Request with(const std::string& name, const std::string& value) {
  Request request = handshake();
  for (auto& [field, old_value] : request.fields)
    if (field == name) old_value = value;
  return request;
}

Request without(const std::string& name) {
  Request request = handshake();
  std::erase_if(request.fields, [&](const auto& field) { return field.first == name; });
  return request;
}

Request with_another(const std::string& name, const std::string& value) {
  Request request = handshake();
  request.fields.emplace_back(name, value);
  return request;
}

TEST_CASE("the handshake of a browser is taken", "[upgrade]") {
  CHECK(check(handshake()) == 0);
  CHECK(check(with("Upgrade", "WebSocket")) == 0);
  CHECK(check(with("Connection", "upgrade")) == 0);
}

TEST_CASE("W16: a handshake without one of its fields is refused", "[upgrade]") {
  const std::string field =
      GENERATE("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version");
  CAPTURE(field);
  CHECK(check(without(field)) == 400);
}

TEST_CASE("W16: a handshake with one of its fields twice is refused", "[upgrade]") {
  const auto [field, value] = GENERATE(table<std::string, std::string>({
      {"upgrade", "websocket"},
      {"connection", "Upgrade"},
      {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
      {"sec-websocket-version", "13"},
  }));
  CAPTURE(field);
  CHECK(check(with_another(field, value)) == 400);
}

TEST_CASE("W16: another version is told which one there is", "[upgrade]") {
  const std::string version = GENERATE("8", "12", "14", "013", "13, 8", "");
  CAPTURE(version);
  try {
    check_websocket_handshake(with("Sec-WebSocket-Version", version), true, {});
    FAIL("not refused");
  } catch (const Problem& problem) {
    const Response response = problem.response();
    CHECK(response.status == 426);
    CHECK(std::count(response.fields.begin(), response.fields.end(),
                     std::pair<std::string, std::string>("Sec-WebSocket-Version", "13")) == 1);
  }
}

TEST_CASE("W16: a key that is not 16 bytes is refused", "[upgrade]") {
  const std::string key = GENERATE("", "short", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25j",
                                   "dGhlIHNhbXBsZSBub25jZQ==dGhl", "!!!!!!!!!!!!!!!!!!!!!!==");
  CAPTURE(key);
  CHECK(check(with("Sec-WebSocket-Key", key)) == 400);
}

TEST_CASE("W16: a handshake is a GET of HTTP/1.1 without a body", "[upgrade]") {
  Request post = handshake();
  post.method = "POST";
  CHECK(check(post) == 400);
  CHECK(check(handshake(), false) == 400);
  CHECK(check(handshake(), true, {.chunked = true}) == 400);
  CHECK(check(handshake(), true, {.content_length = 1}) == 400);
}

TEST_CASE("an upgrade to something else is no WebSocket handshake", "[upgrade]") {
  CHECK(asks_for_websocket(handshake()));
  CHECK_FALSE(asks_for_websocket(without("Upgrade")));
  CHECK_FALSE(asks_for_websocket(with("Upgrade", "h2c")));
}

}  // namespace
}  // namespace palimpsest::testing
