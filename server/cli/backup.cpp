#include "cli/backup.hpp"

#include <optional>

#include "cli/files.hpp"
#include "config.hpp"
#include "storage/backup.hpp"

namespace palimpsest::server::cli {

void run(const Backup& command) {
  std::optional<storage::Backup> backup;
  try {
    backup.emplace(command.data);
  } catch (const storage::Error& error) {
    throw ConfigError(error.what());
  }
  try {
    backup->write_to(command.file);
  } catch (const storage::Error& error) {
    // Damage in the store comes to light only when it is read.
    if (error.kind() == storage::Error::Kind::kCorrupt) throw ConfigError(error.what());
    throw InputError(error.what());
  }
}

}  // namespace palimpsest::server::cli
