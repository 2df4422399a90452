#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/delete_set.hpp"
#include "crdt/id.hpp"

namespace palimpsest::crdt {

// What an update would do to a document, said before it is applied: who may do that, and whose
// work it is, can be decided with the document as it was. Doc::touched_by() answers it.
//
// What the document has already is left out: a replica that comes back repeats much of what is
// known, and that is nobody's doing.
struct Touched {
  // A client's new content.
  struct Content {
    ClientId client;
    Clock begin;
    Clock end;
    std::size_t blocks;  // that hold these clocks; between them may be gaps

    friend bool operator==(const Content&, const Content&) = default;
  };

  // Names of the roots under which something is inserted or deleted: sorted, each once.
  std::vector<std::string> roots;
  // Something else is touched, and which root it is under can't be said yet, since what it stands
  // beside or in is neither in the document nor in the update. (What stands beside collected blocks
  // will be collected itself, and touches nothing.)
  bool unknown_roots = false;

  std::vector<Content> content;  // ascending by client
  DeleteSet deletions;           // of what is not deleted yet, or not known yet

  std::size_t size_bytes = 0;   // of the whole update
  std::size_t block_count = 0;  // likewise

  bool nothing() const { return content.empty() && deletions.empty(); }
  // Whether this root is all that is touched.
  bool only(std::string_view root) const {
    return !unknown_roots && (roots.empty() || (roots.size() == 1 && roots.front() == root));
  }
};

}  // namespace palimpsest::crdt
