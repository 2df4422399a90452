#include "crdt/state_vector.hpp"

#include <algorithm>

#include "crdt/reader.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::crdt {
namespace {

constexpr auto by_client = [](const std::pair<ClientId, Clock>& entry, ClientId client) {
  return entry.first < client;
};

}  // namespace

StateVector::StateVector(std::vector<std::pair<ClientId, Clock>> entries)
    : entries_(std::move(entries)) {
  std::erase_if(entries_, [](const auto& entry) { return entry.second == 0; });
  std::sort(entries_.begin(), entries_.end());
}

StateVector StateVector::decode(ByteView bytes) {
  Reader reader(bytes);
  StateVector result = read(reader);
  if (!reader.at_end()) reader.fail("bytes after the end of the state vector");
  return result;
}

StateVector StateVector::read(Reader& reader) {
  const std::uint64_t count = reader.read_count(2, "more clients than the bytes can hold");
  StateVector result;
  result.entries_.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    const ClientId client = reader.read_var_uint();
    const Clock clock = reader.read_var_uint();
    result.entries_.emplace_back(client, clock);
  }

  // Stable, so that the last of repeated clients is the last of its group.
  auto& entries = result.entries_;
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 < entries.size() && entries[i + 1].first == entries[i].first) continue;
    if (entries[i].second != 0) entries[kept++] = entries[i];
  }
  entries.resize(kept);
  return result;
}

Bytes StateVector::encode() const {
  Writer writer;
  writer.write_var_uint(entries_.size());
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    writer.write_var_uint(entry->first);
    writer.write_var_uint(entry->second);
  }
  return std::move(writer).take();
}

Clock StateVector::clock_of(ClientId client) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), client, by_client);
  return at != entries_.end() && at->first == client ? at->second : 0;
}

void StateVector::set(ClientId client, Clock clock) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), client, by_client);
  const bool known = at != entries_.end() && at->first == client;
  if (clock == 0) {
    if (known) entries_.erase(at);
  } else if (known) {
    at->second = clock;
  } else {
    entries_.emplace(at, client, clock);
  }
}

}  // namespace palimpsest::crdt
