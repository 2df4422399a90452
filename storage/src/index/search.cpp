#include <algorithm>

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

namespace {

constexpr std::size_t kUnitsBefore = 60;
constexpr std::size_t kUnitsBehind = 160;

std::u16string units_of(std::string_view utf8) {
  std::u16string units;
  while (!utf8.empty()) {
    const char32_t character = index::take_character(utf8);
    if (character >= crdt::Letters::kUnits) {
      units += static_cast<char16_t>(0xD800 + ((character - 0x10000) >> 10));
      units += static_cast<char16_t>(0xDC00 + ((character - 0x10000) & 0x3FF));
    } else {
      units += static_cast<char16_t>(character);
    }
  }
  return units;
}

std::string utf8_of(std::u16string_view units) {
  std::string utf8;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const bool is_pair = units[i] >= 0xD800 && units[i] < 0xDC00 && i + 1 < units.size();
    if (!is_pair) {
      index::append_utf8(utf8, units[i]);
      continue;
    }
    index::append_utf8(utf8, 0x10000 + (static_cast<char32_t>(units[i] - 0xD800) << 10) +
                                 (units[i + 1] - 0xDC00U));
    ++i;
  }
  return utf8;
}

}  // namespace

Snippet snippet_at(const crdt::WovenText& text, std::size_t unit, Seq at, std::string_view phrase) {
  std::u16string wanted = units_of(phrase);
  const auto around =
      text.around(unit, at, kUnitsBefore + wanted.size(), kUnitsBehind + wanted.size());
  std::u16string compared = around.units;
  for (std::u16string* units : {&wanted, &compared}) {
    for (char16_t& one : *units) one = index::letters().compared[one];
  }
  // The phrase has the unit in it, and may have its characters twice.
  const std::size_t first = around.place + 1 - std::min(around.place + 1, wanted.size());
  const std::size_t found = compared.find(wanted, first);
  const std::string utf8 = utf8_of(around.units);
  if (found == std::u16string::npos || found > around.place)
    return index::snippet_of_places({}, utf8);
  const std::u16string_view units = around.units;
  const std::size_t begin = utf8_of(units.substr(0, found)).size();
  const std::size_t end = begin + utf8_of(units.substr(found, wanted.size())).size();
  return index::snippet_of_places({{begin, end}}, utf8);
}

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
