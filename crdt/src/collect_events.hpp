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
// Cost: O(n log n) in the blocks that the change made and deleted; O(length in blocks) of each list
//       and text that it changed and of each list on the way to a changed type.
Events collect_events(const Core& core, const Change& change,
                      std::span<const std::string> text_roots);

}  // namespace palimpsest::crdt::internal
