#include "measure.hpp"

#include <malloc.h>
#include <time.h>

namespace palimpsest::bench {
namespace {

// As in peers/measure.mjs and peers/native/src/measure.rs.
constexpr std::size_t kFewestRuns = 3;
constexpr std::size_t kMostRuns = 1'000;
constexpr double kTooLongToRepeat = 5;  // times the budget

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

std::vector<double> measure(const Run& run, std::chrono::duration<double> budget) {
  using Clock = std::chrono::steady_clock;
  const auto warm_at = Clock::now() + budget / 4;
  const Milliseconds first = run();
  if (first > budget * kTooLongToRepeat) return {first.count()};
  while (Clock::now() < warm_at) run();

  std::vector<double> times;
  const auto done_at = Clock::now() + budget;
  while (times.size() < kFewestRuns || (Clock::now() < done_at && times.size() < kMostRuns)) {
    times.push_back(run().count());
  }
  return times;
}

}  // namespace palimpsest::bench
