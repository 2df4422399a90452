#include "storage/failpoint.hpp"

#ifdef PALIMPSEST_FAILPOINTS

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

#include <signal.h>
#include <unistd.h>

namespace palimpsest::storage {
namespace {

struct Plan {
  std::string name;
  std::atomic<long> times_until = 0;

  Plan() {
    const char* variable = std::getenv("PALIMPSEST_FAILPOINT");
    const std::string text = variable ? variable : "";
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return;
    name = text.substr(0, colon);
    times_until = std::atol(text.c_str() + colon + 1);
  }
};

}  // namespace

void reach_failpoint(const char* name) noexcept {
  static Plan plan;
  if (plan.name != std::string_view(name) || --plan.times_until != 0) return;
  ::kill(::getpid(), SIGKILL);
}

}  // namespace palimpsest::storage

#endif
