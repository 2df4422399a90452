#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "crdt/reader.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::crdt {

// Columns of numbers as the weave's binary form has them. Call finish() behind the last of those
// that write.

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

// Reads `count` numbers that a DeltaColumn wrote, each shown to take(number). Throws DecodeError
// where there are fewer, or a run of more.
template <class Take>
void read_deltas(Reader& reader, std::uint64_t count, Take take) {
  std::uint64_t value = 0;  // unsigned, so that no sum of what is damaged is undefined
  const auto add = [&](std::int64_t delta) {
    value += static_cast<std::uint64_t>(delta);
    take(static_cast<std::int64_t>(value));
  };
  while (count > 0) {
    const std::size_t at = reader.position();
    const std::int64_t length = reader.read_var_int().value;
    const auto steps = static_cast<std::uint64_t>(length < 0 ? -length : length);
    if (steps == 0 || steps > count) reader.fail_at(at, "a column of another length");
    count -= steps;
    if (length < 0) {
      for (std::uint64_t i = 0; i < steps; ++i) add(reader.read_var_int().value);
    } else {
      const std::int64_t delta = reader.read_var_int().value;
      for (std::uint64_t i = 0; i < steps; ++i) add(delta);
    }
  }
}

}  // namespace palimpsest::crdt
