#include "storage/backup.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite/connection.hpp"
#include "sqlite/data_directory.hpp"
#include "sqlite/schema.hpp"
#include "sqlite/statement.hpp"

namespace palimpsest::storage {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& file, const std::string& cause,
                       Error::Kind kind = Error::Kind::kUnavailable) {
  throw Error(kind, file.string() + ": backup: " + cause);
}

[[noreturn]] void fail_with_errno(const fs::path& file) {
  const int error = errno;
  const bool is_full = error == ENOSPC || error == EDQUOT;
  fail(file, std::generic_category().message(error),
       is_full ? Error::Kind::kDiskFull : Error::Kind::kIo);
}

bool is_there(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return true;
  if (errno != ENOENT) fail_with_errno(path);
  return false;
}

void refuse_what_is_there(const fs::path& file) {
  if (is_there(file)) fail(file, "is there already, and is left as it is");
  for (const char* suffix : {"-wal", "-journal"}) {
    const fs::path remains = file.string() + suffix;
    if (is_there(remains)) fail(remains, "is there, and would be taken for a part of the backup");
  }
}

// An empty file beside the one to come, for the owner alone. It goes when this does, unless it was
// given its name.
class Unfinished {
 public:
  explicit Unfinished(const fs::path& file) : file_(file), path_(file.string() + ".XXXXXX") {
    const int descriptor = ::mkostemp(path_.data(), O_CLOEXEC);  // mode 0600
    if (descriptor < 0) fail_with_errno(file_);
    ::close(descriptor);
  }
  ~Unfinished() {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      ::unlink((path_ + suffix).c_str());
    }
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const std::string& path() const noexcept { return path_; }

  void sync() {
    const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_done = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    errno = error;
    if (!is_done) fail_with_errno(file_);
  }

  // Never in the place of a file that came to be meanwhile.
  void give_name() {
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, file_.c_str(), RENAME_NOREPLACE) == 0) {
      return;
    }
    // Not every file system can do that.
    if (errno != EINVAL && errno != ENOSYS) fail_with_errno(file_);
    refuse_what_is_there(file_);
    if (::rename(path_.c_str(), file_.c_str()) != 0) fail_with_errno(file_);
  }

 private:
  fs::path file_;
  std::string path_;
};

// The copy begins with a rollback journal, while a reader of ours wants a write-ahead log; and what
// was written is read again before somebody relies on it.
void finish(const std::string& path) {
  sqlite::Connection copy(path, sqlite::Role::kWriter);
  copy.configure();
  copy.describe("check of the backup");
  const std::string answer = copy.query_text("PRAGMA integrity_check(1)");
  if (answer != "ok") copy.fail(Error::Kind::kCorrupt, answer);
}

}  // namespace

struct Backup::Source {
  explicit Source(const fs::path& database) : connection(database, sqlite::Role::kReader) {
    sqlite::check_identity(connection, sqlite::migrations());
    connection.configure();
    // VACUUM writes into another database by this connection; that this one is not written to, how
    // it was opened sees to.
    connection.execute("PRAGMA query_only = 0");
  }
  sqlite::Connection connection;
};

Backup::Backup(const fs::path& directory) {
  const fs::path database = sqlite::database_file(fs::absolute(directory).lexically_normal());
  if (!is_there(database)) {
    throw Error(Error::Kind::kUnavailable, database.string() + ": open: No such file or directory");
  }
  source_ = std::make_unique<Source>(database);
}

Backup::~Backup() = default;

void Backup::write_to(const fs::path& file) {
  refuse_what_is_there(file);
  const fs::path absolute = fs::absolute(file);
  Unfinished unfinished(absolute);
  source_->connection.describe("backup to " + file.string());
  sqlite::Statement vacuum(source_->connection, "VACUUM INTO ?1");
  vacuum.execute(std::string_view(unfinished.path()));
  finish(unfinished.path());
  unfinished.sync();
  unfinished.give_name();
  sqlite::sync_directory(absolute.parent_path());
}

}  // namespace palimpsest::storage
