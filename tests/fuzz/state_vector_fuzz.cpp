// Any bytes are either refused, or a state vector that reads back as it is written and that a
// document can answer.
#include <cstdint>
#include <cstdlib>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/state_vector.hpp"

using namespace palimpsest::crdt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Doc doc = [] {
    Doc made;
    made.transact(1, [](Transaction& t) { t.text_insert("t", 0, "some text"); });
    made.transact(2, [](Transaction& t) { t.text_delete("t", 2, 3); });
    return made;
  }();
  try {
    const StateVector vector = StateVector::decode({data, size});
    if (!(StateVector::decode(vector.encode()) == vector)) std::abort();
    (void)Update::decode(doc.encode_since(vector));
  } catch (const DecodeError&) {
  }
  return 0;
}
