#include "log/steps.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace palimpsest::storage::log {
namespace {

using Step = StepModel::Step;

// How far, whether it goes forward (even) or back: see difference().
std::uint64_t length_of(std::uint64_t step) { return (step >> 1) + (step & 1); }

Step in_units(std::uint64_t step, std::uint64_t unit) {
  const std::uint64_t units = length_of(step) / unit;
  return step & 1 ? Step{0, units} : Step{1 + units, 0};
}

}  // namespace

void StepWriter::add(std::uint64_t at, Gesture gesture) {
  if (steps_.empty()) first_ = at_ = at;
  const std::uint64_t step = difference(at_, at);
  at_ = at;
  const Gesture before = std::exchange(before_, gesture);
  const bool is_same = !steps_.empty() && steps_.back().step == step;
  if (is_same && is_again_) {
    ++steps_.back().again;
    return;
  }
  is_again_ = is_same;
  steps_.push_back({before, gesture, step, 0});
}

void StepWriter::write(crdt::Bytes& out) && {
  std::uint64_t unit = 0;
  for (const Timed& timed : steps_) unit = std::gcd(unit, length_of(timed.step));
  unit = std::max<std::uint64_t>(unit, 1);

  const auto model = std::make_unique<StepModel>();
  RangeEncoder encoder;
  Step last;
  for (Timed& timed : steps_) {
    Step step = in_units(timed.step, unit);
    model->code(encoder, timed.before, timed.gesture, step);
    if (step == last) model->code_again(encoder, timed.again);
    last = step;
  }
  const crdt::Bytes stored = std::move(encoder).finish();
  put_number(out, first_);
  put_number(out, unit);
  put_number(out, stored.size());
  put_bytes(out, stored);
}

StepReader::StepReader(Source& source)
    : at_(source.number()),
      unit_(source.number()),
      decoder_(source.bytes(source.number())),
      model_(std::make_unique<StepModel>()) {}

void StepReader::skip(Source& source) {
  source.number();
  source.number();
  source.bytes(source.number());
}

void StepReader::read(Gesture gesture) {
  Step step;
  model_->code(decoder_, before_, gesture, step);
  if (step == last_) model_->code_again(decoder_, again_);
  last_ = step;
  step_ = step.forward > 0 ? (step.forward - 1) * unit_ : 0 - step.back * unit_;
}

}  // namespace palimpsest::storage::log
