#include "storage/reserve.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "storage/store.hpp"

namespace palimpsest::storage {
namespace {

namespace fs = std::filesystem;

fs::path reserve_file(const fs::path& directory) { return directory / "palimpsest.reserve"; }

[[noreturn]] void fail(const fs::path& path, const char* operation, int error) {
  throw Error(Error::Kind::kUnavailable,
              path.string() + ": " + operation + ": " + std::generic_category().message(error));
}

std::uint64_t free_bytes(const fs::path& directory) {
  struct statvfs disk {};
  if (::statvfs(directory.c_str(), &disk) != 0) fail(directory, "look for room", errno);
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

// 0, or why not.
int set_aside(const fs::path& file, std::uint64_t bytes) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return errno;
  const int error = ::fallocate(descriptor, 0, 0, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  ::close(descriptor);
  if (error != 0) ::unlink(file.c_str());
  return error;
}

}  // namespace

Reserve keep_reserve(const fs::path& directory, std::uint64_t bytes) {
  if (bytes > 0 && reserve_bytes(directory) == bytes) return Reserve::kThere;
  release_reserve(directory);
  if (bytes == 0) return Reserve::kThere;
  if (free_bytes(directory) / kReserveShare < bytes) return Reserve::kNoRoom;
  const fs::path file = reserve_file(directory);
  switch (const int error = set_aside(file, bytes)) {
    case 0:
      return Reserve::kThere;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Reserve::kNoRoom;
    case EOPNOTSUPP:
    case ENOSYS:
      return Reserve::kNotPossible;
    default:
      fail(file, "set room aside", error);
  }
}

std::uint64_t reserve_bytes(const fs::path& directory) {
  const fs::path file = reserve_file(directory);
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) {
    if (errno == ENOENT) return 0;
    fail(file, "look at", errno);
  }
  constexpr std::uint64_t kBlock = 512;  // of st_blocks, whatever the file system's is
  return std::min(static_cast<std::uint64_t>(status.st_size),
                  static_cast<std::uint64_t>(status.st_blocks) * kBlock);
}

std::uint64_t release_reserve(const fs::path& directory) {
  const std::uint64_t bytes = reserve_bytes(directory);
  const fs::path file = reserve_file(directory);
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) fail(file, "remove", errno);
  return bytes;
}

}  // namespace palimpsest::storage
