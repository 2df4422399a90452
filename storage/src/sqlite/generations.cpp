#include "sqlite/generations.hpp"

namespace palimpsest::storage::sqlite {

Generations::Generations(Connection& connection)
    : select_former_(connection, "SELECT generation FROM former_documents WHERE name = ?1"),
      select_lost_(connection,
                   "SELECT client_id, first_clock, end_clock FROM lost_clocks WHERE name = ?1"),
      keep_former_(connection,
                   "INSERT INTO former_documents (name, generation) VALUES (?1, ?2) ON CONFLICT "
                   "(name) DO UPDATE SET generation = max(generation, excluded.generation)"),
      delete_lost_(connection, "DELETE FROM lost_clocks WHERE name = ?1"),
      insert_lost_(connection,
                   "INSERT INTO lost_clocks (name, client_id, first_clock, end_clock) "
                   "VALUES (?1, ?2, ?3, ?4)") {}

std::uint64_t Generations::next(std::string_view name) { return former(name) + 1; }

std::uint64_t Generations::former(std::string_view name) {
  Execution row = select_former_.run(name);
  return row.next() ? row.unsigned_integer(0) : 0;
}

LostClocks Generations::lost(std::string_view name) {
  LostClocks lost;
  Execution row = select_lost_.run(name);
  while (row.next()) {
    lost.add(row.unsigned_integer(0), {row.unsigned_integer(1), row.unsigned_integer(2)});
  }
  return lost;
}

void Generations::retire(std::string_view name, std::uint64_t generation,
                         const crdt::StateVector& had) {
  keep(name, generation);
  LostClocks all = lost(name);
  all.add(LostClocks(had, {}));
  replace_lost(name, all);
}

void Generations::keep(std::string_view name, std::uint64_t generation) {
  keep_former_.execute(name, generation);
}

void Generations::replace_lost(std::string_view name, const LostClocks& lost) {
  delete_lost_.execute(name);
  for (const auto& [client, range] : lost.ranges()) {
    insert_lost_.execute(name, client, range.begin, range.end);
  }
}

}  // namespace palimpsest::storage::sqlite
