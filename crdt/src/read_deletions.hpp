#pragma once

#include <cstdint>

#include "crdt/id.hpp"
#include "crdt/reader.hpp"

namespace palimpsest::crdt::internal {

// Reads a deleteSet (crdt/delete_set.hpp) and calls visit(client, clock, length) for each range, in
// the order of the bytes. Throws DecodeError.
template <class Visit>
void read_deletions(Reader& reader, Visit&& visit) {
  const std::uint64_t clients = reader.read_count(2, "more clients than the bytes can hold");
  for (std::uint64_t c = 0; c < clients; ++c) {
    const ClientId client = reader.read_var_uint();
    const std::uint64_t count = reader.read_count(2, "more deletions than the bytes can hold");
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::size_t start = reader.position();
      const Clock clock = reader.read_var_uint();
      const std::uint64_t length = reader.read_var_uint();
      if (length > kMaxSafeInteger - clock) {
        reader.fail_at(start, "a deletion that ends beyond 2^53-1");
      }
      // Yjs never writes one, and cannot keep one that waits.
      if (length == 0) reader.fail_at(start, "a deletion of nothing");
      visit(client, clock, length);
    }
  }
}

}  // namespace palimpsest::crdt::internal
