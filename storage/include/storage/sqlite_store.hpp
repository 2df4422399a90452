#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "storage/store.hpp"

namespace palimpsest::storage {

enum class Access {
  kReadWrite,  // creates the directory and the database where they are missing; takes the lock
  kReadOnly,   // for tools that look at a store while a server may run on it
};

// Where a store may be that is written to.
enum class Disks {
  kLocal,
  kAny,  // also on a network file system, where what is acknowledged can be lost
};

// Opens DIR/palimpsest.db. Throws Error (kUnavailable): no such directory (read-only), another
// server on it, not a database of ours, a schema newer than this program, a disk that is none of
// `disks` (read and write).
std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& directory, Access access,
                                         Disks disks = Disks::kLocal);

// The version of the SQLite library in this program, for the log.
std::string_view sqlite_version() noexcept;

}  // namespace palimpsest::storage
