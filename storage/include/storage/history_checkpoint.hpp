#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crdt/bytes.hpp"
#include "storage/index.hpp"

// What opens a long history without reading its log: made from the log by a Reader
// (Reader::prepare_history()), stored by the Writer, taken up by History::catch_up(). It is
// derived: one that is missing or damaged costs time and nothing else.
namespace palimpsest::storage {

// Which log it is that a document's name stands for: none, or of which generation, and how often it
// was rewritten since it began. Who remembers what was in it has to read it again when that
// changes.
struct LogVersion {
  std::uint64_t generation = 0;  // 0: there is no such document
  std::uint64_t rewrites = 0;

  friend bool operator==(const LogVersion&, const LogVersion&) = default;
};

// What a document is doing when something is to be made of its log.
enum class Occasion {
  kEditing,    // only what is worth it by itself
  kUnloading,  // whatever there is
};

struct HistoryCheckpoint {
  std::string document;
  LogVersion version;
  Seq seq = 0;        // up to where it has the log
  crdt::Bytes bytes;  // History::encode()
};

// Whether one is to be made of a log that ends with `last`, where there is one up to `kept` (0:
// none). A short log is read as fast; of one that grows one is made each time that it has grown by
// an eighth, so that what is written for it in all is nine times its size.
bool is_history_due(Seq last, Seq kept, Occasion occasion);

// A checkpoint is stored in steps, so that none holds the writer up for long.
struct HistoryStep {
  std::string document;
  LogVersion version;
  std::uint32_t number = 0;  // 0 begins anew
  crdt::Bytes bytes;
  // With the last one: it counts from then on, and the one before goes.
  struct Done {
    Seq seq = 0;
    std::uint64_t checksum = 0;  // of all bytes, XXH3
  };
  std::optional<Done> done;
};
std::vector<HistoryStep> steps_of(const HistoryCheckpoint& checkpoint);

}  // namespace palimpsest::storage
