#include "transfer/temporary_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace palimpsest::server {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "upload-";

[[noreturn]] void fail(const fs::path& path) {
  throw fs::filesystem_error("a temporary file", path,
                             std::error_code(errno, std::generic_category()));
}

}  // namespace

TemporaryFile::TemporaryFile(const fs::path& directory) {
  std::string name = (directory / (std::string(kPrefix) + "XXXXXX")).string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);  // mode 0600
  if (descriptor_ < 0) fail(directory);
  path_ = name;
}

TemporaryFile::~TemporaryFile() {
  ::close(descriptor_);
  ::unlink(path_.c_str());
}

void TemporaryFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    size_ += static_cast<std::uint64_t>(count);
  }
}

std::size_t TemporaryFile::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  std::size_t taken = 0;
  while (taken < into.size()) {
    const ssize_t count = ::pread(descriptor_, into.data() + taken, into.size() - taken,
                                  static_cast<off_t>(offset + taken));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_);
    if (count == 0) break;
    taken += static_cast<std::size_t>(count);
  }
  return taken;
}

void TemporaryFile::remove_remains(const fs::path& directory) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    const bool is_ours = entry.path().filename().string().starts_with(kPrefix);
    if (is_ours && entry.is_regular_file(ignored)) fs::remove(entry.path(), ignored);
  }
}

}  // namespace palimpsest::server
