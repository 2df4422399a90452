#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace palimpsest::bench {

// Durations, counted in buckets of which each is 1/32 wider than the one before it ends.
//
// Cost: O(1) to add, O(buckets) to ask; no allocation.
class Histogram {
 public:
  void add(std::chrono::nanoseconds duration);

  std::uint64_t count() const { return count_; }
  std::chrono::nanoseconds max() const { return max_; }
  // The upper end of the bucket below which `part` of all are, 0 < part <= 1; 0 of nothing.
  std::chrono::nanoseconds quantile(double part) const;

 private:
  static constexpr unsigned kBitsWithin = 5;
  std::array<std::uint64_t, (64 - kBitsWithin + 1) << kBitsWithin> buckets_{};
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds max_{0};
};

}  // namespace palimpsest::bench
