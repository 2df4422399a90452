#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "config.hpp"
#include "http/message.hpp"

namespace palimpsest::server::cli {

// One call of the HTTP API by who owns the data: to the server that runs on it, or, where none
// does, to one in this process that is there for this call only. Throws ConfigError where neither
// can be had.
http::Response call_api(const Config& config, http::Request request);

// The same with JSON there and back; null is no body. Throws InputError with what the answer says
// where the request is refused (4xx), ConfigError where it cannot be served (5xx).
nlohmann::ordered_json call_api(const Config& config, std::string method, std::string target,
                                const nlohmann::ordered_json& body);

// "/api/documents/NAME" and what follows.
std::string document_target(const std::string& name, const std::string& rest);

}  // namespace palimpsest::server::cli
