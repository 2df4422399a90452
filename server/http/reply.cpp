#include "http/reply.hpp"

#include <charconv>
#include <string>

#include <nlohmann/json.hpp>

#include "http/problem.hpp"

namespace palimpsest::server::http {

Response json_response(unsigned status, const nlohmann::ordered_json& body) {
  Response response;
  response.status = status;
  response.set("Content-Type", "application/json");
  response.set("Cache-Control", "no-store");
  // Names are checked before they are stored, but a reader of the list must not depend on it.
  response.body =
      body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return response;
}

std::size_t number_parameter(const Query& query, std::string_view name, std::size_t fallback,
                             std::size_t max) {
  const std::string* text = find_parameter(query, name);
  if (!text) return fallback;
  std::size_t number = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end || number > max)
    throw Problem(400, std::string(name) + " must be a number up to " + std::to_string(max));
  return number;
}

}  // namespace palimpsest::server::http
