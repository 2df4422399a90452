#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.hpp"

namespace palimpsest::storage {

// A file is no backup that can be put back. what() is one line; findings() says more where its
// content is damaged.
class BadBackup : public std::runtime_error {
 public:
  BadBackup(const std::string& what, std::vector<Finding> findings)
      : std::runtime_error(what), findings_(std::move(findings)) {}
  const std::vector<Finding>& findings() const noexcept { return findings_; }

 private:
  std::vector<Finding> findings_;
};

struct Restored {
  std::size_t documents = 0;
  std::uint64_t updates = 0;
  std::filesystem::path set_aside;  // what was there before; empty where nothing was
  // Of what was there before could not be read, so that a client with a copy of it may not be told
  // that the document is another one now: a sentence each.
  std::vector<std::string> doubts;
};

// Puts a backup in the place of DIR/palimpsest.db, which is made where it is missing. No server may
// run on the directory.
//
// The backup is copied beside the database, brought up to date and verified as a whole (Reader::
// verify()) before anything else happens. What was there stays, under another name
// (palimpsest.db.before-restore-TIME); one rename decides, so that a kill at any point leaves the
// one store or the other.
//
// The generation of each document becomes one more than the larger of the backup's and of what is
// replaced, and what clients may have of the latter that is not in the backup is noted as lost
// (storage/lost_clocks.hpp). Both also for documents that the backup does not have.
//
// Errors: BadBackup; Error for the directory (kUnavailable: a server runs on it) and the disk. The
//         store is as it was then.
// Cost:   the backup once more on disk; replaying the backup, and loading each document of what is
//         replaced.
Restored restore(const std::filesystem::path& directory, const std::filesystem::path& backup,
                 Time now);

}  // namespace palimpsest::storage
