// Any bytes are either refused, or a snapshot that reads back as it is written, at which a document
// can be read or not, and which it can be restored to as far as it goes.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "rich_document.hpp"

using namespace palimpsest::crdt;

namespace {

void change(Doc& doc, const ChangeSet& changes) {
  doc.transact(3, [&](Transaction& t) { t.undo(changes); });
  doc.check_invariants();
}

void restore(Doc& doc, const Snapshot& moment) {
  const Bytes update = doc.transact(3, [&](Transaction& t) { t.restore(moment); });
  doc.check_invariants();
  if (!update.empty()) (void)Update::decode(update);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Bytes state = palimpsest::testing::rich_document();
  try {
    const Snapshot moment = Snapshot::decode({data, size});
    if (!(Snapshot::decode(moment.encode()) == moment)) std::abort();
    Doc doc({.gc = false});
    doc.apply(Update::decode(state));
    const auto refusal = doc.check(moment);
    if (!refusal) {
      const Doc then = doc.at(moment);
      then.check_invariants();
      try {
        doc.transact(3, [&](Transaction& t) { t.restore("t", {2, 5}, moment); });
        doc.check_invariants();
      } catch (const std::out_of_range&) {  // shorter then
      }
    }
    if (refusal != SnapshotRefusal::kAhead) restore(doc, moment);
    change(doc, doc.changes_since(moment));
    ChangeSet other{moment.delete_set, {}};
    for (const auto& [client, clock] : moment.state_vector.entries()) {
      other.deleted.add(client, 0, clock);
    }
    change(doc, other);
  } catch (const DecodeError&) {
  }
  return 0;
}
