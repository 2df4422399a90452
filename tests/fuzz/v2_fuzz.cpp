// Any bytes are either refused, or an update in v2 that is the same update in v1: it applies as
// that does. Bytes that are an update in v1 go to v2 and back without a change, once they are
// written as Yjs writes (numbers as short as can be, JSON without spaces …).
#include <cstdint>
#include <cstdlib>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/v2.hpp"
#include "support/loading.hpp"

namespace {

using namespace palimpsest::crdt;

// What has been taken once is taken again, however short its other form is.
constexpr V2Limits kAny{.free_blocks = std::size_t{1} << 24};

void require(bool condition) {
  if (!condition) std::abort();
}

Doc doc_after(const Update& update) {
  Doc doc;
  doc.apply(update);
  doc.check_invariants();
  return doc;
}

// `v1`: an update in v1, in any of the forms in which one can be written.
void check_there_and_back(ByteView v1) {
  const Doc doc = doc_after(Update::decode(v1));
  const Bytes v2 = update_v2_from_v1(v1);
  const Bytes canonical = update_v1_from_v2(v2, kAny);
  const Doc copy = doc_after(Update::decode(canonical));
  require(copy.state_vector() == doc.state_vector());
  require(copy.delete_set() == doc.delete_set());
  require(doc_after(Update::decode_v2(v2, kAny)).encode() == copy.encode());

  const Bytes canonical_v2 = update_v2_from_v1(canonical);
  require(update_v1_from_v2(canonical_v2, kAny) == canonical);
}

void check_v2(ByteView v2) {
  const Update update = Update::decode_v2(v2);
  const Bytes v1 = update_v1_from_v2(v2);
  require(v1.size() <= V2Limits{}.v1_bytes(v2.size()));
  require(update.size_bytes() == v1.size());
  require(update.block_count() == Update::decode(v1).block_count());
  require(doc_after(update).encode() == doc_after(Update::decode(v1)).encode());
  check_there_and_back(v1);
}

template <class Decode>
bool is_taken(ByteView bytes, Decode&& decode) {
  try {
    (void)decode(bytes);
    return true;
  } catch (const DecodeError& error) {
    require(error.offset_bytes() <= bytes.size());
    return false;
  }
}

}  // namespace

// What is taken once must not be refused later: an exception from the checks ends the program.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  palimpsest::testing::check_loading_v2(bytes);
  if (is_taken(bytes, [](ByteView v2) { return Update::decode_v2(v2); })) check_v2(bytes);
  if (is_taken(bytes, [](ByteView v1) { return Update::decode(v1); })) check_there_and_back(bytes);
  return 0;
}
