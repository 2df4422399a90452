#include "support/allocations.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

#include <malloc.h>

namespace {

thread_local std::size_t held_bytes = 0;
thread_local std::size_t peak_bytes = 0;

struct Fault {
  bool is_armed = false;
  bool is_for_ever = false;
  bool has_struck = false;
  std::size_t pieces = 0;  // that are left
};
thread_local Fault fault;

bool strikes() {
  if (!fault.is_armed) return false;
  if (fault.pieces > 0) {
    --fault.pieces;
    return false;
  }
  fault.is_armed = fault.is_for_ever;
  return fault.has_struck = true;
}

}  // namespace

void* operator new(std::size_t size) {
  void* const memory = strikes() ? nullptr : std::malloc(size != 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  held_bytes += malloc_usable_size(memory);
  peak_bytes = std::max(peak_bytes, held_bytes);
  return memory;
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void operator delete(void* memory) noexcept {
  if (memory != nullptr) held_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace palimpsest::testing {

AllocationPeak::AllocationPeak() : held_before_(held_bytes) { peak_bytes = held_bytes; }

std::size_t AllocationPeak::bytes() const { return peak_bytes - held_before_; }

AllocationFault::AllocationFault(std::size_t pieces, bool for_ever) {
  fault = {true, for_ever, false, pieces};
}
AllocationFault::~AllocationFault() { fault.is_armed = false; }

bool AllocationFault::has_struck() const { return fault.has_struck; }

}  // namespace palimpsest::testing
