#pragma once

#include <cstddef>

namespace palimpsest::testing {

// What operator new handed out since this was made: the most that was held at once, in bytes. Link
// support/allocations.cpp, which replaces operator new, into the test that uses it. One thread.
class AllocationPeak {
 public:
  AllocationPeak();
  std::size_t bytes() const;

 private:
  std::size_t held_before_;
};

}  // namespace palimpsest::testing
