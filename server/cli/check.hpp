#pragma once

#include <filesystem>
#include <iosfwd>

namespace palimpsest::server::cli {

// `palimpsest check`: reads the whole store, while a server may run on it, and says what is wrong.
struct Check {
  std::filesystem::path data;
  bool json = false;
};

// Prints a line for each finding (what, where, cause), or how much there is and that all of it is
// well. Answers whether it is. Throws ConfigError where the store cannot be used.
bool run(const Check& command, std::ostream& out);

}  // namespace palimpsest::server::cli
