#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"

namespace palimpsest::crdt {

// What one client says of itself at the moment: a name, a caret. Never stored.
struct AwarenessState {
  ClientId client = 0;
  // Rises with each new state of this client; the highest wins.
  std::uint64_t clock = 0;
  std::string json;  // "null": the client is gone

  bool is_gone() const { return json == "null"; }
  friend bool operator==(const AwarenessState&, const AwarenessState&) = default;
};

// awarenessUpdate := varUint(count) (varUint(client) varUint(clock) varString(json))*
// Throws DecodeError; does not look into the JSON, and takes no bytes after it.
std::vector<AwarenessState> decode_awareness(ByteView bytes);
Bytes encode_awareness(std::span<const AwarenessState> states);

// The newest state of every client (y-protocols PROTOCOL.md, "Awareness"). Who may speak for which
// client, and when a silent one is taken for gone, is for the owner to say.
//
// Cost: O(log n) per state.
class Awareness {
 public:
  // Takes a state that is newer than the one known, or that says that this very one is over.
  // Answers whether it did.
  bool apply(const AwarenessState& state);
  // Marks a client as gone, in a way that every replica accepts: null, one clock later. Answers the
  // state that tells them. The client must be known and present.
  AwarenessState remove(ClientId client);
  // Forgets a client that is gone; a state as old as its last would be taken again.
  void forget(ClientId client);

  // Null for one never heard of, or forgotten.
  const AwarenessState* find(ClientId client) const;
  // Those gone but not forgotten included.
  const std::map<ClientId, AwarenessState>& states() const { return states_; }

 private:
  std::map<ClientId, AwarenessState> states_;
};

}  // namespace palimpsest::crdt
