#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "storage/history.hpp"
#include "storage/time.hpp"

namespace palimpsest::server {

// When terms of a search stood in a document, told from its history.
struct PastSearch {
  std::vector<std::string> terms;  // as storage::search_terms() gives them
  // Only what stood there at some time of these, written, completed or ended by somebody: a name,
  // or the number of a client.
  std::optional<storage::Time> from;
  std::optional<storage::Time> until;
  std::string who;
  std::size_t occurrences = 20;  // of each term in each text
};

// [{"term", "text", "complete", "occurrences": [as occurrences_json() and "snippet": {"text",
// "matches": [[begin, end]]}]}, …]; nothing where one of the terms is nowhere.
nlohmann::ordered_json past_matches_json(storage::History& history, const PastSearch& search);

}  // namespace palimpsest::server
