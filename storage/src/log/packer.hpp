#pragma once

#include <functional>
#include <optional>

#include "log/segment.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::log {

// How large a stretch is made, and how hard brotli tries (sqlite/limits.hpp says why).
inline constexpr std::size_t kStretchEntries = 65536;
inline constexpr std::size_t kStretchUpdateBytes = std::size_t{16} << 20;
inline constexpr int kStretchQuality = 11;

// Packs entries in order into stretches of such a size that one can be held in memory.
class Packer {
 public:
  using Sink = std::function<void(PackedStretch)>;

  // The first entry has this seq.
  Packer(Seq first, Sink sink) : next_(first), sink_(std::move(sink)) {}

  // The next entry; its seq is not looked at.
  void add(const EntryView& entry);
  // What there is, as a last stretch.
  void finish();
  Seq next() const { return next_; }

 private:
  Seq next_;
  Sink sink_;
  std::optional<SegmentWriter> segment_;
};

}  // namespace palimpsest::storage::log
