#include "storage/time.hpp"

#include "builders.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using storage::format_time;
using storage::parse_time;

TEST_CASE("a time is written as RFC 3339 and reads back", "[time]") {
  CHECK(format_time(time(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(format_time(time(1'790'000'000'123)) == "2026-09-21T14:13:20.123Z");
  CHECK(format_time(time(-1)) == "1969-12-31T23:59:59.999Z");
  for (const std::int64_t ms : {0L, 951'782'400'000L, 1'790'000'000'123L, 4'102'444'799'999L}) {
    CHECK(parse_time(format_time(time(ms))) == time(ms));
  }
}

TEST_CASE("every form of RFC 3339 is read", "[time]") {
  const auto [text, ms] = GENERATE(table<const char*, std::int64_t>({
      {"1970-01-01T00:00:01Z", 1000},
      {"1970-01-01t00:00:01z", 1000},
      {"1970-01-01 00:00:01Z", 1000},
      {"1970-01-01T00:00:01.5Z", 1500},
      {"1970-01-01T00:00:01.123999Z", 1123},
      {"1970-01-01T02:30:00+02:30", 0},
      {"1969-12-31T23:00:00-01:00", 0},
      {"1970-01-01T02:00:00 02:00", 0},  // a query's plus
  }));
  CAPTURE(text);
  CHECK(parse_time(text) == time(ms));
}

TEST_CASE("what is no time is not read as one", "[time]") {
  const auto* const text =
      GENERATE("", "now", "2026", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
               "2026-01-01T00:60:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z",
               "2026-01-01T00:00:00Zz", "2026-01-01T00:00:00+25:00", "2026-13-01T00:00:00Z");
  CAPTURE(text);
  CHECK_FALSE(parse_time(text).has_value());
}

}  // namespace
}  // namespace palimpsest::testing
