// Any bytes are either refused, or sync messages that read back as they are written.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "crdt/reader.hpp"
#include "crdt/sync.hpp"
#include "crdt/writer.hpp"

using namespace palimpsest::crdt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Reader reader({data, size});
  try {
    while (!reader.at_end()) {
      const SyncMessage message = SyncMessage::read(reader);
      Writer writer;
      message.write(writer);
      Reader again(writer.view());
      const SyncMessage copy = SyncMessage::read(again);
      if (copy.kind != message.kind || !std::ranges::equal(copy.payload, message.payload)) {
        std::abort();
      }
    }
  } catch (const DecodeError&) {
  }
  return 0;
}
