#pragma once

#include "sqlite/connection.hpp"

namespace palimpsest::storage::sqlite {

// A transaction that is undone unless commit() returned. On a connection that reads, a snapshot:
// everything inside sees the same moment, the one of the first read.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // On return everything is on disk. When it throws, what of it is on disk is unknown.
  void commit();

 private:
  Connection& connection_;
  bool is_open_ = true;
};

}  // namespace palimpsest::storage::sqlite
