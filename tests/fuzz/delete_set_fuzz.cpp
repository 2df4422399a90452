// Any bytes are either refused, or a set of deletions that reads back as it is written, that can be
// put in order without losing one, and that a document can take in.
#include <cstdint>
#include <cstdlib>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "rich_document.hpp"

using namespace palimpsest::crdt;

namespace {

DeleteSet reread(const DeleteSet& deletes) {
  Writer writer;
  deletes.write(writer);
  const Bytes bytes = std::move(writer).take();
  Reader reader(bytes);
  DeleteSet again = DeleteSet::read(reader);
  if (!reader.at_end()) std::abort();
  return again;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Bytes state = palimpsest::testing::rich_document();
  try {
    Reader reader({data, size});
    const DeleteSet read = DeleteSet::read(reader);
    DeleteSet ordered = read;
    ordered.normalize();
    if (!(reread(ordered) == ordered)) std::abort();
    for (const auto& [client, ranges] : read.clients()) {
      for (const DeleteSet::Range& range : ranges) {
        if (range.length > 0 && !ordered.contains({client, range.clock})) std::abort();
        if (range.length > 0 && !ordered.contains({client, range.clock + range.length - 1}))
          std::abort();
      }
    }
    Bytes update{0};
    update.insert(update.end(), data, data + (size - reader.remaining()));
    Doc doc;
    doc.apply(Update::decode(state));
    doc.apply(Update::decode(update));
    doc.check_invariants();
    Doc copy;
    copy.apply(Update::decode(doc.encode()));
    if (copy.encode() != doc.encode()) std::abort();
  } catch (const DecodeError&) {
  }
  return 0;
}
