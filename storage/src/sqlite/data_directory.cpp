#include "sqlite/data_directory.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite/connection.hpp"
#include "sqlite/schema.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, std::string_view operation, std::string_view cause) {
  throw Error(Error::Kind::kUnavailable,
              path.string() + ": " + std::string(operation) + ": " + std::string(cause));
}

[[noreturn]] void fail_with_errno(const fs::path& path, std::string_view operation) {
  const int error = errno;
  const bool is_full = error == ENOSPC || error == EDQUOT;
  throw Error(is_full ? Error::Kind::kDiskFull : Error::Kind::kUnavailable,
              path.string() + ": " + std::string(operation) + ": " +
                  std::generic_category().message(error));
}

// A file descriptor, closed when it goes.
class File {
 public:
  File(const fs::path& path, int flags, std::string_view operation)
      : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) fail_with_errno(path, operation);
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int get() const noexcept { return descriptor_; }
  int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

fs::path beside(const fs::path& file, const char* suffix) { return file.string() + suffix; }

bool is_there(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return true;
  if (errno != ENOENT) fail_with_errno(path, "open");
  return false;
}

void remove_if_there(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_with_errno(path, "remove");
}

// A complete database of ours in `file`, which is an empty one before.
void build_database(const fs::path& file) {
  // SQLite gives its other files the mode of the database.
  { const File empty(file, O_WRONLY | O_CREAT | O_EXCL, "create"); }
  {
    Connection connection(file, Role::kWriter);
    connection.describe("create");
    // Before the write-ahead log is switched on: moving that into the database would be left to
    // closing, which cannot report that it failed.
    migrate(connection, migrations());
    connection.configure();
  }
  const File complete(file, O_RDONLY, "create");
  if (::fsync(complete.get()) != 0) fail_with_errno(file, "fsync");
}

std::string holder_of(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size() - 1, 0);
  const std::string_view digits(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t end = digits.find_first_not_of("0123456789");
  return std::string(digits.substr(0, end));
}

// For a message only, so that a full disk is no reason to fail: the lock is what counts.
void leave_name(int descriptor) {
  const std::string self = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) == 0) {
    static_cast<void>(::pwrite(descriptor, self.data(), self.size(), 0) == 0);
  }
}

}  // namespace

fs::path database_file(const fs::path& directory) { return directory / "palimpsest.db"; }

void ensure_directory(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0) return sync_directory(directory / "..");
  if (errno == ENOENT && directory.has_parent_path() && directory.parent_path() != directory) {
    ensure_directory(directory.parent_path());
    return ensure_directory(directory);
  }
  if (errno != EEXIST) fail_with_errno(directory, "create");
  if (!fs::is_directory(directory)) fail(directory, "open", "is not a directory");
}

void create_database_if_missing(const fs::path& directory) {
  const fs::path file = database_file(directory);
  if (is_there(file)) return;
  if (is_there(beside(file, "-wal"))) {
    fail(file, "open",
         "is missing, but its write-ahead log is there: put the database back beside it, or move "
         "the log away to start anew");
  }
  const fs::path unfinished = beside(file, ".new");
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    remove_if_there(beside(unfinished, suffix));
  }
  build_database(unfinished);
  if (::rename(unfinished.c_str(), file.c_str()) != 0) fail_with_errno(file, "create");
  sync_directory(directory);
}

void sync_directory(const fs::path& directory) {
  const File handle(directory, O_RDONLY | O_DIRECTORY, "open");
  if (::fsync(handle.get()) != 0) fail_with_errno(directory, "fsync");
}

DirectoryLock::DirectoryLock(const fs::path& directory) {
  const fs::path path = directory / "palimpsest.lock";
  File file(path, O_RDWR | O_CREAT, "open");
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail_with_errno(path, "lock");
    const std::string holder = holder_of(file.get());
    fail(directory, "open",
         "another server is running on it" + (holder.empty() ? "" : " (process " + holder + ")"));
  }
  leave_name(file.get());
  descriptor_ = file.release();
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace palimpsest::storage::sqlite
