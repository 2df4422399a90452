#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "http/message.hpp"

namespace palimpsest::server::http {

// The body of a request as a JSON object (RFC 8259). Throws Problem: 415 for another type, 400 for
// what is malformed, no object, nested deeper than 32, names a member twice or is not UTF-8, and
// for a member that is not among `members`.
nlohmann::ordered_json json_body(const Request& request,
                                 std::initializer_list<std::string_view> members);

// A member that is text of 1 to `most_bytes` bytes, whatever characters. Throws Problem.
std::string text_of_member(const nlohmann::ordered_json& body, std::string_view name,
                           std::size_t most_bytes);
// A member that is text of 1 to `most_bytes` bytes without control characters. Throws Problem.
std::string text_member(const nlohmann::ordered_json& body, std::string_view name,
                        std::size_t most_bytes);
// The same, "" where it is not there.
std::string text_member_or_empty(const nlohmann::ordered_json& body, std::string_view name,
                                 std::size_t most_bytes);

// A member that is a number of days. Throws Problem.
std::uint32_t days_member(const nlohmann::ordered_json& body, std::string_view name);

}  // namespace palimpsest::server::http
