#pragma once

#include <span>
#include <string>

#include "core.hpp"
#include "crdt/events.hpp"

namespace palimpsest::crdt::internal {

// Where the events of a change go.
struct EventRequest {
  // Roots that are texts whatever is in them; of others the content decides.
  std::span<const std::string> text_roots;
  Events& events;
};

// What the change did so far. To be called before it ends, since the end drops what was deleted and
// joins what is new with what is old.
// Cost: O(k log k + k log n) for k blocks made and deleted in lists of n; the first time that a
// list
//       is told of, and each time where a text has formatting, O(n).
Events collect_events(Core& core, const Change& change, std::span<const std::string> text_roots);

}  // namespace palimpsest::crdt::internal
