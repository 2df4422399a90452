// The times of entries come out of a segment to the millisecond, whatever the clock did.

#include "log/steps.hpp"

#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using storage::log::Form;
using storage::log::Gesture;
using storage::log::gesture_of;
using storage::log::kGestures;
using storage::log::Malformed;
using storage::log::Shape;
using storage::log::Source;
using storage::log::StepReader;
using storage::log::StepWriter;

using Random = std::mt19937_64;
using Times = std::vector<std::uint64_t>;

// What was done by the i-th entry.
Gesture gesture(std::size_t i) { return i * i % kGestures; }

crdt::Bytes write(const Times& times) {
  StepWriter writer;
  for (std::size_t i = 0; i < times.size(); ++i) writer.add(times[i], gesture(i));
  crdt::Bytes bytes;
  std::move(writer).write(bytes);
  return bytes;
}

Times read(const crdt::Bytes& bytes, std::size_t count) {
  Source source(bytes);
  StepReader reader(source);
  if (!source.at_end()) return {};
  Times times;
  for (std::size_t i = 0; i < count; ++i) times.push_back(reader.next(gesture(i)));
  return times;
}

Times at_steps(std::uint64_t step, std::size_t count) {
  Times times;
  for (std::size_t i = 0; i < count; ++i) times.push_back(1'790'000'000'000 + step * i);
  return times;
}

// Somebody types at a pace.
Times typed(Random& random, std::uint64_t unit, std::size_t count) {
  Times times{1'790'000'000'000};
  while (times.size() < count) {
    const std::uint64_t units = random() % 30 == 0 ? random() % 100'000 : 8 + random() % 8;
    times.push_back(times.back() + unit * units);
  }
  return times;
}

TEST_CASE("any times come out as they went in", "[steps]") {
  constexpr auto kEarliest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::min());
  constexpr auto kLatest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto times = GENERATE_COPY(values<Times>({
      {},
      {0},
      {kLatest},
      {5, 5, 5, 5, 5, 6, 6, 6},
      {1000, 900, 800, 700, 700, 650, 10'000},
      {kEarliest, kLatest, kEarliest, kLatest, 0, kEarliest, kEarliest, kLatest, 3},
      {0, ~std::uint64_t{0}, 0, ~std::uint64_t{0}},
      {0, std::uint64_t{1} << 63, 0, std::uint64_t{1} << 63},
  }));
  CHECK(read(write(times), times.size()) == times);
}

TEST_CASE("times of typing come out as they went in, also of a clock that was set", "[steps]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  Random random(seed);
  Times times = typed(random, 1, 5000);
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (random() % 100 == 0) times[i] -= random() % 10'000;
    if (random() % 10 == 0 && i > 1) times[i] = 2 * times[i - 1] - times[i - 2];
  }
  CHECK(read(write(times), times.size()) == times);
}

TEST_CASE("steps that are all the same take no room", "[steps]") {
  CHECK(write(at_steps(120, 65'536)).size() < 24);
  CHECK(write(at_steps(0, 65'536)).size() < 24);
}

TEST_CASE("a clock that goes by seconds takes no more room than one of milliseconds", "[steps]") {
  Random fine(1);
  Random coarse(1);
  const std::size_t usual = write(typed(fine, 1, 2000)).size();
  CHECK(write(typed(coarse, 1000, 2000)).size() <= usual + 2);
}

TEST_CASE("how long something takes is learned from what it is", "[steps]") {
  Times fitting{0};
  Times others{0};
  for (std::size_t i = 1; i < 2000; ++i) {
    fitting.push_back(fitting.back() + 100 * gesture(i) + i % 3);
    others.push_back(others.back() + 100 * gesture(7 * i + i / 5) + i % 3);
  }
  CHECK(write(fitting).size() < write(others).size() * 3 / 4);
}

TEST_CASE("typing a letter, a space and anything else are told apart", "[steps]") {
  Shape shape;
  const auto of_key = [&](std::uint8_t key) {
    shape.blocks.assign(1, {});
    shape.blocks[0].content = {&key, 1};
    return gesture_of(Form::kTyped, shape);
  };
  CHECK(of_key('a') == of_key('z'));
  CHECK(of_key('a') != of_key(' '));
  CHECK(of_key('a') != of_key('.'));
  CHECK(of_key(' ') != of_key('.'));
  CHECK(of_key('.') == of_key('A'));
  CHECK(of_key('.') != gesture_of(Form::kErasedBack, shape));
  CHECK(gesture_of(Form::kWhole, {}) < kGestures);
}

TEST_CASE("times that are cut off are refused", "[steps]") {
  Random random(1);
  const crdt::Bytes whole = write(typed(random, 1, 50));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const crdt::Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS_AS(read(cut, 50), Malformed);
  }
}

}  // namespace
}  // namespace palimpsest::testing
