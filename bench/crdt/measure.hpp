#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace palimpsest::bench {

using Milliseconds = std::chrono::duration<double, std::milli>;

// Of this process: what else runs on its core does not count. Alone there, it is the time that goes
// by.
Milliseconds processor_time();

// Bytes that the program holds by malloc.
std::size_t allocated_bytes();

// One run of what is measured: how long it took.
using Run = std::function<Milliseconds()>;

// Times `work`, which answers a value; `verify` looks at that, untimed.
template <class Work, class Verify>
Run timed(Work work, Verify verify) {
  return [=]() mutable {
    const Milliseconds begin = processor_time();
    const auto result = work();
    const Milliseconds time = processor_time() - begin;
    verify(result);
    return time;
  };
}

// Milliseconds of each run.
struct Times {
  std::vector<double> run;
  std::vector<double> beside;
};

// Until it has been tried for `budget`, after a quarter of that for warming up, and at least three
// times. What takes much longer than that is tried once. `beside`, where there is one, takes turns
// with it: what the machine does meanwhile hits both, and their ratio stays what it is.
Times measure(const Run& run, const Run& beside, std::chrono::duration<double> budget);

}  // namespace palimpsest::bench
