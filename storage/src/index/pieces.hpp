#pragma once

#include <string_view>
#include <vector>

namespace palimpsest::storage::index {

// Cuts a text into the pieces of which each gets a row of the index, so that a change of a long
// text costs a row or two. Where it is cut depends on what stands around the place only
// (content-defined chunking): at line ends if it can be, else behind a space, so that no word is
// cut.
//
// Invariant: the pieces one after the other are the text; each is at most kLargestPiece long.
inline constexpr std::size_t kSmallestPiece = std::size_t{4} << 10;
inline constexpr std::size_t kLargestPiece = std::size_t{32} << 10;
std::vector<std::string_view> pieces_of(std::string_view text);

}  // namespace palimpsest::storage::index
