#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "crdt/bytes.hpp"
#include "log/number.hpp"
#include "log/number_model.hpp"
#include "log/shape.hpp"
#include "log/update_columns.hpp"

namespace palimpsest::storage::log {

// What somebody did, as far as it tells how long it took: the forms of an update, and of typing
// whether it was a small letter, a space or something else.
using Gesture = std::size_t;
inline constexpr Gesture kGestures = 2 + static_cast<std::size_t>(Form::kEnd);
inline Gesture gesture_of(Form form, const Shape& shape) {
  constexpr Gesture kLetter = 0;
  constexpr Gesture kSpace = 1;
  constexpr Gesture kOther = 2;
  if (form != Form::kTyped) return kOther + static_cast<Gesture>(form);
  const std::uint8_t key = shape.blocks[0].content[0];
  if (key == ' ') return kSpace;
  return key >= 'a' && key <= 'z' ? kLetter : kOther;
}

// The times of entries, as steps from one to the next. How long one took is learned for each two
// gestures: behind a space people think, and within a word they type at a pace. A step that comes
// again is stored with how often, since programs do not think; and steps of a clock that goes by
// seconds are stored in seconds.
//
// steps := number(first time) number(unit) number(stored) byte*
//   of what is range coded: step ((it is the one before) number(how often it comes again))?
// step  := 1 + units, forward | 0 units, back: the clock was set
class StepModel {
 public:
  struct Step {
    std::uint64_t forward = 0;  // 1 + units; 0: it goes back
    std::uint64_t back = 0;     // units, where it does

    bool operator==(const Step&) const = default;
  };

  // Behind `before`, somebody made `gesture`.
  template <class Coder>
  void code(Coder& coder, Gesture before, Gesture gesture, Step& step) {
    forward_.code(coder, before * kGestures + gesture, step.forward);
    if (step.forward == 0) back_.code(coder, 0, step.back);
  }
  template <class Coder>
  void code_again(Coder& coder, std::uint64_t& again) {
    again_.code(coder, 0, again);
  }

 private:
  NumberModel<kGestures * kGestures> forward_;
  NumberModel<1> back_;
  NumberModel<1> again_;
};

// Cost: some nanoseconds for each; write() some 0.1 µs. Memory: 32 bytes a step.
class StepWriter {
 public:
  void add(std::uint64_t at, Gesture gesture);
  void write(crdt::Bytes& out) &&;

 private:
  struct Timed {
    Gesture before;
    Gesture gesture;
    std::uint64_t step;   // as of difference()
    std::uint64_t again;  // of one that is that before it
  };

  std::uint64_t first_ = 0;
  std::uint64_t at_ = 0;
  Gesture before_ = 0;
  bool is_again_ = false;  // the last one is that before it
  std::vector<Timed> steps_;
};

// Reads them again. Throws Malformed.
class StepReader {
 public:
  explicit StepReader(Source& source);

  // When the next entry came.
  std::uint64_t next(Gesture gesture) {
    if (again_ > 0) {
      --again_;
    } else {
      read(gesture);
    }
    before_ = gesture;
    return at_ += step_;
  }
  // Leaves `source` behind them.
  static void skip(Source& source);

 private:
  void read(Gesture gesture);

  std::uint64_t at_ = 0;
  std::uint64_t unit_ = 0;
  RangeDecoder decoder_;
  std::unique_ptr<StepModel> model_;
  Gesture before_ = 0;
  StepModel::Step last_;
  std::uint64_t step_ = 0;   // of last_, in milliseconds
  std::uint64_t again_ = 0;  // how often it is still to come
};

}  // namespace palimpsest::storage::log
