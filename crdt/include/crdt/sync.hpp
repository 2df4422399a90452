#pragma once

#include <cstdint>

#include "crdt/bytes.hpp"

namespace palimpsest::crdt {

class Reader;
class Writer;

// One message of the sync protocol (y-protocols PROTOCOL.md): how two replicas tell each other what
// they lack. Lifetime: borrows its payload.
struct SyncMessage {
  enum class Kind : std::uint8_t {
    kStep1 = 0,   // payload: a state vector. "This is what I have", answered by a step 2
    kStep2 = 1,   // payload: an update, all that the other lacked
    kUpdate = 2,  // payload: an update
  };
  Kind kind;
  ByteView payload;

  // syncMessage := varUint(kind) varUint8Array(payload)
  // Throws DecodeError; does not look into the payload.
  static SyncMessage read(Reader& reader);
  void write(Writer& writer) const;
};

}  // namespace palimpsest::crdt
