#include "storage/history_checkpoint.hpp"

#include <algorithm>

#include <xxhash.h>

namespace palimpsest::storage {
namespace {

constexpr Seq kShortest = 16'384;  // read from the log in some ten milliseconds
constexpr Seq kFewest = 4'096;     // new ones, while it is written to
constexpr Seq kGrowth = 8;         // and a share of those that are there
constexpr std::size_t kStepBytes = std::size_t{256} << 10;

}  // namespace

bool is_history_due(Seq last, Seq kept, Occasion occasion) {
  if (last < kShortest || last <= kept) return false;
  return occasion == Occasion::kUnloading || last - kept >= std::max(kFewest, last / kGrowth);
}

std::vector<HistoryStep> steps_of(const HistoryCheckpoint& checkpoint) {
  std::vector<HistoryStep> steps;
  crdt::ByteView rest = checkpoint.bytes;
  do {
    HistoryStep& step = steps.emplace_back();
    step.document = checkpoint.document;
    step.version = checkpoint.version;
    step.number = static_cast<std::uint32_t>(steps.size() - 1);
    const crdt::ByteView bytes = rest.first(std::min(rest.size(), kStepBytes));
    step.bytes.assign(bytes.begin(), bytes.end());
    rest = rest.subspan(bytes.size());
  } while (!rest.empty());
  const std::uint64_t sum = XXH3_64bits(checkpoint.bytes.data(), checkpoint.bytes.size());
  steps.back().done = HistoryStep::Done{checkpoint.seq, sum};
  return steps;
}

}  // namespace palimpsest::storage
