#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace palimpsest::bench {

void Histogram::add(std::chrono::nanoseconds duration) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  const unsigned width = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = width > kBitsWithin + 1 ? width - kBitsWithin - 1 : 0;
  ++buckets_[(static_cast<std::uint64_t>(shift) << kBitsWithin) + (value >> shift)];
  ++count_;
  max_ = std::max(max_, duration);
}

std::chrono::nanoseconds Histogram::quantile(double part) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::uint64_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen < wanted || seen == 0) continue;
    const std::uint64_t shift = i < (2U << kBitsWithin) ? 0 : (i >> kBitsWithin) - 1;
    const std::uint64_t begin = (i - (shift << kBitsWithin)) << shift;
    const auto end = std::chrono::nanoseconds(begin + (std::uint64_t{1} << shift));
    return std::min(end, max_);
  }
  return std::chrono::nanoseconds(0);
}

}  // namespace palimpsest::bench
