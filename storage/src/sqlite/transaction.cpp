#include "sqlite/transaction.hpp"

namespace palimpsest::storage::sqlite {

Transaction::Transaction(Connection& connection) : connection_(connection) {
  // IMMEDIATE takes the write lock at once: a writer never has to give up half way.
  connection.execute(connection.role() == Role::kWriter ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  // Some errors have rolled it back already; another failure here changes nothing any more.
  if (is_open_ && sqlite3_get_autocommit(connection_.handle()) == 0) {
    sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::commit() {
  connection_.execute("COMMIT");
  is_open_ = false;
}

}  // namespace palimpsest::storage::sqlite
