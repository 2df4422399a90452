#pragma once

#include <chrono>

#include "storage/store.hpp"

namespace palimpsest::server {

// Time that never goes back, for everything that waits or expires.
using Instant = std::chrono::steady_clock::time_point;

// Where the server gets the time from; tests give one that they turn by hand.
//
// Home: any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  // What a person would call the time: written to the log, never used to wait.
  virtual storage::Time wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override { return std::chrono::steady_clock::now(); }
  storage::Time wall() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace palimpsest::server
