#include "storage/restore.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/update.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/data_directory.hpp"
#include "sqlite/generations.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/schema.hpp"
#include "sqlite/statement.hpp"
#include "sqlite/transaction.hpp"
#include "sqlite/writer.hpp"
#include "storage/failpoint.hpp"

namespace palimpsest::storage {
namespace {

namespace fs = std::filesystem;
using sqlite::Connection;
using sqlite::Generations;
using sqlite::Role;
using sqlite::Statement;

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr const char* kRemains[] = {"-wal", "-shm", "-journal"};

[[noreturn]] void fail(const fs::path& path, const std::string& cause,
                       Error::Kind kind = Error::Kind::kUnavailable) {
  throw Error(kind, path.string() + ": restore: " + cause);
}

[[noreturn]] void fail_with_errno(const fs::path& path) {
  const int error = errno;
  const bool is_full = error == ENOSPC || error == EDQUOT;
  fail(path, std::generic_category().message(error),
       is_full ? Error::Kind::kDiskFull : Error::Kind::kIo);
}

[[noreturn]] void refuse(const fs::path& backup, const std::string& cause,
                         std::vector<Finding> findings = {}) {
  throw BadBackup(backup.string() + ": " + cause, std::move(findings));
}

fs::path beside(const fs::path& file, const std::string& suffix) { return file.string() + suffix; }

bool is_there(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return true;
  if (errno != ENOENT) fail_with_errno(path);
  return false;
}

bool has_nothing(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) != 0 || status.st_size == 0;
}

void remove_if_there(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_with_errno(path);
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

void write_all(const File& file, const fs::path& path, const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(file.get(), bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with_errno(path);
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
}

void copy_bytes(const fs::path& from, const fs::path& to) {
  const File source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.get() < 0) refuse(from, std::generic_category().message(errno));
  const File target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (target.get() < 0) fail_with_errno(to);
  const std::unique_ptr<char[]> block(new char[kBlockBytes]);
  for (;;) {
    const ssize_t count = ::read(source.get(), block.get(), kBlockBytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse(from, std::generic_category().message(errno));
    if (count == 0) break;
    write_all(target, to, block.get(), static_cast<std::size_t>(count));
  }
}

void sync_file(const fs::path& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0) fail_with_errno(path);
}

void bring_up_to_date(const fs::path& file) {
  Connection connection(file, Role::kWriter);
  sqlite::check_identity(connection, sqlite::migrations());
  connection.configure();
  sqlite::migrate(connection, sqlite::migrations());
}

// For a file's name: 2026-11-21T10-00-00Z.
std::string stamp(Time now) {
  std::string text = format_time(now).substr(0, 19);
  std::ranges::replace(text, ':', '-');
  return text + "Z";
}

// What `error` says, without the name of a file that nobody has heard of.
std::string cause_of(const Error& error, const fs::path& unheard) {
  const std::string what = error.what();
  const std::string prefix = unheard.string() + ": ";
  return what.starts_with(prefix) ? what.substr(prefix.size()) : what;
}

// --- What is replaced. ---

// A document as it was, or its name where it had gone before.
struct Former {
  std::uint64_t generation = 0;
  crdt::StateVector had;
  LostClocks lost;
};

crdt::StateVector state_vector_of(const StoredDocument& stored) {
  crdt::Doc doc;
  if (!stored.state.empty()) doc = crdt::Doc::load(stored.state);
  for (const LogEntry& entry : stored.tail) doc.apply(crdt::Update::decode(entry.update));
  return doc.state_vector();
}

// Reads of a store what outlives it. Where it is damaged, as much as can be read.
class Predecessor {
 public:
  Predecessor() = default;
  Predecessor(const fs::path& file, std::vector<std::string>& doubts) : doubts_(&doubts) {
    try {
      // To read first: closing a connection that writes may delete the write-ahead log of a file
      // that is no database any more.
      sqlite::check_identity(connection_.emplace(file, Role::kReader), sqlite::migrations());
      bring_up_to_date(file);
      connection_->configure();
      generations_.emplace(*connection_);
      reader_ = std::make_unique<sqlite::SqliteReader>(file);
      read_names();
    } catch (const Error& error) {
      if (error.kind() == Error::Kind::kDiskFull) throw;
      doubts_->push_back(std::string("the store that was there cannot be read (") + error.what() +
                         ")");
    }
  }

  const std::set<std::string>& names() const { return names_; }

  Former read(const std::string& name) {
    Former former;
    if (!names_.contains(name)) return former;
    try {
      former.generation = std::max(generation_of(name), generations_->former(name));
      former.lost = generations_->lost(name);
      if (const auto stored = reader_->load(name)) former.had = state_vector_of(*stored);
    } catch (const Error& error) {
      doubt(name, error.what());
    } catch (const crdt::DecodeError& error) {
      doubt(name, error.what());
    }
    return former;
  }

 private:
  void read_names() {
    Statement all(*connection_,
                  "SELECT name FROM documents UNION SELECT name FROM "
                  "former_documents UNION SELECT name FROM lost_clocks");
    sqlite::Execution row = all.run();
    while (row.next()) names_.emplace(row.text(0));
  }

  std::uint64_t generation_of(const std::string& name) {
    Statement select(*connection_, "SELECT generation FROM documents WHERE name = ?1");
    sqlite::Execution row = select.run(std::string_view(name));
    return row.next() ? row.unsigned_integer(0) : 0;
  }

  void doubt(const std::string& name, const char* cause) {
    doubts_->push_back("document \"" + name + "\" as it was cannot be read (" + cause + ")");
  }

  std::vector<std::string>* doubts_ = nullptr;
  std::optional<Connection> connection_;
  std::optional<Generations> generations_;
  std::unique_ptr<sqlite::SqliteReader> reader_;
  std::set<std::string> names_;
};

// --- The new store, before it has its name. ---

class Staged {
 public:
  explicit Staged(const fs::path& database) : file_(beside(database, ".restoring")) { remove(); }
  ~Staged() {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      ::unlink(beside(file_, suffix).c_str());
    }
  }
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;

  const fs::path& file() const { return file_; }

  void take(const fs::path& backup) {
    for (const char* suffix : {"-wal", "-journal"}) {
      const fs::path log = beside(backup, suffix);
      if (is_there(log) && !has_nothing(log)) {
        refuse(backup, "is a database in use, not a backup: " + log.string() + " belongs to it");
      }
    }
    copy_bytes(backup, file_);
    try {
      if (has_nothing(file_)) refuse(backup, "is empty");
      bring_up_to_date(file_);
    } catch (const Error& error) {
      if (error.kind() == Error::Kind::kDiskFull) throw;
      refuse(backup, cause_of(error, file_));
    }
  }

  void verify(const fs::path& backup, Restored& restored) {
    sqlite::SqliteReader reader(file_);
    std::vector<Finding> findings = reader.verify();
    if (!findings.empty()) {
      const std::string count = std::to_string(findings.size());
      refuse(backup, "is damaged in " + count + (findings.size() == 1 ? " place" : " places"),
             std::move(findings));
    }
    Connection connection(file_, Role::kReader);
    restored.documents =
        static_cast<std::size_t>(connection.query_integer("SELECT count(*) FROM documents"));
    restored.updates = static_cast<std::uint64_t>(
        connection.query_integer("SELECT coalesce(sum(last_seq), 0) FROM documents"));
  }

  // Makes every document one generation later than any there was.
  void begin_generations(Predecessor& before) {
    sqlite::SqliteReader reader(file_);
    Connection connection(file_, Role::kWriter);
    connection.configure();
    connection.describe("the generations of what is put back");
    Generations generations(connection);
    std::map<std::string, std::uint64_t> own = documents_in(connection);
    Statement raise(connection, "UPDATE documents SET generation = ?2 WHERE name = ?1");
    sqlite::Transaction transaction(connection);
    for (const auto& [name, generation] : own) {
      const Former former = before.read(name);
      const std::uint64_t next = std::max(generation, former.generation) + 1;
      raise.execute(std::string_view(name), next);
      note_lost(generations, name, former, state_vector_of(reader.load(name).value()));
    }
    for (const std::string& name : before.names()) {
      if (own.contains(name)) continue;
      const Former former = before.read(name);
      generations.keep(name, former.generation);
      note_lost(generations, name, former, {});
    }
    transaction.commit();
  }

  // Everything in one file, on disk.
  void settle() {
    {
      sqlite::SqliteWriter writer(file_, nullptr);  // empties the write-ahead log
    }
    for (const char* suffix : kRemains) remove_if_there(beside(file_, suffix));
    sync_file(file_);
  }

 private:
  static std::map<std::string, std::uint64_t> documents_in(Connection& connection) {
    std::map<std::string, std::uint64_t> documents;
    Statement all(connection, "SELECT name, generation FROM documents");
    sqlite::Execution row = all.run();
    while (row.next()) documents.emplace(row.text(0), row.unsigned_integer(1));
    return documents;
  }

  static void note_lost(Generations& generations, const std::string& name, const Former& former,
                        const crdt::StateVector& has) {
    LostClocks lost = generations.lost(name);
    lost.add(former.lost);
    lost.add(LostClocks(former.had, has));
    lost.remove(has);
    generations.replace_lost(name, lost);
  }

  void remove() {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      remove_if_there(beside(file_, suffix));
    }
  }

