#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "http/target.hpp"
#include "room/room.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::http {

// What lists and searches of documents have in common.

// What is stored of a document, and what its room knows better.
nlohmann::ordered_json document_json(const storage::DocumentSummary& document,
                                     const std::optional<RoomStatus>& status);

// Where the next page begins, as text that only we read; null for nowhere.
nlohmann::ordered_json cursor_json(const std::optional<storage::ListPlace>& place);
// The parameter `cursor`. Throws Problem.
std::optional<storage::ListPlace> cursor_parameter(const Query& query);

// A parameter that is 1 or 0. Throws Problem.
bool flag_parameter(const Query& query, std::string_view name);

}  // namespace palimpsest::server::http
