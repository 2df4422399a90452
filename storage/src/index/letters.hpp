#pragma once

#include <string>

#include "crdt/letters.hpp"

namespace palimpsest::storage::index {

// How SQLite's FTS5 is told to tell words apart: as Unicode does, marks on letters apart, and with
// the signs that scripts such as Devanagari put on letters. What it answers for each character is
// what letters() says, so that words can be told without it.
inline constexpr const char* kTokenizer = "unicode61";
inline constexpr const char* kTokenizerSettings[] = {"remove_diacritics", "2", "categories",
                                                     "L* N* Co Mn Mc"};

// The letters of that tokenizer: lower case, without diacritics. In scripts without spaces between
// words (Chinese, Japanese, Thai …) every character is a word by itself, and a word of such a text
// is found as a phrase: trigrams, which FTS5 has too, would not find words of two characters, which
// most of the Chinese ones are, and take three times the room.
//
// Cost: made once, in some milliseconds. Throws storage::Error where SQLite has no FTS5.
const crdt::Letters& letters();

// Names the rules by which texts become words, and the letters that this SQLite knows. What was
// indexed under another name has to be indexed anew.
const std::string& rules_version();

}  // namespace palimpsest::storage::index
