#pragma once

#include "sqlite/connection.hpp"

namespace palimpsest::storage::sqlite {

// Of the migration to version 2: moves each entry of log_1, which had a row of its own, into the
// rows of `log`, and drops log_1. What was damaged stays so.
void pack_log_of_version_1(Connection& connection);

}  // namespace palimpsest::storage::sqlite
