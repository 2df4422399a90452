// Any bytes are either refused, or an update in v2 that is the same update in v1: it applies as
// that does, and goes to v2 and back without a change. Bytes that are an update in v1 go to v2 and
// back likewise.
#include <cstdint>
#include <cstdlib>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/v2.hpp"

namespace {

using namespace palimpsest::crdt;

// What has been taken once is taken again, however short its other form is.
constexpr V2Limits kAny{.free_blocks = std::size_t{1} << 24};

void require(bool condition) {
  if (!condition) std::abort();
}

Bytes state_after(const Update& update) {
  Doc doc;
  doc.apply(update);
  doc.check_invariants();
  return doc.encode();
}

void check_there_and_back(const Bytes& v1) {
  const Bytes state = state_after(Update::decode(v1));
  const Bytes v2 = update_v2_from_v1(v1);
  require(state_after(Update::decode_v2(v2, kAny)) == state);
  // What is not in the order in which Yjs writes is in that order now.
  const Bytes ordered = update_v1_from_v2(v2, kAny);
  require(state_after(Update::decode(ordered)) == state);
  require(update_v2_from_v1(ordered) == v2);
  require(update_v1_from_v2(update_v2_from_v1(ordered), kAny) == ordered);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const Update update = Update::decode_v2({data, size});
    const Bytes v1 = update_v1_from_v2({data, size});
    require(update.size_bytes() == v1.size());
    require(v1.size() <= V2Limits{}.v1_bytes(size));
    require(update.block_count() == Update::decode(v1).block_count());
    require(state_after(update) == state_after(Update::decode(v1)));
    check_there_and_back(v1);
  } catch (const DecodeError& error) {
    require(error.offset_bytes() <= size);
  }
  try {
    (void)Update::decode({data, size});
    check_there_and_back(Bytes(data, data + size));
  } catch (const DecodeError&) {
  }
  return 0;
}
