#include "cli/reserve.hpp"

#include <cstdint>
#include <ostream>

#include "cli/files.hpp"
#include "config.hpp"
#include "storage/reserve.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::cli {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

void release(const Reserve& command, std::ostream& out) {
  const std::uint64_t bytes = storage::release_reserve(command.data);
  if (bytes == 0) throw InputError(command.data.string() + ": there is no reserve to release");
  out << "released " << bytes / kMiB
      << " MiB: find out what fills the disk, since the next server keeps a reserve again only "
         "where there is room for it\n";
}

}  // namespace

void run(const Reserve& command, std::ostream& out) {
  try {
    if (command.release) return release(command, out);
    const std::uint64_t bytes = storage::reserve_bytes(command.data);
    if (bytes == 0)
      out << "there is no reserve\n";
    else
      out << bytes / kMiB << " MiB are kept free; --release gives them back\n";
  } catch (const storage::Error& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace palimpsest::server::cli
