#include "index/snippet.hpp"
#include "index/words.hpp"
#include "storage/index.hpp"

namespace palimpsest::storage {

std::vector<std::string> search_terms(std::string_view query) {
  std::vector<std::string> written;
  for (index::Term& term : index::parse_query(query)) written.push_back(std::move(term.written));
  return written;
}

const crdt::Letters& search_letters() { return index::letters(); }

std::vector<std::pair<std::size_t, std::size_t>> search_matches(std::string_view query,
                                                               std::string_view text) {
  const std::vector<index::Place> places = index::places_of(index::parse_query(query), text);
  std::vector<std::pair<std::size_t, std::size_t>> matches;
  std::string_view rest = text;
  std::size_t units = 0;
  auto place = places.begin();
  while (place != places.end() && !rest.empty()) {
    const std::size_t at = text.size() - rest.size();
    if (at == place->begin) matches.emplace_back(units, units);
    const char32_t character = index::take_character(rest);
    units += character >= crdt::Letters::kUnits ? 2 : 1;
    if (at < place->begin) continue;
    matches.back().second = units;
    if (text.size() - rest.size() >= place->end) ++place;
  }
  return matches;
}

}  // namespace palimpsest::storage
