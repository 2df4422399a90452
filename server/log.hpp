#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <spdlog/fwd.h>

namespace palimpsest::server {

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

// Where the server says what happens, one line each on standard error, with the time in UTC.
//
// Control characters in a message are escaped, so that nobody can forge a line. Never logged: text
// of documents, tokens, query strings.
//
// Home:  any thread. Lines go through a queue with a thread of its own; when whoever reads standard
//        error is too slow the oldest are dropped and nobody waits.
// Lifetime: what is queued is written when the last owner goes.
std::shared_ptr<spdlog::logger> make_logger(LogLevel level, LogFormat format);

// The message without anything that could end its line or change the terminal: \n as "\n", other
// control characters as "\x1b". UTF-8 stays as it is.
std::string escape_controls(std::string_view message);

}  // namespace palimpsest::server
