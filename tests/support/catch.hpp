#pragma once

// Catch2 v2 or v3, whichever is installed; nobody else includes Catch2.
#ifdef PALIMPSEST_CATCH2_V3
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
