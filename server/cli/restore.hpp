#pragma once

#include <filesystem>
#include <iosfwd>

namespace palimpsest::server::cli {

// `palimpsest restore`: a backup in the place of the store, while no server runs on it. See
// storage::restore() for what becomes of what was there.
struct Restore {
  std::filesystem::path data;
  std::filesystem::path file;
};

// Prints what was put back and where the rest is, and to `doubts` what could not be found out.
// Throws InputError for what is no sound backup, ConfigError where the directory cannot be used;
// the store is as it was then.
void run(const Restore& command, std::ostream& out, std::ostream& doubts);

}  // namespace palimpsest::server::cli
