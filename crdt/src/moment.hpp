#pragma once

#include <algorithm>

#include "core.hpp"
#include "crdt/change_set.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/snapshot.hpp"

namespace palimpsest::crdt::internal {

// Visits the parts of `whole` that `set`, which is normalized, does not hold. O(log n) and the
// ranges of the set inside `whole`.
template <class Visit>
void for_each_gap(const DeleteSet& set, ClientId client, DeleteSet::Range whole, Visit&& visit) {
  Clock at = whole.clock;
  if (const auto entry = set.clients().find(client); entry != set.clients().end()) {
    const DeleteSet::Ranges& ranges = entry->second;
    auto range =
        std::lower_bound(ranges.begin(), ranges.end(), at,
                         [](const DeleteSet::Range& a, Clock clock) { return a.end() <= clock; });
    for (; range != ranges.end() && range->clock < whole.end(); ++range) {
      if (range->clock > at) visit(DeleteSet::Range{at, range->clock - at});
      at = range->end();
    }
  }
  if (at < whole.end()) visit(DeleteSet::Range{at, whole.end() - at});
}

// All that was inserted and deleted since then.
ChangeSet changes_since(const Core& core, const Snapshot& snapshot);

// Whether the document has seen less than the snapshot.
bool is_ahead(const Core& core, const Snapshot& snapshot);

// Whether content that was visible then, which is not ahead, has been dropped.
bool has_lost_content(const Core& core, const Snapshot& snapshot);

}  // namespace palimpsest::crdt::internal
