#pragma once

#include <filesystem>

namespace palimpsest::storage::sqlite {

// The directory that holds one store, and the files in it:
//
//   palimpsest.db            the database; -wal and -shm beside it are SQLite's
//   palimpsest.db.new        one that is being created, until it is complete
//   palimpsest.db.restoring  a backup that is being put back, until it is palimpsest.db
//   palimpsest.db.before-restore-…   what was there before
//   palimpsest.db.before-version-…   what was there before it was brought up to date
//   palimpsest.reserve       room for when the disk is full (storage/reserve.hpp)
//   palimpsest.lock          held by the process that may write; never deleted
std::filesystem::path database_file(const std::filesystem::path& directory);

// Creates the directory, for the owner's eyes only, where it is missing.
// Throws Error (kUnavailable) where it can't be.
void ensure_directory(const std::filesystem::path& directory);

// Puts an empty database with the newest schema there if there is no database at all, so that an
// interrupted creation leaves nothing under the final name. Throws Error (kUnavailable) for what
// looks like the remains of a store: it never starts empty beside somebody's data.
void create_database_if_missing(const std::filesystem::path& directory);

// Makes the names in a directory as durable as what is in the files.
void sync_directory(const std::filesystem::path& directory);

// Keeps a second server out for as long as it lives (flock: released by the kernel however the
// process ends). Throws Error (kUnavailable) at once when another process has it.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace palimpsest::storage::sqlite
