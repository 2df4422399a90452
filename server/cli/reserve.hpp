#pragma once

#include <filesystem>
#include <iosfwd>

namespace palimpsest::server::cli {

// `palimpsest reserve`: the room that a server keeps free on the disk (storage/reserve.hpp), also
// while one runs: with it given back, what waits is saved within a second or two.
struct Reserve {
  std::filesystem::path data;
  bool release = false;
};

// Prints how much there is, or was. Throws InputError where there is none to be released,
// ConfigError where the directory cannot be looked at.
void run(const Reserve& command, std::ostream& out);

}  // namespace palimpsest::server::cli
