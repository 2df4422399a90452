#include "http/target.hpp"

#include <string>

#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using namespace server::http;

TEST_CASE("a name comes back from its percent-encoding", "[target]") {
  const std::string name =
      GENERATE("plain", "with space", "a/b", "Zo\xc3\xab", "100%", "a?b#c&d+e", "\xf0\x9f\x93\x9c");
  const std::string encoded = percent_encode(name);
  CAPTURE(encoded);
  CHECK(encoded.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-._~%") == std::string::npos);
  CHECK(percent_decode(encoded) == name);
}

TEST_CASE("an escape that is none is refused", "[target]") {
  const std::string encoded = GENERATE("%", "%4", "a%", "%zz", "%4g", "%-1", "%%41");
  CAPTURE(encoded);
  CHECK_FALSE(percent_decode(encoded));
}

TEST_CASE("H18: bytes that are no UTF-8 are refused, overlong forms included", "[target]") {
  const std::string encoded = GENERATE("%c0%ae", "%ff", "%ed%a0%80", "%e0%80%af", "%c3");
  CAPTURE(encoded);
  CHECK_FALSE(percent_decode(encoded));
}

TEST_CASE("H18: an escape is decoded once", "[target]") {
  CHECK(percent_decode("%252e%252e") == "%2e%2e");
}

TEST_CASE("a target is a path and a query", "[target]") {
  CHECK(split_target("/a?b=1?c").path == "/a");
  CHECK(split_target("/a?b=1?c").query == "b=1?c");
  CHECK(split_target("/a").query.empty());
}

TEST_CASE("a query's parameters are decoded", "[target]") {
  const auto query = parse_query("ack=1&name=Zo%C3%AB+and+more&flag&=x&&last=a=b");
  REQUIRE(query);
  CHECK(*find_parameter(*query, "ack") == "1");
  CHECK(*find_parameter(*query, "name") == "Zo\xc3\xab and more");
  CHECK(find_parameter(*query, "flag")->empty());
  CHECK(*find_parameter(*query, "last") == "a=b");
  CHECK(find_parameter(*query, "none") == nullptr);
  CHECK_FALSE(parse_query("a=%zz"));
}

TEST_CASE("a document's name is 1 to 255 bytes of text", "[target]") {
  const auto [name, is_name] = GENERATE(table<std::string, bool>({
      {"a", true},
      {std::string(255, 'a'), true},
      {std::string(256, 'a'), false},
      {"", false},
      {"notes/2026/plan", true},
      {"https://example.org/page", true},
      {" spaces at the ends ", true},
      {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", true},
      {"\xf0\x9f\x93\x9c", true},
      {std::string("a\0b", 3), false},
      {"a\nb", false},
      {"a\x7f", false},
      {"a\xc2\x85", false},
      {"a\xc2\xa0", true},
      {"\xff", false},
      {".", false},
      {"..", false},
      {"../etc/passwd", false},
      {"a/../b", false},
      {"a/.", false},
      {"...", true},
      {".hidden", true},
  }));
  CAPTURE(name);
  CHECK(is_document_name(name) == is_name);
}

}  // namespace
}  // namespace palimpsest::testing
