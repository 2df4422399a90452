#pragma once

#include <filesystem>

namespace palimpsest::server::cli {

// `palimpsest backup`: the whole store as one new file, while a server may run on it. See
// storage::Backup for what is in it.
struct Backup {
  std::filesystem::path data;
  std::filesystem::path file;
};

// Throws ConfigError where the store cannot be used, InputError where the file is there already or
// cannot be written; then nothing of it is left.
void run(const Backup& command);

}  // namespace palimpsest::server::cli
