#include "http/origin.hpp"

#include <string>

#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using server::http::is_host_expected;
using server::http::is_origin_allowed;
using server::http::OriginPolicy;

const OriginPolicy kPublic{{"https://wiki.example.org"}, false};
const OriginPolicy kLoopback{{"https://wiki.example.org"}, true};

bool allows(const OriginPolicy& policy, const std::string& origin, const std::string& host) {
  return is_origin_allowed(&origin, host, policy);
}

TEST_CASE("a tool that names no origin may connect", "[origin]") {
  CHECK(is_origin_allowed(nullptr, "docs.example.org", kPublic));
}

TEST_CASE("a page may connect to the server it came from", "[origin]") {
  CHECK(allows(kPublic, "https://docs.example.org", "docs.example.org"));
  CHECK(allows(kPublic, "http://docs.example.org:8080", "docs.example.org:8080"));
  CHECK(allows(kPublic, "http://[2001:db8::1]:1234", "[2001:db8::1]:1234"));
}

TEST_CASE("U8: a foreign page may not connect", "[origin]") {
  const std::string origin =
      GENERATE("https://evil.example", "null", "", "file://", "docs.example.org",
               "https://docs.example.org.evil.example", "https://docs.example.org:444",
               "chrome-extension://docs.example.org", "http://localhost:5173");
  CAPTURE(origin);
  CHECK_FALSE(allows(kPublic, origin, "docs.example.org"));
}

TEST_CASE("a page of a site that the operator named may connect", "[origin]") {
  CHECK(allows(kPublic, "https://wiki.example.org", "docs.example.org"));
  CHECK_FALSE(allows(kPublic, "http://wiki.example.org", "docs.example.org"));
}

TEST_CASE("on loopback a page from another port of this machine may connect", "[origin]") {
  const std::string origin = GENERATE("http://localhost:5173", "http://127.0.0.1:8080",
                                      "http://[::1]:3000", "http://app.localhost");
  CAPTURE(origin);
  CHECK(allows(kLoopback, origin, "127.0.0.1:1234"));
}

TEST_CASE("on loopback a page from elsewhere may not connect", "[origin]") {
  const std::string origin =
      GENERATE("https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.nip.io");
  CAPTURE(origin);
  CHECK_FALSE(allows(kLoopback, origin, "127.0.0.1:1234"));
}

TEST_CASE("a foreign name for this machine is not taken for its own", "[origin]") {
  const auto [host, is_expected] = GENERATE(table<std::string, bool>({
      {"localhost:1234", true},
      {"127.0.0.1:1234", true},
      {"[::1]:1234", true},
      {"192.168.1.7:1234", true},
      {"workstation:1234", true},
      {"app.localhost:1234", true},
      {"wiki.example.org", true},
      {"evil.example:1234", false},
      {"127.0.0.1.evil.example", false},
  }));
  CAPTURE(host);
  CHECK(is_host_expected(host, kLoopback) == is_expected);
  CHECK(is_host_expected(host, kPublic));  // whoever serves the public has a name
}

}  // namespace
}  // namespace palimpsest::testing
