#include "storage/sqlite_store.hpp"

#include <memory>
#include <string>

#include <sqlite3.h>

#include "crdt/error.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/data_directory.hpp"
#include "sqlite/file_system.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/schema.hpp"
#include "sqlite/writer.hpp"
#include "storage/backup.hpp"

namespace palimpsest::storage {
namespace {

namespace fs = std::filesystem;

// An open data directory: hands out connections to the database in it.
//
// Invariant: a store that may write has the directory's lock, and its database the newest schema.
class SqliteStore final : public Store {
 public:
  SqliteStore(fs::path file, std::shared_ptr<const sqlite::DirectoryLock> lock)
      : file_(std::move(file)), lock_(std::move(lock)) {}

  std::unique_ptr<Writer> writer() override {
    if (!lock_) throw crdt::Bug("this store was opened to read");
    if (!writer_.expired()) throw crdt::Bug("this store has a writer already");
    // Lives as long as the writer does and holds the lock for it.
    const auto permit = std::make_shared<std::shared_ptr<const void>>(lock_);
    auto writer = std::make_unique<sqlite::SqliteWriter>(file_, permit);
    writer_ = permit;
    return writer;
  }

  std::unique_ptr<Reader> reader() override {
    return std::make_unique<sqlite::SqliteReader>(file_);
  }

 private:
  const fs::path file_;
  const std::shared_ptr<const sqlite::DirectoryLock> lock_;
  std::weak_ptr<const void> writer_;
};

[[noreturn]] void refuse(const fs::path& file, const std::string& cause) {
  throw Error(Error::Kind::kUnavailable, file.string() + ": open: " + cause);
}

// Refuses what is no database of ours before anything is changed in it.
void check_file(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) refuse(file, error.message());
  if (size == 0) {
    refuse(file,
           "is empty, which a database of ours never is; put a backup back, or move it away "
           "to start anew");
  }
}

// Opening is where a damaged header shows, and it shows as a file of another kind.
template <typename Work>
void as_unavailable(Work work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::kCorrupt) throw;
    throw Error(Error::Kind::kUnavailable, error.what());
  }
}

// What a migration gets wrong is not lost: DIR/palimpsest.db.before-version-N has all of it. One
// that an earlier attempt left may be older than what is there now.
void keep_as_it_was(const fs::path& home) {
  const fs::path copy = sqlite::database_file(home).string() + ".before-version-" +
                        std::to_string(sqlite::migrations().size());
  std::error_code error;
  fs::remove(copy, error);
  if (error) refuse(copy, error.message());
  Backup(home).write_to(copy);
}

void bring_up_to_date(const fs::path& home) {
  sqlite::Connection connection(sqlite::database_file(home), sqlite::Role::kWriter);
  sqlite::check_identity(connection, sqlite::migrations());
  connection.configure();
  if (sqlite::is_up_to_date(connection, sqlite::migrations())) return;
  keep_as_it_was(home);
  sqlite::migrate(connection, sqlite::migrations());
}

void check_readable(const fs::path& file) {
  sqlite::Connection connection(file, sqlite::Role::kReader);
  sqlite::check_version(connection, sqlite::migrations());
}

}  // namespace

std::unique_ptr<Store> open_sqlite_store(const fs::path& directory, Access access, Disks disks) {
  // Absolute: a later change of the working directory must not lead elsewhere.
  const fs::path home = fs::absolute(directory).lexically_normal();
  const fs::path file = sqlite::database_file(home);
  std::shared_ptr<const sqlite::DirectoryLock> lock;
  if (access == Access::kReadWrite) {
    if (disks == Disks::kLocal) sqlite::refuse_network_file_system(home);
    sqlite::ensure_directory(home);
    lock = std::make_shared<sqlite::DirectoryLock>(home);
    sqlite::create_database_if_missing(home);
    check_file(file);
    as_unavailable([&] { bring_up_to_date(home); });
  } else {
    check_file(file);
    as_unavailable([&] { check_readable(file); });
  }
  return std::make_unique<SqliteStore>(file, std::move(lock));
}

std::string_view sqlite_version() noexcept { return sqlite3_libversion(); }

}  // namespace palimpsest::storage
