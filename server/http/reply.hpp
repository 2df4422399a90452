#pragma once

#include <cstddef>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "http/message.hpp"
#include "http/target.hpp"

namespace palimpsest::server::http {

// What the resources of the API have in common.

// JSON that is not kept by caches.
Response json_response(unsigned status, const nlohmann::ordered_json& body);

// A parameter of the query that is a number, `fallback` where it is not there. Throws Problem.
std::size_t number_parameter(const Query& query, std::string_view name, std::size_t fallback,
                             std::size_t max);

}  // namespace palimpsest::server::http
