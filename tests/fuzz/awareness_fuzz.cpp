// Any bytes are either refused, or awareness states that read back as they are written.
#include <cstdint>
#include <cstdlib>

#include "crdt/awareness.hpp"
#include "crdt/error.hpp"

using namespace palimpsest::crdt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::vector<AwarenessState> states = decode_awareness({data, size});
    if (!(decode_awareness(encode_awareness(states)) == states)) std::abort();
    Awareness awareness;
    for (const AwarenessState& state : states) awareness.apply(state);
  } catch (const DecodeError&) {
  }
  return 0;
}
