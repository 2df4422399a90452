#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "index/words.hpp"
#include "storage/index.hpp"

namespace palimpsest::storage::index {

// What is shown of a text in which terms stand: from some words before the first of them on, in one
// line, without what is not to be seen or turns the direction of what follows. nullopt where none
// of them is there.
std::optional<Snippet> snippet_of(const std::vector<Term>& terms, std::string_view text);
// The same of a text whose places are known.
Snippet snippet_of_places(const std::vector<Place>& places, std::string_view text);

}  // namespace palimpsest::storage::index
