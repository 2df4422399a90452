#include "http/static_files.hpp"

#include <array>
#include <string>
#include <string_view>

#include "http/problem.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using namespace server;
using namespace server::http;

std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

const std::array<Asset, 3> kAssets = {{
    {"assets/index-4f2a91c0.js", "text/javascript; charset=utf-8", "\"e1\"", bytes_of("js"), true},
    {"favicon.svg", "image/svg+xml", "\"e2\"", bytes_of("svg"), false},
    {"index.html", "text/html; charset=utf-8", "\"e3\"",
     bytes_of("<meta name=\"csp-nonce\" content=\"__CSP_NONCE__\">"), false},
}};

StaticFiles files() {
  return {kAssets, [next = static_cast<unsigned char>(0)](std::span<unsigned char> bytes) mutable {
            for (unsigned char& byte : bytes) byte = next++;
          }};
}

std::string field_of(const Response& response, std::string_view name) {
  for (const auto& [field, value] : response.fields)
    if (field == name) return value;
  return "";
}

TEST_CASE("a file whose name has its hash may be kept for ever", "[static]") {
  const auto response = files().find("assets/index-4f2a91c0.js", Request{});
  REQUIRE(response);
  CHECK(field_of(*response, "Content-Type") == "text/javascript; charset=utf-8");
  CHECK(field_of(*response, "Cache-Control") == "public, max-age=31536000, immutable");
  CHECK(response->static_body.size() == 2);
}

TEST_CASE("another file is asked for again, and not sent when it has not changed", "[static]") {
  Request request;
  request.fields = {{"If-None-Match", "\"other\", W/\"e2\""}};
  const auto response = files().find("favicon.svg", request);
  REQUIRE(response);
  CHECK(response->status == 304);
  CHECK(response->static_body.empty());
  CHECK(field_of(*response, "Cache-Control") == "no-cache");
  CHECK(field_of(*response, "ETag") == "\"e2\"");
}

TEST_CASE("there is nothing but what is in the table", "[static]") {
  const std::string path = GENERATE("", "assets", "assets/", "../index.html", "/etc/passwd",
                                    "favicon.svg/", "FAVICON.SVG");
  CAPTURE(path);
  CHECK_FALSE(files().find(path, Request{}));
}

TEST_CASE("each page has a nonce of its own, the same in its policy", "[static]") {
  const StaticFiles served = files();
  const auto page = served.page(Request{});
  const auto again = served.page(Request{});
  const std::string nonce =
      field_of(page, "Content-Security-Policy")
          .substr(field_of(page, "Content-Security-Policy").find("'nonce-") + 7, 26);
  CHECK(page.body == "<meta name=\"csp-nonce\" content=\"" + nonce + "\">");
  CHECK(page.body != again.body);
  CHECK(field_of(page, "Cache-Control") == "no-store");
}

TEST_CASE("a program without the web client says so", "[static]") {
  const StaticFiles none({}, [](std::span<unsigned char>) {});
  CHECK_THROWS_AS(none.page(Request{}), Problem);
}

}  // namespace
}  // namespace palimpsest::testing
