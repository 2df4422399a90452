#include "http/upgrade.hpp"

#include <algorithm>

#include "http/problem.hpp"

namespace palimpsest::server::http {
namespace {

bool has_list_member(std::string_view list, std::string_view member) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trim_whitespace(list.substr(0, end)), member)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// Throws when the field is missing or there twice.
const std::string& only_value(const Request& request, std::string_view name, const char* problem) {
  const auto is_it = [&](const auto& field) { return equals_ignoring_case(field.first, name); };
  if (std::count_if(request.fields.begin(), request.fields.end(), is_it) != 1)
    throw Problem(400, problem);
  return *request.find(name);
}

// Base64 of 16 bytes: 22 digits, the last of which carries 2 bits, and "==".
bool is_websocket_key(std::string_view key) {
  const auto is_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.begin() + 22, is_digit);
}

}  // namespace

bool asks_for_websocket(const Request& request) {
  return std::any_of(request.fields.begin(), request.fields.end(), [](const auto& field) {
    return equals_ignoring_case(field.first, "upgrade") &&
           has_list_member(field.second, "websocket");
  });
}

void check_websocket_handshake(const Request& request, bool is_http_1_1, const HeadScan& head) {
  if (request.method != "GET") throw Problem(400, "a WebSocket handshake is a GET");
  if (!is_http_1_1) throw Problem(400, "a WebSocket handshake needs HTTP/1.1");
  if (head.chunked || head.content_length > 0)
    throw Problem(400, "a WebSocket handshake has no body");
  if (!equals_ignoring_case(only_value(request, "upgrade", "Upgrade must be there once"),
                            "websocket"))
    throw Problem(400, "Upgrade must be \"websocket\"");
  if (!has_list_member(only_value(request, "connection", "Connection must be there once"),
                       "upgrade"))
    throw Problem(400, "Connection must be \"Upgrade\"");
  if (only_value(request, "sec-websocket-version", "Sec-WebSocket-Version must be there once") !=
      "13")
    throw Problem(426, "the only WebSocket version spoken here is 13")
        .with("Sec-WebSocket-Version", "13");
  if (!is_websocket_key(
          only_value(request, "sec-websocket-key", "Sec-WebSocket-Key must be there once")))
    throw Problem(400, "Sec-WebSocket-Key is not 16 bytes in base64");
}

}  // namespace palimpsest::server::http
