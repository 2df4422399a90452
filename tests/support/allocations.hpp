#pragma once

#include <cstddef>

namespace palimpsest::testing {

// Link support/allocations.cpp, which replaces operator new, into the test that uses these. Both
// are of the thread that makes them.

// What operator new handed out since this was made: the most that was held at once, in bytes.
class AllocationPeak {
 public:
  AllocationPeak();
  std::size_t bytes() const;

 private:
  std::size_t held_before_;
};

// While it lives, operator new gives so many pieces and then throws std::bad_alloc: once, or each
// time. One at a time.
class AllocationFault {
 public:
  AllocationFault(std::size_t pieces, bool for_ever);
  ~AllocationFault();
  AllocationFault(const AllocationFault&) = delete;
  AllocationFault& operator=(const AllocationFault&) = delete;

  bool has_struck() const;
};

}  // namespace palimpsest::testing
