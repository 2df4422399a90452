#pragma once

#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"

namespace palimpsest::bench {

struct Log {
  struct Entry {
    crdt::ClientId sender;
    crdt::Bytes update;
    bool erases = false;  // one unit, else it writes one; known of what is made up
  };
  std::vector<Entry> entries;
};

}  // namespace palimpsest::bench
