#pragma once

#include <cstdint>

#include "crdt/bytes.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {

// What a stored payload is and where it belongs; part of its checksum, so that a payload which
// turns up in another row is noticed too.
struct Place {
  enum class Kind : std::uint64_t {
    kLogEntry = 1,  // of schema version 1
    kCheckpoint = 2,
    kLogRow = 3,
    kSegment = 4,
    kHistory = 5,
  };
  Kind kind;
  DocumentId document;
  std::uint64_t generation;
  Seq seq;  // the last
};

// XXH3, 64 bits, of the payload, seeded with that of its place (kind, document, generation, seq as
// u64 little-endian). Guards against a failing disk, not against somebody who writes to the file.
std::uint64_t checksum(const Place& place, crdt::ByteView payload);

// The same of a segment, and what it is filed under.
struct SegmentPlace {
  Place place;
  Seq first;
  std::uint64_t earliest_ms;
  std::uint64_t latest_ms;
};
std::uint64_t checksum_of_segment(const SegmentPlace& place, crdt::ByteView segment);

// The same of entries of a log, one after the other: of this one behind those of which `before` is.
std::uint64_t checksum(const EntryView& entry, std::uint64_t before);

}  // namespace palimpsest::storage::sqlite
