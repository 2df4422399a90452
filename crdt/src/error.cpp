#include "crdt/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace palimpsest::crdt {

void report_bug(const char* expression, const char* file, int line) {
  const std::string what =
      std::string(file) + ":" + std::to_string(line) + ": broken invariant: " + expression;
#ifdef PALIMPSEST_ABORT_ON_BUG
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
#else
  throw Bug(what);
#endif
}

}  // namespace palimpsest::crdt
