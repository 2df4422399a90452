#include "log.hpp"

#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

TEST_CASE("S35: a message cannot forge a line or steer the terminal", "[log]") {
  CHECK(server::escape_controls("a\nb\r\x1b[31m\t\x7f") == "a\\nb\\x0d\\x1b[31m\\x09\\x7f");
  CHECK(server::escape_controls("Zo\xc3\xab") == "Zo\xc3\xab");
}

}  // namespace
}  // namespace palimpsest::testing
