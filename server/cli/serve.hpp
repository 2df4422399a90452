#pragma once

#include "config.hpp"

namespace palimpsest::server::cli {

// `palimpsest serve`: the server, until it is told to stop. Answers the exit status. Throws
// UsageError and ConfigError before anything has started.
int serve(const Flags& flags);

}  // namespace palimpsest::server::cli
