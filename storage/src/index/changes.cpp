#include "index/changes.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include <xxhash.h>

#include "index/packed.hpp"
#include "index/pieces.hpp"
#include "index/words.hpp"

namespace palimpsest::storage::index {
namespace {

// Of the words of one row, and of those that one step writes or takes out.
constexpr std::size_t kRowBytes = std::size_t{64} << 10;
constexpr std::size_t kStepBytes = std::size_t{128} << 10;
// A row is taken in by the one behind it until it is so many times as large.
constexpr std::size_t kGrowth = 2;

template <class Row>
std::uint32_t next_number(const std::vector<Row>& rows) {
  std::uint32_t last = 0;
  for (const Row& row : rows) last = std::max(last, row.number);
  return last + 1;
}

std::size_t bytes_of(const std::vector<std::string>& words) {
  std::size_t bytes = 0;
  for (const std::string& word : words) bytes += word.size() + 1;
  return bytes;
}

IndexStep::Row words_row(std::uint32_t number, const std::vector<std::string>& words) {
  IndexStep::Row row;
  row.number = number;
  row.words = joined(words);
  row.packed = pack(row.words);
  return row;
}

// Whether one of them, which are in order, begins with it.
bool begins_one(const std::vector<std::string>& words, const std::string& word) {
  const auto first = std::lower_bound(words.begin(), words.end(), word);
  return first != words.end() && first->starts_with(word);
}

}  // namespace

TextChanges compare_texts(const std::vector<TextRow>& rows, const std::vector<std::string>& texts) {
  std::unordered_multimap<std::uint64_t, TextRow> there;
  for (const TextRow& row : rows) there.emplace(row.hash, row);
  TextChanges changes;
  std::uint32_t number = next_number(rows);
  for (const std::string& text : texts) {
    for (const std::string_view piece : pieces_of(text)) {
      const std::uint64_t hash = XXH3_64bits(piece.data(), piece.size());
      if (const auto same = there.find(hash); same != there.end()) {
        there.erase(same);
        continue;
      }
      std::string words = indexed_words(piece);
      if (words.empty()) continue;
      changes.added.push_back({number++, hash, pack(piece), std::move(words)});
    }
  }
  for (const auto& [hash, row] : there) changes.gone.push_back(row);
  return changes;
}

WordsChanges compare_words(const std::vector<WordsRow>& rows, std::vector<std::string> words) {
  std::erase_if(words, [&](const std::string& word) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const WordsRow& row) { return begins_one(row.words, word); });
  });
  WordsChanges changes;
  if (words.empty()) return changes;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    const std::size_t bytes = bytes_of(row->words);
    if (bytes > kGrowth * bytes_of(words) || bytes > kRowBytes / 2) break;
    changes.gone.push_back({row->number, 0, {}, joined(row->words)});
    words.insert(words.end(), row->words.begin(), row->words.end());
  }
  std::sort(words.begin(), words.end());
  std::uint32_t number = next_number(rows);
  std::vector<std::string> part;
  std::size_t bytes = 0;
  for (std::string& word : words) {
    bytes += word.size() + 1;
    part.push_back(std::move(word));
    if (bytes < kRowBytes) continue;
    changes.added.push_back(words_row(number++, std::exchange(part, {})));
    bytes = 0;
  }
  if (!part.empty()) changes.added.push_back(words_row(number, part));
  return changes;
}

std::vector<IndexStep> steps_of(const std::string& document, std::uint64_t revision,
                                IndexStep changes) {
  std::vector<IndexStep> steps;
  std::size_t bytes = kStepBytes;
  const auto take = [&](auto rows_of) {
    for (IndexStep::Row& row : changes.*rows_of) {
      if (steps.empty() || bytes + row.words.size() > kStepBytes) {
        IndexStep& step = steps.emplace_back();
        step.document = document;
        step.revision = revision++;
        bytes = 0;
      }
      bytes += row.words.size();
      (steps.back().*rows_of).push_back(std::move(row));
    }
  };
  take(&IndexStep::gone_texts);
  take(&IndexStep::new_texts);
  take(&IndexStep::gone_words);
  take(&IndexStep::new_words);
  if (steps.empty()) {
    IndexStep& step = steps.emplace_back();
    step.document = document;
    step.revision = revision;
  }
  steps.back().done = std::move(changes.done);
  return steps;
}

}  // namespace palimpsest::storage::index
