#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "config.hpp"

namespace palimpsest::server::cli {

// `palimpsest thin` and `palimpsest retention`: history that is thinned to bursts once, and for how
// long it is kept. By the server that runs on the data, or where none does, without one.
//
// Errors: InputError where there is no such document, ConfigError where the store cannot be used.

struct Thin {
  Config config;
  std::string document;
  std::uint32_t days = 0;
  bool dry_run = false;
  bool json = false;
};
// Says how many entries, bursts and bytes it was, or would be.
void run(const Thin& command, std::ostream& out);

struct RetentionCommand {
  Config config;
  std::string document;
  // What is to hold from now on: so many days, 0 for ever; an inner nullopt as for all others.
  // nullopt: it stays, and is said.
  std::optional<std::optional<std::uint32_t>> days;
  bool json = false;
};
void run(const RetentionCommand& command, std::ostream& out);

// "90d": so many days. nullopt for anything else, and for more than a century.
std::optional<std::uint32_t> parse_days(std::string_view text);

}  // namespace palimpsest::server::cli
