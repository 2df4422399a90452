#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "storage/history.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage {

// Retention: history that is older than so many days is thinned to bursts, as the timeline groups
// them (one author's changes until a pause of a minute).
//
// Of the entries that were made between the end of one burst and that of the next, one carries all
// that was written, and the last of each author what that one deleted; the rest become empty, so
// that seqs stay without a gap and every moment can still be asked for. What the document said
// where a burst ends, at each moment with a name and at the checkpoint, is exactly as before, and
// so is who wrote it, who deleted what stood there, and all clients' clocks: the document and its
// peers never notice. What is gone is what one client wrote and erased again between two such
// moments, and when within a burst each key was pressed: times are those of every half minute or
// so, with the ends of each burst to the millisecond. What cannot be merged without changing who
// did what stays (log/thinning.hpp).
//
// A moment inside of a thinned burst is shown as the end of the one before (History::look_up()).
// A moment that was named is a border, also inside of a burst. What was thinned is not thinned
// again, so doing it twice is doing it once.
//
// It is there to save room, and not to keep anything secret: what it drops may stay in free pages
// of the database until they are used again or the store is written anew, in backups, and as words
// in the index over the past, of which a search then finds no moment. Who wants text gone for good
// purges it (Writer::rewrite() with a Purge, then scrub()).
struct ThinningRule {
  Time now;
  std::uint32_t days = 0;  // what is older than so many
};

struct Thinning {
  LogRewrite rewrite;  // for Writer::rewrite(), with `note`
  Thinned note;
  std::size_t entries = 0;  // behind what was thinned before, up to note.until
  std::size_t emptied = 0;  // of them
  std::size_t bursts = 0;   // that end there
};

// What a thinning by this rule would change; nullopt where there is nothing to thin. The history is
// as far as its log is on disk. Before it is answered, the log as it would be is replayed and held
// against the checkpoint: crdt::Bug where it would not come to the same.
// Cost: reads the log three times, some microseconds for each entry of the pieces that change;
//       memory of the document, and of all that the bursts came to.
std::optional<Thinning> prepare_thinning(History& history, Reader& reader,
                                         const ThinningRule& rule);

}  // namespace palimpsest::storage
