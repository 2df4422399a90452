#pragma once

// PALIMPSEST_FAILPOINT("name") is a place at which a test may have the process die as by kill -9.
// Builds without the option PALIMPSEST_FAILPOINTS, such as the product, have nothing there.
//
// The variable PALIMPSEST_FAILPOINT=NAME:N of the environment picks the N-th time that NAME is
// reached. The tests find the names in the sources: a new failpoint is one line.
#ifdef PALIMPSEST_FAILPOINTS

namespace palimpsest::storage {
void reach_failpoint(const char* name) noexcept;
}  // namespace palimpsest::storage

#define PALIMPSEST_FAILPOINT(name) ::palimpsest::storage::reach_failpoint(name)
#else
#define PALIMPSEST_FAILPOINT(name) static_cast<void>(0)
#endif
