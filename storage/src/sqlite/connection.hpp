#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {

enum class Role {
  kWriter,  // the one connection that writes and checkpoints
  kReader,  // sees commits, never writes a byte of the database, never checkpoints
};

// One handle of the SQLite library on an existing file. Nothing is set on it yet but what keeps a
// hostile file from running code (trusted_schema, defensive mode); configure() does the rest.
//
// Home:   one thread at a time.
// Errors: storage::Error; see fail().
class Connection {
 public:
  Connection(const std::filesystem::path& file, Role role);

  // Sets what every connection of this store must have (WAL, fsync at each commit, no checkpoint
  // behind our back …), reads it back, and throws Error (kUnavailable) where SQLite did not obey.
  // Not before it is known that the file is ours: journal_mode is written into it.
  void configure();

  // Runs SQL that answers nothing.
  void execute(const char* sql);
  // The first column of the first row.
  std::int64_t query_integer(const char* sql);
  std::string query_text(const char* sql);

  // What is being done, for the messages of errors until the next call.
  void describe(std::string operation) { operation_ = std::move(operation); }
  // Throws the Error that an SQLite result code stands for. Its text is
  // "FILE: OPERATION: CAUSE".
  [[noreturn]] void fail(int code) const;
  [[noreturn]] void fail(Error::Kind kind, const std::string& cause) const;

  sqlite3* handle() const noexcept { return handle_.get(); }
  Role role() const noexcept { return role_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };

  void set_flag(int option, int value);
  void require(const char* pragma, std::int64_t expected);

  std::string file_;
  Role role_;
  std::string operation_ = "open";
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace palimpsest::storage::sqlite
