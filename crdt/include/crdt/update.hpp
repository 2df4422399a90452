#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/id.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/v2.hpp"

namespace palimpsest::crdt {

namespace internal {
struct DecodedUpdate;
}

// A change, as it travels: blocks of new content and a set of deletions (Yjs update format v1).
//
// update := clients deleteSet
// clients := varUint(count) (varUint(blocks) varUint(client) varUint(clock) block*)*
//
// Decoding checks everything that can be checked without the document: afterwards the value is
// whole, and applying it cannot fail for its form.
//
// Lifetime: borrows the bytes it was decoded from; decoded from v2, it owns what it needs.
// Errors:   decode() throws DecodeError.
// Cost:     decode() O(bytes), and memory within a small multiple of the bytes whatever they claim.
class Update {
 public:
  static Update decode(ByteView bytes);
  // Of format v2. size_bytes() is then that of the same update in v1.
  static Update decode_v2(ByteView bytes, const V2Limits& limits = {});

  Update(Update&&) noexcept;
  Update& operator=(Update&&) noexcept;
  ~Update();

  // No new content and no deletion. Not the same as "tells the document nothing new".
  bool empty() const;
  std::size_t size_bytes() const;
  std::size_t block_count() const;

  // The clients whose content it carries, and the range of clocks of each.
  struct Authored {
    ClientId client;
    Clock begin;
    Clock end;
  };
  std::vector<Authored> authored() const;
  // What it deletes, normalized.
  DeleteSet deletions() const;
  // The clients of whose content it deletes something.
  std::vector<ClientId> deletes_from() const;

 private:
  friend class Doc;
  friend struct ChangeSet;
  Update();
  // Defined where the type is (decoded_update.hpp).
  inline internal::DecodedUpdate& decoded();
  inline const internal::DecodedUpdate& decoded() const;

  // In place, so that reading one keystroke allocates nothing.
  static constexpr std::size_t kStateAlignment = 8;
  alignas(kStateAlignment) std::byte state_[384];
  Bytes own_bytes_;  // what was decoded, in v1, where nobody else has it
};

}  // namespace palimpsest::crdt
