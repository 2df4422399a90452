#pragma once

#include <map>
#include <utility>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"

namespace palimpsest::crdt {

class Reader;
class Writer;

// Which units are deleted: per client, ranges of clocks.
//
// deleteSet := varUint(clients) (varUint(client) varUint(ranges) (varUint(clock)
// varUint(length))*)*
//
// Cost: add() amortised O(1) at the end and O(n) elsewhere; contains() O(log n).
class DeleteSet {
 public:
  struct Range {
    Clock clock = 0;
    std::uint64_t length = 0;

    Clock end() const { return clock + length; }
    friend bool operator==(const Range&, const Range&) = default;
  };
  using Ranges = std::vector<Range>;

  static DeleteSet read(Reader& reader);
  // Clients in descending order, as Yjs writes them; ranges as they are (see normalize()).
  void write(Writer& writer) const;

  // Appends a range as it is.
  void append(ClientId client, Clock clock, std::uint64_t length);
  // Appends a range, joined to the last one where they touch; call normalize() before reading.
  void add(ClientId client, Clock clock, std::uint64_t length);
  // Sorts each client's ranges and joins those that touch or overlap.
  void normalize();
  // What of it is not in the other one; both are normalized. O(n).
  DeleteSet without(const DeleteSet& other) const;

  bool empty() const { return clients_.empty(); }
  bool contains(Id id) const;
  const std::map<ClientId, Ranges>& clients() const& { return clients_; }
  std::map<ClientId, Ranges> clients() && { return std::move(clients_); }

  friend bool operator==(const DeleteSet&, const DeleteSet&) = default;

 private:
  std::map<ClientId, Ranges> clients_;
};

}  // namespace palimpsest::crdt
