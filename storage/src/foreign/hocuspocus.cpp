#include <system_error>

#include "sqlite/connection.hpp"
#include "sqlite/statement.hpp"
#include "storage/foreign_stores.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage {

void read_hocuspocus(const std::filesystem::path& file, const std::optional<std::string>& document,
                     const ForeignVisitor& visit) {
  sqlite::Connection connection(file, sqlite::Role::kReader);
  connection.describe("import");
  sqlite::Statement columns(connection,
                            "SELECT count(*) FROM pragma_table_info('documents') "
                            "WHERE name IN ('name', 'data')");
  {
    sqlite::Execution row = columns.run();
    if (!row.next() || row.integer(0) != 2) {
      connection.fail(Error::Kind::kUnavailable,
                      "has no table documents (name, data), as that of Hocuspocus");
    }
  }
  const std::string name = document.value_or("");
  sqlite::Statement select(connection,
                           "SELECT CAST(name AS TEXT), CAST(data AS BLOB) FROM documents "
                           "WHERE ?1 = 0 OR name = ?2 ORDER BY rowid");
  sqlite::Execution row = select.run(document ? 1 : 0, std::string_view(name));
  while (row.next()) visit(std::string(row.text(0)), row.blob(1));
}

}  // namespace palimpsest::storage
