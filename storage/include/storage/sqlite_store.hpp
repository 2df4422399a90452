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

// Opens DIR/palimpsest.db. Throws Error (kUnavailable): no such directory (read-only), another
// server on it, not a database of ours, a schema newer than this program.
std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& directory, Access access);

// The version of the SQLite library in this program, for the log.
std::string_view sqlite_version() noexcept;

}  // namespace palimpsest::storage
