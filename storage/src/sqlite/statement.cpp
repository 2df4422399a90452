#include "sqlite/statement.hpp"

namespace palimpsest::storage::sqlite {

Execution::~Execution() {
  // Both answer the error of the last step again, which has been reported.
  sqlite3_reset(statement_.handle_.get());
  sqlite3_clear_bindings(statement_.handle_.get());
}

bool Execution::next() {
  const int code = sqlite3_step(statement_.handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) statement_.connection_.fail(code);
  return false;
}

std::int64_t Execution::integer(int column) const {
  return sqlite3_column_int64(statement_.handle_.get(), column);
}

std::uint64_t Execution::unsigned_integer(int column) const {
  return static_cast<std::uint64_t>(integer(column));
}

std::optional<std::int64_t> Execution::optional_integer(int column) const {
  if (sqlite3_column_type(statement_.handle_.get(), column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

std::string_view Execution::text(int column) const {
  sqlite3_stmt* handle = statement_.handle_.get();
  // In this order: the first converts, the second measures what came of it.
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle, column));
  return data ? std::string_view(data, size) : std::string_view();
}

crdt::ByteView Execution::blob(int column) const {
  sqlite3_stmt* handle = statement_.handle_.get();
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle, column));
  return {data, data ? size : 0};
}

void Statement::Finalize::operator()(sqlite3_stmt* handle) const noexcept {
  sqlite3_finalize(handle);
}

Statement::Statement(Connection& connection, std::string_view sql) : connection_(connection) {
  sqlite3_stmt* handle = nullptr;
  check(sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &handle, nullptr));
  handle_.reset(handle);
}

void Statement::bind(int index, std::optional<std::int64_t> value) {
  if (value) return bind_integer(index, *value);
  check(sqlite3_bind_null(handle_.get(), index));
}

void Statement::bind(int index, std::string_view value) {
  const char* data = value.data() ? value.data() : "";  // a null pointer would bind NULL
  check(sqlite3_bind_text64(handle_.get(), index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind(int index, crdt::ByteView value) {
  const void* data = value.data() ? static_cast<const void*>(value.data()) : "";
  check(sqlite3_bind_blob64(handle_.get(), index, data, value.size(), SQLITE_STATIC));
}

void Statement::bind_integer(int index, std::int64_t value) {
  check(sqlite3_bind_int64(handle_.get(), index, value));
}

void Statement::check(int code) {
  if (code != SQLITE_OK) connection_.fail(code);
}

}  // namespace palimpsest::storage::sqlite
