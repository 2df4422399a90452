#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "crdt/writer.hpp"

namespace palimpsest::crdt {

// Columns of numbers as the weave's binary form has them. Call finish() behind the last.

// Writes equal values that follow each other once.
//
// runs := (varUint(count) varUint(value))*
class RunColumn {
 public:
  explicit RunColumn(Writer& writer) : writer_(writer) {}
  void add(std::uint64_t value) {
    if (count_ > 0 && value != value_) finish();
    value_ = value;
    ++count_;
  }
  void finish() {
    if (count_ == 0) return;
    writer_.write_var_uint(count_);
    writer_.write_var_uint(value_);
    count_ = 0;
  }

 private:
  Writer& writer_;
  std::uint64_t value_ = 0;
  std::uint64_t count_ = 0;
};

// Writes numbers as what they differ by from the one before, the first from 0; where that repeats,
// once.
//
// deltas := (varInt(count) varInt(delta) | varInt(-count) varInt(delta)*)*
class DeltaColumn {
 public:
  explicit DeltaColumn(Writer& writer) : writer_(writer) {}
  void add(std::int64_t value) {
    const std::int64_t delta = value - std::exchange(last_, value);
    if (repeats_ > 0 && delta == delta_) {
      ++repeats_;
      return;
    }
    close_run();
    delta_ = delta;
    repeats_ = 1;
  }
  void finish() {
    close_run();
    flush();
  }

 private:
  static constexpr std::int64_t kWorthwhile = 3;

  void close_run() {
    if (repeats_ >= kWorthwhile) {
      flush();
      writer_.write_var_int(repeats_);
      writer_.write_var_int(delta_);
    } else {
      single_.insert(single_.end(), static_cast<std::size_t>(repeats_), delta_);
    }
    repeats_ = 0;
  }
  void flush() {
    if (single_.empty()) return;
    writer_.write_var_int(-static_cast<std::int64_t>(single_.size()));
    for (const std::int64_t delta : single_) writer_.write_var_int(delta);
    single_.clear();
  }

  Writer& writer_;
  std::int64_t last_ = 0;
  std::int64_t delta_ = 0;
  std::int64_t repeats_ = 0;
  std::vector<std::int64_t> single_;
};

}  // namespace palimpsest::crdt
