#include "index/snippet.hpp"

#include <algorithm>

namespace palimpsest::storage::index {
namespace {

constexpr std::size_t kBytesBefore = 60;
constexpr std::size_t kCharacters = 200;
constexpr std::size_t kPlaces = 20;

// Unicode Bidirectional Algorithm §2, and what takes no room.
bool is_invisible(char32_t c) {
  return (c >= 0x7F && c < 0xA0) || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF || c == 0xFFFC;
}

// Some way before `at`, where a word begins if there is such a place.
std::size_t begin_before(std::string_view text, std::size_t at) {
  std::size_t begin = at > kBytesBefore ? at - kBytesBefore : 0;
  if (begin == 0) return 0;
  const std::size_t space = text.find_first_of(" \n\t", begin);
  if (space < at) return space + 1;
  while (begin < at && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) ++begin;
  return begin;
}

}  // namespace

std::optional<Snippet> snippet_of(const std::vector<Term>& terms, std::string_view text) {
  const std::vector<Place> places = places_of(terms, text);
  if (places.empty()) return std::nullopt;
  return snippet_of_places(places, text);
}

Snippet snippet_of_places(const std::vector<Place>& places, std::string_view text) {
  const std::size_t begin = places.empty() ? 0 : begin_before(text, places.front().begin);
  Snippet snippet;
  std::string_view rest = text.substr(begin);
  std::size_t units = 0;
  auto place = places.begin();
  for (std::size_t count = 0; !rest.empty() && count < kCharacters; ++count) {
    const std::size_t at = text.size() - rest.size();
    if (place != places.end() && at == place->begin && snippet.matches.size() < kPlaces)
      snippet.matches.emplace_back(units, units);
    const char32_t character = take_character(rest);
    if (!is_invisible(character)) {
      append_utf8(snippet.text, character < 0x20 ? U' ' : character);
      units += character >= crdt::Letters::kUnits ? 2 : 1;
    }
    if (place == places.end() || at < place->begin) continue;
    if (!snippet.matches.empty()) snippet.matches.back().second = units;
    if (text.size() - rest.size() >= place->end) ++place;
  }
  return snippet;
}

}  // namespace palimpsest::storage::index
