#pragma once

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <string>
#include <vector>

namespace palimpsest::bench {

// Of this thread's processor time, which does not count what else the machine does.
class Clock {
 public:
  double milliseconds() const { return now() - start_; }

 private:
  static double now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  }

  double start_ = now();
};

struct Times {
  std::vector<double> all;
  template <class Work>
  auto take(Work&& work) {
    const Clock clock;
    auto result = work();
    all.push_back(clock.milliseconds());
    return result;
  }
  std::string json(const char* name) {
    std::sort(all.begin(), all.end());
    char text[128];
    std::snprintf(text, sizeof text, ", \"%s\": %.3f, \"%sLongest\": %.3f", name,
                  all[all.size() / 2], name, all.back());
    return text;
  }
};

inline void check(bool is_right, const char* what) {
  if (!is_right) throw std::runtime_error(std::string("wrong result: ") + what);
}

}  // namespace palimpsest::bench
