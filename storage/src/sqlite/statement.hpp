#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "crdt/bytes.hpp"
#include "sqlite/connection.hpp"

namespace palimpsest::storage::sqlite {

class Statement;

// One run of a Statement: its rows, one after the other. When it goes, the statement is ready for
// the next run and holds no lock.
//
// What text() and blob() answer is valid until next().
class Execution {
 public:
  explicit Execution(Statement& statement) : statement_(statement) {}
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // Moves to the next row; false when there is none.
  [[nodiscard]] bool next();

  std::int64_t integer(int column) const;
  std::uint64_t unsigned_integer(int column) const;  // stored as the int64 with the same bits
  std::optional<std::int64_t> optional_integer(int column) const;
  std::string_view text(int column) const;
  crdt::ByteView blob(int column) const;

 private:
  Statement& statement_;
};

// A prepared statement, kept for the life of its connection.
class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);

  // Binds the arguments to ?1, ?2 … and starts. They must outlive the Execution.
  template <typename... Arguments>
  Execution run(const Arguments&... arguments) {
    int index = 0;
    (bind(++index, arguments), ...);
    return Execution(*this);
  }
  // The same for statements that answer nothing.
  template <typename... Arguments>
  void execute(const Arguments&... arguments) {
    Execution execution = run(arguments...);
    static_cast<void>(execution.next());
  }

 private:
  friend class Execution;
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const noexcept;
  };

  template <std::integral Integer>
  void bind(int index, Integer value) {
    bind_integer(index, static_cast<std::int64_t>(value));
  }
  void bind(int index, std::optional<std::int64_t> value);
  void bind(int index, std::string_view value);
  void bind(int index, crdt::ByteView value);
  void bind_integer(int index, std::int64_t value);
  void check(int code);

  Connection& connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

}  // namespace palimpsest::storage::sqlite
