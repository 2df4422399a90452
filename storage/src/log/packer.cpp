#include "log/packer.hpp"

#include <utility>

namespace palimpsest::storage::log {

void Packer::add(const EntryView& entry) {
  if (!segment_) segment_.emplace();
  segment_->add(entry);
  ++next_;
  if (segment_->entries() >= kStretchEntries || segment_->update_bytes() >= kStretchUpdateBytes) {
    finish();
  }
}

void Packer::finish() {
  if (!segment_) return;
  PackedStretch stretch;
  stretch.first = next_ - segment_->entries();
  stretch.last = next_ - 1;
  stretch.earliest = segment_->earliest();
  stretch.latest = segment_->latest();
  stretch.bytes = std::move(*segment_).finish(kStretchQuality);
  segment_.reset();
  sink_(std::move(stretch));
}

}  // namespace palimpsest::storage::log
