// Any bytes are either refused, or a position that reads back as it is written and that a document
// can look for.
#include <cstdint>
#include <cstdlib>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "rich_document.hpp"

using namespace palimpsest::crdt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Doc doc = [] {
    Doc made;
    made.apply(Update::decode(palimpsest::testing::rich_document()));
    return made;
  }();
  try {
    const RelativePosition position = RelativePosition::decode({data, size});
    if (!(RelativePosition::decode(position.encode()) == position)) std::abort();
    const auto place = doc.resolve(position);
    if (!place) return 0;
    // An index of the list comes back to itself. (A position on a map entry has one too, as in Yjs,
    // that means nothing.)
    const auto index_of = [&](std::size_t index, std::int64_t assoc) {
      return doc.resolve(doc.relative_position(place->type(), index, assoc).value()).value().index;
    };
    const std::size_t length = index_of(kMaxSafeInteger, 0);
    if (place->index <= length && index_of(place->index, position.assoc) != place->index) {
      std::abort();
    }
  } catch (const DecodeError&) {
  }
  return 0;
}
