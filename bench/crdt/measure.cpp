#include "measure.hpp"

#include <malloc.h>
#include <time.h>

namespace palimpsest::bench {
namespace {

// As in peers/measure.mjs and peers/native/src/measure.rs.
constexpr std::size_t kFewestRuns = 3;
constexpr std::size_t kMostRuns = 1'000;
constexpr double kTooLongToRepeat = 5;  // times the budget
// Of each in a row, so that both find the caches as they leave them.
constexpr std::size_t kTurn = 8;

}  // namespace

Milliseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::size_t allocated_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Times measure(const Run& run, const Run& beside, std::chrono::duration<double> budget) {
  using Clock = std::chrono::steady_clock;
  Times times;
  const auto try_each = [&](std::size_t turn) {
    for (std::size_t i = 0; beside && i < turn; ++i) times.beside.push_back(beside().count());
    for (std::size_t i = 0; i < turn; ++i) times.run.push_back(run().count());
  };
  const auto warm_at = Clock::now() + budget / 4;
  try_each(1);
  const Milliseconds first(times.run.front());
  if (first > budget * kTooLongToRepeat) return times;
  const std::size_t turn = first * kFewestRuns * kTurn < budget ? kTurn : 1;
  while (Clock::now() < warm_at) try_each(turn);

  times = {};
  const auto done_at = Clock::now() + budget;
  while (times.run.size() < kFewestRuns ||
         (Clock::now() < done_at && times.run.size() < kMostRuns)) {
    try_each(turn);
  }
  return times;
}

}  // namespace palimpsest::bench
