#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace palimpsest::storage {

// Wall clock of the server, to the millisecond.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

// RFC 3339, UTC, to the millisecond: 2026-11-21T10:00:00.000Z.
std::string format_time(Time time);

// Any RFC 3339 date and time with its offset; what is finer than a millisecond is cut off. A space
// may stand for the T. Nullopt for anything else.
std::optional<Time> parse_time(std::string_view text);

}  // namespace palimpsest::storage