  fs::path file_;
};

// --- Putting it in place. ---

// Has all of the old store in its one file. Nothing is touched of one that is damaged.
void settle_old(const fs::path& database, bool is_sound) {
  if (!is_sound) return;
  const sqlite::SqliteWriter writer(database, nullptr);  // empties the write-ahead log
}

fs::path free_name(const fs::path& wanted) {
  fs::path name = wanted;
  for (int number = 2; is_there(name); ++number) {
    name = beside(wanted, "-" + std::to_string(number));
  }
  return name;
}

// An earlier call that was killed may have left a second name of the database itself.
void remove_second_names(const fs::path& database, const std::string& prefix) {
  struct stat own {};
  if (::stat(database.c_str(), &own) != 0 || own.st_nlink < 2) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(database.parent_path())) {
    struct stat status {};
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    if (::lstat(entry.path().c_str(), &status) != 0 || status.st_ino != own.st_ino) continue;
    remove_if_there(entry.path());
  }
}

// A write-ahead log must never lie beside a database that it is not of: SQLite would replay it.
void part_with_logs(const fs::path& database, const fs::path& aside) {
  const fs::path log = beside(database, "-wal");
  if (is_there(log) && !has_nothing(log)) {
    if (::rename(log.c_str(), beside(aside, "-wal").c_str()) != 0) fail_with_errno(log);
  }
  for (const char* suffix : kRemains) remove_if_there(beside(database, suffix));
}

