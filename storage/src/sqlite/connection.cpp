#include "sqlite/connection.hpp"

#include <cerrno>
#include <system_error>

#include "sqlite/limits.hpp"
#include "sqlite/statement.hpp"

namespace palimpsest::storage::sqlite {
namespace {

Error::Kind kind_of(int code, int system_error) {
  if (system_error == EDQUOT || system_error == ENOSPC) return Error::Kind::kDiskFull;
  switch (code & 0xff) {  // the low byte is the class, the rest says where it happened
    case SQLITE_FULL:
      return Error::Kind::kDiskFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error::Kind::kCorrupt;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_BUSY:  // another program holds it: ours keep out of each other's way
    case SQLITE_LOCKED:
      return Error::Kind::kUnavailable;
    default:
      return Error::Kind::kIo;
  }
}

// Whether the operating system had a part in it, so that errno is worth a word.
bool is_from_system(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL;
}

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

Connection::Connection(const std::filesystem::path& file, Role role)
    : file_(file.string()), role_(role) {
  sqlite3* handle = nullptr;
  const int access = role == Role::kWriter ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  const int flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file_.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);  // to be closed even where opening failed
  if (code != SQLITE_OK) fail(code);

  set_flag(SQLITE_DBCONFIG_DEFENSIVE, 1);
  set_flag(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0);
  set_flag(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0);
  set_flag(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, role == Role::kReader ? 1 : 0);
  require("trusted_schema", 0);
  execute("PRAGMA cell_size_check = 1");
  require("cell_size_check", 1);
  execute("PRAGMA mmap_size = 0");
  require("mmap_size", 0);
  execute(("PRAGMA busy_timeout = " + std::to_string(kBusyTimeout.count())).c_str());
  require("busy_timeout", kBusyTimeout.count());
  execute("PRAGMA temp_store = MEMORY");  // no document's text in files that nobody looks after
  require("temp_store", 2);
}

void Connection::configure() {
  if (role_ == Role::kWriter) {
    execute("PRAGMA journal_mode = WAL");
    execute(("PRAGMA journal_size_limit = " + std::to_string(kWalTruncateBytes)).c_str());
    require("journal_size_limit", kWalTruncateBytes);
  } else {
    execute("PRAGMA query_only = 1");
    require("query_only", 1);
  }
  if (query_text("PRAGMA journal_mode") != "wal") {
    fail(Error::Kind::kUnavailable, "cannot be put into write-ahead logging");
  }
  execute("PRAGMA wal_autocheckpoint = 0");
  require("wal_autocheckpoint", 0);
  execute("PRAGMA synchronous = FULL");
  require("synchronous", 2);
  execute("PRAGMA foreign_keys = 1");
  require("foreign_keys", 1);
}

void Connection::set_flag(int option, int value) {
  int answer = -1;
  const int code = sqlite3_db_config(handle(), option, value, &answer);
  if (code != SQLITE_OK || answer != value) {
    fail(Error::Kind::kUnavailable, "SQLite refuses setting " + std::to_string(option));
  }
}

void Connection::require(const char* pragma, std::int64_t expected) {
  // Where a build of SQLite lacks a pragma it answers no row at all.
  Statement statement(*this, std::string("PRAGMA ") + pragma);
  Execution row = statement.run();
  if (row.next() && row.integer(0) == expected) return;
  fail(Error::Kind::kUnavailable,
       std::string("SQLite does not accept ") + pragma + " = " + std::to_string(expected));
}

void Connection::execute(const char* sql) {
  const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t Connection::query_integer(const char* sql) {
  Statement statement(*this, sql);
  Execution row = statement.run();
  if (!row.next()) fail(Error::Kind::kIo, std::string("no answer to ") + sql);
  return row.integer(0);
}

std::string Connection::query_text(const char* sql) {
  Statement statement(*this, sql);
  Execution row = statement.run();
  if (!row.next()) fail(Error::Kind::kIo, std::string("no answer to ") + sql);
  return std::string(row.text(0));
}

void Connection::fail(int code) const {
  std::string cause = sqlite3_errstr(code);
  int system_error = 0;
  if (handle()) {
    if ((sqlite3_extended_errcode(handle()) & 0xff) == (code & 0xff))
      cause = sqlite3_errmsg(handle());
    if (is_from_system(code)) system_error = sqlite3_system_errno(handle());
  }
  if (system_error != 0) cause += ": " + std::generic_category().message(system_error);
  fail(kind_of(code, system_error), cause + " (SQLite " + std::to_string(code) + ")");
}

void Connection::fail(Error::Kind kind, const std::string& cause) const {
  throw Error(kind, file_ + ": " + operation_ + ": " + cause);
}

}  // namespace palimpsest::storage::sqlite
