#pragma once

#include <chrono>
#include <cstddef>

#include <sys/types.h>

namespace palimpsest::bench {

// Processor time of all threads of a process since it started, in the system's ticks of 10 ms.
// Throws std::runtime_error when there is no such process.
std::chrono::nanoseconds processor_time(pid_t process);

// What it holds in memory now (VmRSS). Throws std::runtime_error.
std::size_t resident_bytes(pid_t process);

}  // namespace palimpsest::bench
