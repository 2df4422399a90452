#pragma once

#include <cstdint>

#include "crdt/delete_set.hpp"

namespace palimpsest::crdt {

class Update;

// What some changes did, by the ids of the units: which they inserted and which they deleted. The
// changes of one author, of an afternoon, or all since a snapshot (Doc::changes_since()).
struct ChangeSet {
  DeleteSet inserted;
  DeleteSet deleted;

  // The blocks and deletions of the update, as they stand in it. A map entry that lost to one of
  // the update's without its author knowing is not among them; Doc::changes_since() a snapshot from
  // before the update was applied has those too.
  void add(const Update& update);
  void add(const ChangeSet& changes);
  bool empty() const { return inserted.empty() && deleted.empty(); }
};

// What undoing a ChangeSet came to. Units: as of Clock.
struct Undone {
  std::uint64_t deleted = 0;   // inserted by the changes and visible until now
  std::uint64_t restored = 0;  // deleted by the changes and here again
  // Deleted by the changes and not restored, since …
  std::uint64_t collected = 0;   // … the document has dropped the content
  std::uint64_t superseded = 0;  // … a map entry has been set by somebody else since
  std::uint64_t homeless = 0;    // … the type it was in is deleted, and not by these changes

  friend bool operator==(const Undone&, const Undone&) = default;
};

}  // namespace palimpsest::crdt
