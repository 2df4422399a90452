#include "storage/lost_clocks.hpp"

#include <algorithm>

namespace palimpsest::storage {

LostClocks::LostClocks(const crdt::StateVector& had, const crdt::StateVector& has) {
  for (const auto& [client, clock] : had.entries()) add(client, {has.clock_of(client), clock});
}

void LostClocks::add(crdt::ClientId client, Range range) {
  if (range.begin >= range.end) return;
  const auto [known, is_new] = ranges_.try_emplace(client, range);
  if (is_new) return;
  known->second.begin = std::min(known->second.begin, range.begin);
  known->second.end = std::max(known->second.end, range.end);
}

void LostClocks::add(const LostClocks& others) {
  for (const auto& [client, range] : others.ranges_) add(client, range);
}

void LostClocks::remove(const crdt::StateVector& has) {
  for (const auto& [client, clock] : has.entries()) {
    const auto known = ranges_.find(client);
    if (known == ranges_.end()) continue;
    known->second.begin = std::max(known->second.begin, clock);
    if (known->second.begin >= known->second.end) ranges_.erase(known);
  }
}

bool LostClocks::reached_by(const crdt::StateVector& known) const {
  return !empty() && std::ranges::any_of(known.entries(), [this](const auto& entry) {
    return is_reached(entry.first, entry.second);
  });
}

bool LostClocks::reached_by(std::span<const crdt::Update::Authored> authored) const {
  return !empty() && std::ranges::any_of(authored, [this](const auto& range) {
    return is_reached(range.client, range.end);
  });
}

bool LostClocks::is_reached(crdt::ClientId client, crdt::Clock end) const {
  const auto known = ranges_.find(client);
  return known != ranges_.end() && end > known->second.begin;
}

}  // namespace palimpsest::storage
