#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

namespace palimpsest::crdt::internal {

// An array that is filled by whoever has it: no memory is touched before.
template <class T>
class Scratch {
 public:
  T& operator[](std::size_t i) { return values_[i]; }
  const T& operator[](std::size_t i) const { return values_[i]; }
  // For `size` values, of which the first `used` are kept.
  void make_room(std::size_t used, std::size_t size) {
    if (size <= size_) return;
    size_ = std::max(size, size_ + size_ / 2);
    auto values = std::make_unique_for_overwrite<T[]>(size_);
    std::copy_n(values_.get(), used, values.get());
    values_ = std::move(values);
  }

 private:
  std::unique_ptr<T[]> values_;
  std::size_t size_ = 0;
};

}  // namespace palimpsest::crdt::internal
