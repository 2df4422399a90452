#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "log/number.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::log {

inline std::uint64_t number_of(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
inline Time time_of(std::uint64_t number) {
  return Time(std::chrono::milliseconds(static_cast<std::int64_t>(number)));
}

// When something was made that came at `at`: 0 where it was just then.
inline std::uint64_t number_of(const std::optional<Time>& made_at, std::uint64_t at) {
  return made_at ? 1 + difference(at, number_of(*made_at)) : 0;
}
inline std::optional<Time> made_at_of(std::uint64_t number, std::uint64_t at) {
  if (number == 0) return std::nullopt;
  return time_of(advance(at, number - 1));
}

}  // namespace palimpsest::storage::log
