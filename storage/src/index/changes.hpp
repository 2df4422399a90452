#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/index.hpp"

namespace palimpsest::storage::index {

// What rows of the index have to go and come so that they are of these texts, and of these words
// and all that there were before: the decisions, without a database.

// A row as it is in the database, as far as it matters.
struct TextRow {
  std::uint32_t number = 0;
  std::uint64_t hash = 0;
};
struct WordsRow {
  std::uint32_t number = 0;
  std::vector<std::string> words;  // in order
};

struct TextChanges {
  std::vector<TextRow> gone;
  std::vector<IndexStep::Row> added;
};
// Pieces that are there already stay, wherever they are in the text.
TextChanges compare_texts(const std::vector<TextRow>& rows, const std::vector<std::string>& texts);

struct WordsChanges {
  std::vector<IndexStep::Row> gone;
  std::vector<IndexStep::Row> added;
};
// Of `words`, in order, those that none in the rows begins with. They come in a row with the small
// ones before it, so that a document has few rows, and each word is written a few times in its
// life.
WordsChanges compare_words(const std::vector<WordsRow>& rows, std::vector<std::string> words);

// The changes in pieces of work that hold a writer up for some milliseconds each; `done` goes with
// the last one.
std::vector<IndexStep> steps_of(const std::string& document, std::uint64_t revision,
                                IndexStep changes);

}  // namespace palimpsest::storage::index
