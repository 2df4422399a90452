#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"

namespace palimpsest::crdt {

class Reader;

// How much of each client's work a replica has: client → next clock. Clients at clock 0 are left
// out, so equal knowledge is equal value.
//
// Cost: lookup O(log n), decode and encode O(n log n) in the number of clients.
class StateVector {
 public:
  StateVector() = default;
  // Entries in any order, each client once.
  explicit StateVector(std::vector<std::pair<ClientId, Clock>> entries);

  // stateVector := varUint(count) (varUint(client) varUint(clock))*
  // Throws DecodeError; accepts clients in any order and, of repeated ones, the last, as Yjs does.
  static StateVector decode(ByteView bytes);
  static StateVector read(Reader& reader);
  // Clients in descending order, as Yjs writes them.
  Bytes encode() const;

  // 0 for a client never heard of.
  Clock clock_of(ClientId client) const;
  void set(ClientId client, Clock clock);

  // Ascending by client.
  const std::vector<std::pair<ClientId, Clock>>& entries() const& { return entries_; }
  std::vector<std::pair<ClientId, Clock>> entries() && { return std::move(entries_); }
  std::size_t size() const { return entries_.size(); }

  friend bool operator==(const StateVector&, const StateVector&) = default;

 private:
  std::vector<std::pair<ClientId, Clock>> entries_;
};

}  // namespace palimpsest::crdt
