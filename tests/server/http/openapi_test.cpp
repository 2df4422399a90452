// The description of the API says what the router has, no more and no less. That the answers are as
// it says: tests/interop/openapi.test.js.

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "http/assets.hpp"
#include "http/router.hpp"
#include "support/catch.hpp"

using namespace palimpsest;
using Json = nlohmann::json;
using Operations = std::set<std::string>;

namespace {

constexpr std::string_view kPath = "api/openapi.json";

Json description() {
  for (const server::Asset& asset : server::embedded_assets()) {
    if (asset.path == kPath) return Json::parse(asset.bytes.begin(), asset.bytes.end());
  }
  return nullptr;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

Operations described(const Json& description) {
  Operations all;
  for (const auto& [path, item] : description["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      if (method != "parameters") all.insert(upper(method) + " " + path);
    }
  }
  return all;
}

Operations routed() {
  // A file, for which there is no route of its own.
  Operations all = {"GET /" + std::string(kPath)};
  for (const auto& [method, path] : server::http::Router::routes()) {
    const bool is_page = !path.starts_with("/api/") && !path.ends_with("z");
    if (!is_page) all.insert(std::string(method) + " " + std::string(path));
  }
  return all;
}

// Every "$ref" below here.
void collect_references(const Json& part, std::set<std::string>& references) {
  if (part.is_object() && part.contains("$ref")) references.insert(part["$ref"]);
  if (part.is_structured()) {
    for (const Json& inner : part) collect_references(inner, references);
  }
}

}  // namespace

TEST_CASE("the OpenAPI document names every route of the API, and no other", "[openapi]") {
  CHECK(described(description()) == routed());
}

TEST_CASE("what the OpenAPI document refers to is in it, and all of that is used", "[openapi]") {
  const Json document = description();
  std::set<std::string> references;
  collect_references(document, references);
  for (const std::string& reference : references) {
    CAPTURE(reference);
    REQUIRE(reference.starts_with("#"));
    CHECK(document.contains(Json::json_pointer(reference.substr(1))));
  }
  for (const auto& [kind, parts] : document["components"].items()) {
    for (const auto& [name, part] : parts.items()) {
      CAPTURE(kind, name);
      CHECK(references.contains("#/components/" + kind + "/" + name));
    }
  }
}
