#include "index/pieces.hpp"

#include <algorithm>
#include <cstdint>

#include <xxhash.h>

namespace palimpsest::storage::index {
namespace {

// What stands before a place decides: so many bytes of it.
constexpr std::size_t kLook = 32;
// One of so many line ends, of so many spaces.
constexpr std::uint64_t kLineEnds = 16;
constexpr std::uint64_t kSpaces = 512;
// Spaces count from here on only: most texts have lines.
constexpr std::size_t kLongForLines = std::size_t{16} << 10;

bool is_cut(std::string_view text, std::size_t begin, std::size_t at) {
  const char last = text[at - 1];
  const bool is_long = at - begin >= kLongForLines;
  if (last != '\n' && !(is_long && last == ' ')) return false;
  const std::size_t look = std::min(kLook, at - begin);
  const std::uint64_t sum = XXH3_64bits(text.data() + at - look, look);
  return sum % (last == '\n' ? kLineEnds : kSpaces) == 0;
}

bool is_inside_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<std::uint8_t>(text[at]) & 0xC0) == 0x80;
}

// Where nothing else cut it: behind the last space, else between two characters.
std::size_t end_by_force(std::string_view text, std::size_t begin) {
  const std::size_t most = begin + kLargestPiece;
  const std::size_t space = text.find_last_of(" \n", most - 1);
  if (space != std::string_view::npos && space >= begin + kSmallestPiece) return space + 1;
  std::size_t end = most;
  while (is_inside_character(text, end)) --end;
  return end;
}

std::size_t end_of_piece(std::string_view text, std::size_t begin) {
  const std::size_t most = std::min(text.size(), begin + kLargestPiece);
  for (std::size_t at = begin + kSmallestPiece; at < most; ++at) {
    if (is_cut(text, begin, at)) return at;
  }
  return most == text.size() ? most : end_by_force(text, begin);
}

}  // namespace

std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = end_of_piece(text, begin);
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

}  // namespace palimpsest::storage::index
