#pragma once

#include <filesystem>
#include <memory>

#include "storage/store.hpp"

namespace palimpsest::storage {

// Copies a store into one file, while a server may write to it.
//
// The copy is everything that was committed before the call and, of what is committed meanwhile,
// nothing: it is read in one snapshot over a connection that only reads, so that the server stays
// the only one who writes and checkpoints. The server is not held up; its write-ahead log is not
// cut down before the snapshot ends. The copy is written anew from the rows (VACUUM INTO): pages
// that are no longer used, and what was deleted in them, are not in it, and where the structure of
// the database is damaged there is no copy of it. A damaged payload is copied as it is.
//
// Home:   one thread.
// Errors: storage::Error; of the constructor for the store, of write_to() for the file mostly.
// Cost:   reading the database once, writing what is in use of it, and reading that once more.
class Backup {
 public:
  // Of DIR/palimpsest.db, which may have an older schema.
  explicit Backup(const std::filesystem::path& directory);
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  // Makes `file`, readable for its owner alone, which must not be there: a database that can take
  // the place of DIR/palimpsest.db. It is on disk and has passed SQLite's integrity check before it
  // gets its name; until then it is FILE.XXXXXX beside it, which is removed where the call throws
  // (and stays where the process is killed).
  void write_to(const std::filesystem::path& file);

 private:
  struct Source;
  std::unique_ptr<Source> source_;
};

}  // namespace palimpsest::storage
