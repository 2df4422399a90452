#include "crdt/delete_set.hpp"

#include <algorithm>

#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "read_deletions.hpp"

namespace palimpsest::crdt {

DeleteSet DeleteSet::read(Reader& reader) {
  DeleteSet result;
  internal::read_deletions(reader, [&](ClientId client, Clock clock, std::uint64_t length) {
    result.append(client, clock, length);
  });
  return result;
}

void DeleteSet::write(Writer& writer) const {
  writer.write_var_uint(clients_.size());
  for (auto entry = clients_.rbegin(); entry != clients_.rend(); ++entry) {
    writer.write_var_uint(entry->first);
    writer.write_var_uint(entry->second.size());
    for (const Range& range : entry->second) {
      writer.write_var_uint(range.clock);
      writer.write_var_uint(range.length);
    }
  }
}

void DeleteSet::add(ClientId client, Clock clock, std::uint64_t length) {
  if (length == 0) return;
  Ranges& ranges = clients_[client];
  if (!ranges.empty() && ranges.back().end() == clock) {
    ranges.back().length += length;
  } else {
    ranges.push_back({clock, length});
  }
}

void DeleteSet::append(ClientId client, Clock clock, std::uint64_t length) {
  if (length != 0) clients_[client].push_back({clock, length});
}

void DeleteSet::normalize() {
  for (auto& [client, ranges] : clients_) {
    const auto by_clock = [](const Range& a, const Range& b) { return a.clock < b.clock; };
    if (!std::is_sorted(ranges.begin(), ranges.end(), by_clock)) {
      std::sort(ranges.begin(), ranges.end(), by_clock);
    }
    std::size_t last = 0;
    for (std::size_t i = 1; i < ranges.size(); ++i) {
      if (ranges[last].end() >= ranges[i].clock) {
        const Clock end = std::max(ranges[last].end(), ranges[i].end());
        ranges[last].length = end - ranges[last].clock;
      } else {
        ranges[++last] = ranges[i];
      }
    }
    ranges.resize(std::min(ranges.size(), last + 1));
  }
}

DeleteSet DeleteSet::without(const DeleteSet& other) const {
  static const Ranges kNone;
  DeleteSet rest;
  for (const auto& [client, ranges] : clients_) {
    const auto entry = other.clients_.find(client);
    const Ranges& gone = entry == other.clients_.end() ? kNone : entry->second;
    auto cut = gone.begin();
    for (const Range& range : ranges) {
      Clock clock = range.clock;
      while (cut != gone.end() && cut->end() <= clock) ++cut;
      for (auto at = cut; at != gone.end() && at->clock < range.end(); ++at) {
        if (at->clock > clock) rest.append(client, clock, at->clock - clock);
        clock = std::min(at->end(), range.end());
      }
      if (clock < range.end()) rest.append(client, clock, range.end() - clock);
    }
  }
  return rest;
}

bool DeleteSet::contains(Id id) const {
  const auto entry = clients_.find(id.client);
  if (entry == clients_.end()) return false;
  const Ranges& ranges = entry->second;
  auto after =
      std::upper_bound(ranges.begin(), ranges.end(), id.clock,
                       [](Clock clock, const Range& range) { return clock < range.clock; });
  return after != ranges.begin() && id.clock < (--after)->end();
}

}  // namespace palimpsest::crdt
