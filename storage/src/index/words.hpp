#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crdt/letters.hpp"
#include "index/letters.hpp"
#include "index/utf8.hpp"

namespace palimpsest::storage::index {

// A word of a text: where it stands, in bytes, and how it is indexed. Characters above U+FFFF are
// words by themselves and go by their number, so that a search finds an emoji too.
struct Word {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string indexed;
};

std::string indexed_pair(char32_t character);

// Visits the words of UTF-8 text in order: visit(const Word&). Of what is longer than
// Letters::kLongestWord the first units count.
template <class Visit>
void for_each_word(std::string_view text, Visit&& visit) {
  const crdt::Letters& known = letters();
  Word word;
  std::size_t units = 0;
  const auto end_word = [&] {
    if (!word.indexed.empty()) visit(std::as_const(word));
    word.indexed.clear();
    units = 0;
  };
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t begin = text.size() - rest.size();
    const char32_t character = take_character(rest);
    const std::size_t end = text.size() - rest.size();
    const bool is_pair = character >= crdt::Letters::kUnits;
    if (is_pair || !known.joins(static_cast<char16_t>(character))) {
      end_word();
      if (is_pair) {
        visit(Word{begin, end, indexed_pair(character)});
      } else if (known.alone[character]) {
        word.begin = begin;
        word.end = end;
        append_utf8(word.indexed, known.letter[character]);
        end_word();
      }
      continue;
    }
    if (units++ == 0) word.begin = begin;
    word.end = end;
    const char16_t letter = known.letter[character];
    if (units <= crdt::Letters::kLongestWord && letter != crdt::Letters::kMark)
      append_utf8(word.indexed, letter);
  }
  end_word();
}

// The words of a text as they are indexed, with a space between each two.
std::string indexed_words(std::string_view text);
// The same of a word as crdt::WovenText::words() tells it.
std::string indexed_word(std::string_view word);

// What somebody looks for: some terms, all of which have to be there. A term is one or more words
// in a row: what stands between quotation marks, or between spaces; the last word of the latter
// stands for all that begin with it.
struct Term {
  std::vector<std::string> words;
  bool is_beginning = false;
  std::string written;  // as it came, without the quotation marks
};
// Any text is a query. Terms without a letter are left out.
std::vector<Term> parse_query(std::string_view query);

// The term in FTS5's own language: as a phrase, or as words that may stand anywhere. There is
// nothing in it but letters, so that nothing a user types is taken for an operator.
std::string match_phrase(const Term& term);
std::string match_words(const Term& term);

// The term as it is looked for in what listed_words() makes of titles, names and tags.
std::string match_listed(const Term& term);
std::string listed_words(const std::vector<std::string_view>& fields);

// Where the terms stand in the text, in bytes, in order and apart.
struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;
};
std::vector<Place> places_of(const std::vector<Term>& terms, std::string_view text);

}  // namespace palimpsest::storage::index
