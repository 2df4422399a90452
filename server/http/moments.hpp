#pragma once

#include <string>
#include <string_view>

#include "http/problem.hpp"
#include "http/target.hpp"
#include "storage/history.hpp"

namespace palimpsest::server::http {

// What requests about a document's past have in common: moments, and which text is meant.

// Calls what looks into a history, and says which parameter or member it does not fit: a Problem in
// place of NotInHistory (404) and std::invalid_argument (400).
template <class Look>
auto looking_for(std::string_view parameter, Look&& look) {
  try {
    return look();
  } catch (const storage::NotInHistory& error) {
    throw Problem(404, std::string(parameter) + ": " + error.what());
  } catch (const std::invalid_argument& error) {
    throw Problem(400, std::string(parameter) + ": " + error.what());
  }
}

// Throw Problem.
storage::Seq moment(const storage::History& history, const Query& query,
                    const std::string& parameter);
storage::Seq moment_or_now(const storage::History& history, const Query& query,
                           const std::string& parameter);
crdt::Id parse_type(std::string_view text);

}  // namespace palimpsest::server::http
