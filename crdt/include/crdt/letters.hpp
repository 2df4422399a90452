#pragma once

#include <array>
#include <bitset>
#include <cstddef>

namespace palimpsest::crdt {

// How units of text make up words, and which of them count as the same: a table that is made
// elsewhere, by whoever knows about scripts.
//
// Units: UTF-16 code units. Surrogates are no letters: a pair is a word by itself.
struct Letters {
  static constexpr std::size_t kUnits = 0x10000;
  // A word is known by so many units of it.
  static constexpr std::size_t kLongestWord = 64;

  static constexpr char16_t kSeparator = 0;  // is in no word
  static constexpr char16_t kMark = 1;       // is in the word that it stands in, and adds nothing

  // What a unit is in a word: one of these, or the letter that it stands for.
  std::array<char16_t, kUnits> letter{};
  // Those that are a word by themselves, in scripts that put no space between words.
  std::bitset<kUnits> alone;
  // What a unit is compared as where a phrase is looked for: letters as above, white space as a
  // space, all else as itself.
  std::array<char16_t, kUnits> compared{};

  // Whether it goes on a word, or begins one.
  bool joins(char16_t unit) const { return letter[unit] != kSeparator && !alone[unit]; }
};

}  // namespace palimpsest::crdt
