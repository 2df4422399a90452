// Any bytes are either refused, or an update that a document takes, writes and reads back as the
// same document. The input is a sequence of updates, each behind its length in two bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "support/loading.hpp"

namespace {

using namespace palimpsest::crdt;

void require(bool condition) {
  if (!condition) std::abort();
}

void read_everything(const Doc& doc) {
  for (const std::string& root : doc.root_names()) {
    (void)doc.text(root);
    (void)doc.delta(root).to_json();
    (void)doc.array(root).to_json();
    (void)doc.map(root).to_json();
    (void)doc.xml(root);
  }
}

void apply_all(Doc& doc, ByteView input) {
  while (input.size() >= 2) {
    const std::size_t length = std::min<std::size_t>(input[0] | input[1] << 8, input.size() - 2);
    const ByteView bytes = input.subspan(2, length);
    input = input.subspan(2 + length);
    palimpsest::testing::check_loading(bytes);
    try {
      const Update update = Update::decode(bytes);
      const bool known = doc.covers(update);
      const bool changed = doc.apply(update).changed;
      require(!known || !changed);
      doc.check_invariants();
    } catch (const DecodeError&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Doc doc({.gc = true, .clean_formatting = false});
  apply_all(doc, {data, size});
  const Bytes state = doc.encode();
  palimpsest::testing::check_loading(state);
  Doc copy;
  copy.apply(Update::decode(state));
  copy.check_invariants();
  // What waits is tried again at the next update only, as in Yjs: the copy may be ahead.
  if (!doc.has_pending()) {
    require(copy.state_vector() == doc.state_vector());
    require(copy.delete_set() == doc.delete_set());
  }
  read_everything(copy);

  Doc cleaned({.gc = true, .clean_formatting = true});
  apply_all(cleaned, {data, size});
  require(cleaned.state_vector() == doc.state_vector());
  return 0;
}
