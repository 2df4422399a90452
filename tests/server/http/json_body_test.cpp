#include "http/json_body.hpp"

#include <nlohmann/json.hpp>

#include "http/problem.hpp"
#include "support/catch.hpp"

namespace palimpsest::server::http {
namespace {

Request request_of(std::string body, std::string type = "application/json") {
  Request request;
  request.fields.emplace_back("content-type", std::move(type));
  request.body = std::move(body);
  return request;
}

// The status and detail of the refusal, or "taken".
std::string outcome_of(const Request& request) {
  try {
    json_body(request, {"name", "at"});
    return "taken";
  } catch (const Problem& problem) {
    return std::to_string(problem.status()) + " " + problem.what();
  }
}

TEST_CASE("a body is taken as a JSON object with the members that are known", "[json]") {
  const auto body = json_body(
      request_of(R"({"name": "é", "at": [1, {"x": null}]})", "Application/JSON; charset=x"),
      {"name", "at"});
  CHECK(text_member(body, "name", 10) == "é");
  CHECK(text_member_or_empty(body, "other", 10).empty());
}

TEST_CASE("H19: a body that is malformed, deep, doubled or of another type is refused", "[json]") {
  CHECK(outcome_of(request_of("{}", "text/plain")) == "415 the body must be application/json");
  CHECK(outcome_of(Request()) == "415 the body must be application/json");
  CHECK(outcome_of(request_of("")) == "400 the body is not JSON");
  CHECK(outcome_of(request_of("{")) == "400 the body is not JSON");
  CHECK(outcome_of(request_of("{} {}")) == "400 the body is not JSON");
  CHECK(outcome_of(request_of("{\"name\": 1e9999}")) == "400 the body is not JSON");
  CHECK(outcome_of(request_of("{\"name\": \"\xff\"}")) == "400 the body is not JSON");
  CHECK(outcome_of(request_of(R"({"name": "\ud800"})")) == "400 the body is not JSON");
  CHECK(outcome_of(request_of("[]")) == "400 the body must be an object");
  CHECK(outcome_of(request_of("7")) == "400 the body must be an object");
  CHECK(outcome_of(request_of(R"({"name": 1, "name": 2})")) == "400 the body names a member twice");
  CHECK(outcome_of(request_of(R"({"at": {"x": 1, "x": 2}})")) ==
        "400 the body names a member twice");
  CHECK(outcome_of(request_of(R"({"nmae": 1})")) ==
        "400 the body has a member that is none of name, at");
  CHECK(outcome_of(request_of(R"({"at": )" + std::string(31, '[') + std::string(31, ']') + "}")) ==
        "taken");
  CHECK(outcome_of(request_of(R"({"at": )" + std::string(32, '[') + std::string(32, ']') + "}")) ==
        "400 the body is nested too deeply");
  CHECK(outcome_of(request_of(std::string(200'000, '['))) == "400 the body is nested too deeply");
}

TEST_CASE("text in a body has a length and no control characters", "[json]") {
  const auto text = [](const std::string& value) {
    return text_member(json_body(request_of("{\"name\": " + value + "}"), {"name"}), "name", 5);
  };
  CHECK(text("\"12345\"") == "12345");
  CHECK_THROWS_AS(text("\"123456\""), Problem);
  CHECK_THROWS_AS(text("\"\""), Problem);
  CHECK_THROWS_AS(text("\"a\\nb\""), Problem);
  CHECK_THROWS_AS(text("5"), Problem);
}

}  // namespace
}  // namespace palimpsest::server::http
