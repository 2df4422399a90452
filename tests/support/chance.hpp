#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>

namespace palimpsest::testing {

// The random choices of one run, from one seed.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : engine_() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class Range>
  auto& of(Range& range) {
    return range[below(std::size(range))];
  }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace palimpsest::testing
