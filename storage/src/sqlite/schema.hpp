#pragma once

#include <cstdint>
#include <span>

#include "sqlite/connection.hpp"

namespace palimpsest::storage::sqlite {

// "PLMP" in the header of the file: this database is ours.
inline constexpr std::int64_t kApplicationId = 0x504c4d50;

// The schema's history: migration n brings a database from version n to n+1. What has been released
// is never edited; a change is a new migration at the end.
struct Migration {
  const char* sql;
  void (*fill)(Connection&) = nullptr;  // what SQL cannot do, after it and in the same transaction
};
using Migrations = std::span<const Migration>;
Migrations migrations();

// Throws Error (kUnavailable) unless the database is ours and not newer than `known`.
void check_identity(Connection& connection, Migrations known);

bool is_up_to_date(Connection& connection, Migrations known);

// Throws Error (kUnavailable) unless the database has exactly the version that `known` leads to.
void check_version(Connection& connection, Migrations known);

// Brings the database to the newest version, each step in a transaction of its own: one that is
// interrupted has not happened.
void migrate(Connection& connection, Migrations known);

}  // namespace palimpsest::storage::sqlite
