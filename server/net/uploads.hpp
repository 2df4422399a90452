#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>

#include "transfer/temporary_file.hpp"

namespace palimpsest::server::net {

// Files for bodies that are too large for memory, a few at a time: each may take a lot of the disk.
//
// Home:     any thread.
// Lifetime: longer than its files.
class Uploads {
 public:
  static constexpr std::size_t kAtOnce = 4;

  explicit Uploads(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Null where there are too many. Throws std::filesystem::filesystem_error.
  std::shared_ptr<TemporaryFile> open();

 private:
  const std::filesystem::path directory_;
  std::atomic<std::size_t> open_ = 0;
};

}  // namespace palimpsest::server::net