// The old store gets a second name before it loses its first, so that it is there all the time.
void set_aside(const fs::path& database, const fs::path& aside) {
  if (::link(database.c_str(), aside.c_str()) != 0) fail_with_errno(aside);
  sqlite::sync_directory(database.parent_path());
  PALIMPSEST_FAILPOINT("restore-set-aside");
  part_with_logs(database, aside);
}

void put_in_place(const fs::path& staged, const fs::path& database) {
  sqlite::sync_directory(database.parent_path());
  PALIMPSEST_FAILPOINT("restore-before-rename");
  if (::rename(staged.c_str(), database.c_str()) != 0) fail_with_errno(database);
  PALIMPSEST_FAILPOINT("restore-after-rename");
  sqlite::sync_directory(database.parent_path());
}

void refuse_itself(const fs::path& database, const fs::path& backup) {
  std::error_code ignored;
  if (fs::equivalent(database, backup, ignored)) {
    refuse(backup, "is the store itself, not a backup of it");
  }
}

}  // namespace

Restored restore(const fs::path& directory, const fs::path& backup, Time now) {
  const fs::path home = fs::absolute(directory).lexically_normal();
  const fs::path database = sqlite::database_file(home);
  refuse_itself(database, backup);
  if (!is_there(backup)) refuse(backup, std::generic_category().message(ENOENT));
  sqlite::ensure_directory(home);
  const sqlite::DirectoryLock lock(home);

  Restored restored;
  Staged staged(database);
  staged.take(backup);
  staged.verify(backup, restored);
  PALIMPSEST_FAILPOINT("restore-verified");

  const bool is_first = !is_there(database);
  if (is_first && is_there(beside(database, "-wal"))) {
    fail(database,
         "is missing, but its write-ahead log is there: put the database back beside it, or move "
         "the log away");
  }
  bool is_sound = true;
  {
    Predecessor before = is_first ? Predecessor() : Predecessor(database, restored.doubts);
    is_sound = restored.doubts.empty();
    staged.begin_generations(before);
  }
  staged.settle();
  if (!is_first) {
    const std::string prefix = database.filename().string() + ".before-restore-";
    remove_second_names(database, prefix);
    settle_old(database, is_sound);
    restored.set_aside = free_name(home / (prefix + stamp(now)));
    set_aside(database, restored.set_aside);
  }
  put_in_place(staged.file(), database);
  return restored;
}

}  // namespace palimpsest::storage
