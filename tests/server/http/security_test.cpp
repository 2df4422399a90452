#include "http/security.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "http/problem.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using namespace server::http;

Random counting() {
  return [next = static_cast<unsigned char>(0)](std::span<unsigned char> bytes) mutable {
    for (unsigned char& byte : bytes) byte = next++;
  };
}

TEST_CASE("a token has all 128 bits", "[security]") {
  const Random zeros = [](std::span<unsigned char> bytes) {
    std::fill(bytes.begin(), bytes.end(), static_cast<unsigned char>(0));
  };
  CHECK(random_token(zeros) == std::string(26, '0'));

  // Each bit alone makes a token of its own.
  std::set<std::string> tokens;
  for (std::size_t bit = 0; bit < 128; ++bit)
    tokens.insert(random_token([&](std::span<unsigned char> bytes) {
      std::fill(bytes.begin(), bytes.end(), static_cast<unsigned char>(0));
      bytes[bit / 8] = static_cast<unsigned char>(1u << (bit % 8));
    }));
  CHECK(tokens.size() == 128);
}

TEST_CASE("a token can stand in a path as it is", "[security]") {
  const std::string token = random_token(counting());
  CHECK(token.size() == 26);
  CHECK(std::all_of(token.begin(), token.end(),
                    [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); }));
}

TEST_CASE("S21: a page may load nothing but its own", "[security]") {
  const std::string policy = page_policy("abc", "docs.example.org:8080");
  CHECK(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-abc';"));
  CHECK(policy.find("connect-src 'self' ws://docs.example.org:8080 wss://docs.example.org:8080;") !=
        std::string::npos);
  CHECK(policy.find("frame-ancestors 'none'; base-uri 'none'; form-action 'none'") !=
        std::string::npos);
  CHECK(policy.find("unsafe") == std::string::npos);
}

TEST_CASE("a problem says what it is without repeating the request", "[problem]") {
  const Response response = Problem(404, "there is nothing here").response();
  CHECK(response.status == 404);
  CHECK(
      response.body ==
      R"({"type":"about:blank","title":"Not Found","status":404,"detail":"there is nothing here"})"
      "\n");
}

}  // namespace
}  // namespace palimpsest::testing
