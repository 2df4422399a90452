#include <string>
#include <string_view>

#include "sqlite/limits.hpp"
#include "sqlite/position.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/transaction.hpp"

namespace palimpsest::storage::sqlite {

std::vector<Finding> SqliteReader::verify() {
  std::vector<Finding> findings;
  connection_.describe("verify");
  return findings;
}

}  // namespace palimpsest::storage::sqlite
