#include "http/moments.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace palimpsest::server::http {

using storage::History;
using storage::Seq;

Seq moment(const History& history, const Query& query, const std::string& parameter) {
  const std::string* when = find_parameter(query, parameter);
  if (!when) throw Problem(400, parameter + ": a moment is missing");
  return looking_for(parameter, [&] { return history.resolve(*when); });
}

Seq moment_or_now(const History& history, const Query& query, const std::string& parameter) {
  return find_parameter(query, parameter) ? moment(history, query, parameter) : history.last_seq();
}

crdt::Id parse_type(std::string_view text) {
  const auto number = [&](std::string_view digits) {
    std::uint64_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || stop != end) throw Problem(400, "type must be CLIENT:CLOCK");
    return value;
  };
  const std::size_t colon = std::min(text.find(':'), text.size());
  return {number(text.substr(0, colon)), number(text.substr(std::min(colon + 1, text.size())))};
}

}  // namespace palimpsest::server::http
