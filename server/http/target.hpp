#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palimpsest::server::http {

// A request's target in its parts: the path still percent-encoded, the query as it came.
struct Target {
  std::string_view path;
  std::string_view query;  // without '?'; never logged: it may hold a token
};

Target split_target(std::string_view target);

// RFC 3986 §2.1, strictly: nullopt for a '%' without two hex digits, and for bytes that are no
// UTF-8 when decoded (so that overlong forms of '/' and '.' go nowhere).
std::optional<std::string> percent_decode(std::string_view encoded);

// Everything but RFC 3986's unreserved characters is escaped; so a name is one path segment.
std::string percent_encode(std::string_view text);

// The parameters of a query in order, decoded; '+' is a space. nullopt when one does not decode.
using Query = std::vector<std::pair<std::string, std::string>>;
std::optional<Query> parse_query(std::string_view query);
const std::string* find_parameter(const Query& query, std::string_view name);

// 1–255 bytes of UTF-8 without control characters. "." and ".." as a segment are refused too: no
// browser could ask for them, and they are only ever a trick.
bool is_document_name(std::string_view name);

}  // namespace palimpsest::server::http
