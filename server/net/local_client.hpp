#pragma once

#include <filesystem>
#include <optional>

#include "http/message.hpp"

namespace palimpsest::server::net {

// Asks the server that runs on this data directory, and waits for as long as it takes; nullopt
// where none does. Throws boost::system::system_error where one does and the answer does not come.
std::optional<http::Response> ask_local_server(const std::filesystem::path& data,
                                               const http::Request& request);

}  // namespace palimpsest::server::net
