#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace palimpsest::server {

// A file of its own in a directory, for the owner alone, which goes when this does. One that a
// process left behind when it was killed is called upload-XXXXXX.
//
// Home:   one thread at a time.
// Errors: std::filesystem::filesystem_error.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& directory);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  // Behind what was written before.
  void write(std::span<const std::uint8_t> bytes);
  // As much as there is from that place on.
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const;

  // Removes what was left behind in the directory, which nobody else may be using.
  static void remove_remains(const std::filesystem::path& directory);

 private:
  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace palimpsest::server
