#include "pending.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "crdt/merge.hpp"

namespace palimpsest::crdt::internal {
namespace {

// So much is merged with each update that waits, as Yjs does.
constexpr std::size_t kMergedAtOnceBytes = 4096;

}  // namespace

bool ClockRanges::add(ClientId client, Clock begin, Clock end) {
  if (begin >= end) return false;
  Ranges& ranges = clients_[client];
  auto after = ranges.upper_bound(begin);
  if (after != ranges.begin()) {
    const auto before = std::prev(after);
    if (before->second >= end) return false;
    if (before->second >= begin) {
      begin = before->first;
      after = before;
    }
  }
  while (after != ranges.end() && after->first <= end) {
    end = std::max(end, after->second);
    after = ranges.erase(after);
    --count_;
  }
  ranges.emplace_hint(after, begin, end);
  ++count_;
  return true;
}

void ClockRanges::take_below(ClientId client, Clock clock, std::vector<Deletion>& taken) {
  const auto entry = clients_.find(client);
  if (entry == clients_.end()) return;
  Ranges& ranges = entry->second;
  while (!ranges.empty() && ranges.begin()->first < clock) {
    const auto [begin, end] = *ranges.begin();
    ranges.erase(ranges.begin());
    if (end > clock) {
      ranges.emplace(clock, end);
    } else {
      --count_;
    }
    taken.push_back({client, begin, std::min(end, clock) - begin});
  }
  if (ranges.empty()) clients_.erase(entry);
}

std::vector<ClientId> ClockRanges::clients() const {
  std::vector<ClientId> clients;
  for (auto entry = clients_.rbegin(); entry != clients_.rend(); ++entry) {
    clients.push_back(entry->first);
  }
  return clients;
}

DeleteSet ClockRanges::to_delete_set() const {
  DeleteSet set;
  for (const auto& [client, ranges] : clients_) {
    for (const auto& [begin, end] : ranges) set.append(client, begin, end - begin);
  }
  return set;
}

PendingBlocks::PendingBlocks(WaitingBlocks first)
    : merged_(std::move(first.update)), blocks_(first.blocks), missing_(std::move(first.missing)) {
  for (const auto& [client, begin, end] : first.runs) ranges_.add(client, begin, end);
}

bool PendingBlocks::keep(WaitingBlocks more) {
  for (const auto& [client, clock] : more.missing) {
    const auto [entry, is_new] = missing_.try_emplace(client, clock);
    if (!is_new) entry->second = std::min(entry->second, clock);
  }
  bool adds = false;
  for (const auto& [client, begin, end] : more.runs) {
    if (ranges_.add(client, begin, end)) adds = true;
  }
  const bool is_little = size_bytes() + more.update.size() <= kMergedAtOnceBytes;
  if (!adds && !is_little) return false;
  blocks_ += adds ? more.blocks : 0;
  laid_aside_bytes_ += more.update.size();
  laid_aside_.push_back(std::move(more.update));
  if (is_little || laid_aside_bytes_ > merged_.size() + kMergedAtOnceBytes) merge();
  return adds;
}

const Bytes& PendingBlocks::update() const {
  if (!laid_aside_.empty()) merge();
  return merged_;
}

void PendingBlocks::merge() const {
  std::vector<ByteView> all{merged_};
  all.insert(all.end(), laid_aside_.begin(), laid_aside_.end());
  merged_ = merge_updates(all);
  blocks_ = decode_update(merged_).blocks;
  laid_aside_.clear();
  laid_aside_bytes_ = 0;
}

const Clock* PendingBlocks::missing_of(ClientId client) const {
  const auto entry = missing_.find(client);
  return entry != missing_.end() ? &entry->second : nullptr;
}

std::size_t PendingBlocks::memory_bytes() const {
  constexpr std::size_t kTreeNodeBytes = 48;
  return merged_.capacity() + laid_aside_bytes_ + laid_aside_.capacity() * sizeof(Bytes) +
         (ranges_.count() + missing_.size()) * kTreeNodeBytes;
}

}  // namespace palimpsest::crdt::internal
