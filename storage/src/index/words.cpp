#include "index/words.hpp"

#include <algorithm>

namespace palimpsest::storage::index {
namespace {

constexpr std::size_t kTerms = 16;
constexpr std::size_t kWordsOfTerm = 64;

// Words with `between` them; the last one as the beginning of others where it is one.
std::string in_quotes(const Term& term, std::string_view between) {
  std::string match;
  for (const std::string& word : term.words) {
    match += match.empty() ? "\"" : std::string(between);
    match += word;
  }
  match += '"';
  return term.is_beginning ? match + " *" : match;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void add_term(std::vector<Term>& terms, std::string_view written, bool is_beginning) {
  Term term;
  for_each_word(written, [&](const Word& word) {
    if (term.words.size() < kWordsOfTerm) term.words.push_back(word.indexed);
  });
  if (term.words.empty() || terms.size() == kTerms) return;
  term.is_beginning = is_beginning;
  term.written = written;
  terms.push_back(std::move(term));
}

bool matches(const Term& term, const std::vector<Word>& words, std::size_t at) {
  if (at + term.words.size() > words.size()) return false;
  for (std::size_t i = 0; i < term.words.size(); ++i) {
    const std::string& there = words[at + i].indexed;
    const bool is_last = i + 1 == term.words.size();
    const bool fits =
        is_last && term.is_beginning ? there.starts_with(term.words[i]) : there == term.words[i];
    if (!fits) return false;
  }
  return true;
}

}  // namespace

std::string indexed_pair(char32_t character) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string hex;
  for (; character != 0; character >>= 4) hex += kDigits[character & 15];
  std::reverse(hex.begin(), hex.end());
  return "u" + hex;
}

std::string indexed_words(std::string_view text) {
  std::string words;
  words.reserve(text.size());
  for_each_word(text, [&](const Word& word) {
    if (!words.empty()) words += ' ';
    words += word.indexed;
  });
  return words;
}

std::string indexed_word(std::string_view word) {
  std::string_view rest = word;
  const char32_t character = take_character(rest);
  return character >= crdt::Letters::kUnits ? indexed_pair(character) : std::string(word);
}

std::vector<Term> parse_query(std::string_view query) {
  std::vector<Term> terms;
  while (!query.empty()) {
    const bool is_quoted = query.front() == '"';
    if (is_quoted || is_space(query.front())) query.remove_prefix(1);
    const auto end_of = [&](auto&& ends) {
      return static_cast<std::size_t>(std::find_if(query.begin(), query.end(), ends) -
                                      query.begin());
    };
    const std::size_t end = is_quoted ? end_of([](char c) { return c == '"'; })
                                      : end_of([](char c) { return c == '"' || is_space(c); });
    add_term(terms, query.substr(0, end), !is_quoted);
    query.remove_prefix(is_quoted ? std::min(end + 1, query.size()) : end);
  }
  return terms;
}

std::string match_phrase(const Term& term) { return in_quotes(term, " "); }

std::string match_words(const Term& term) { return in_quotes(term, "\" AND \""); }

std::string match_listed(const Term& term) {
  std::string match;
  for (const std::string& word : term.words) match += " " + word;
  return term.is_beginning ? match : match + " ";
}

std::string listed_words(const std::vector<std::string_view>& fields) {
  std::string listed;
  for (const std::string_view field : fields) {
    const std::string words = indexed_words(field);
    if (!words.empty()) listed += " " + words + " \n";
  }
  return listed;
}

std::vector<Place> places_of(const std::vector<Term>& terms, std::string_view text) {
  std::vector<Word> words;
  for_each_word(text, [&](const Word& word) { words.push_back(word); });
  std::vector<Place> places;
  for (std::size_t at = 0; at < words.size();) {
    std::size_t length = 0;
    for (const Term& term : terms) {
      if (matches(term, words, at)) length = std::max(length, term.words.size());
    }
    if (length > 0) places.push_back({words[at].begin, words[at + length - 1].end});
    at += std::max<std::size_t>(length, 1);
  }
  return places;
}

}  // namespace palimpsest::storage::index
