#pragma once

#include <cstdint>
#include <string_view>

#include "crdt/state_vector.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/statement.hpp"
#include "storage/lost_clocks.hpp"

namespace palimpsest::storage::sqlite {

// What the store keeps of documents that are gone and of generations that are over, by the
// document's name: the tables former_documents and lost_clocks.
//
// Home:   that of the connection; within a transaction of the caller's.
// Errors: storage::Error.
class Generations {
 public:
  explicit Generations(Connection& connection);

  // The generation that a document has which comes to be under this name: one more than that of the
  // last one, or 1.
  std::uint64_t next(std::string_view name);
  // Of the last document of this name that is gone; 0: there was none.
  std::uint64_t former(std::string_view name);
  LostClocks lost(std::string_view name);

  // The document of this name is to be gone, or is: keeps its generation, and that all that it had
  // given out (`had`, its state vector) is lost. To be called in the transaction that removes it.
  void retire(std::string_view name, std::uint64_t generation, const crdt::StateVector& had);
  // The same without a word about what was given out.
  void keep(std::string_view name, std::uint64_t generation);
  // Puts these in the place of what was known to be lost.
  void replace_lost(std::string_view name, const LostClocks& lost);

 private:
  Statement select_former_;
  Statement select_lost_;
  Statement keep_former_;
  Statement delete_lost_;
  Statement insert_lost_;
};

}  // namespace palimpsest::storage::sqlite
