#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "crdt/woven_text.hpp"
#include "utf16.hpp"

// Each unit that came or went is looked at by itself, as the text was just before; in which order
// does not matter.

namespace palimpsest::crdt {

class WovenWords {
 public:
  WovenWords(const WovenText& text, const Letters& letters) : text_(text), letters_(letters) {}

  std::vector<std::string> run() {
    for (std::size_t unit = 0; unit < text_.size(); ++unit) {
      note_alone(unit);
      note_insertion(unit);
      note_deletion(unit);
    }
    note_today();
    return sorted();
  }

 private:
  static constexpr std::size_t kNone = WovenText::kNone;

  bool joins(std::size_t unit) const { return unit != kNone && letters_.joins(text_.units_[unit]); }
  std::size_t next(std::size_t unit, std::uint32_t at) const {
    return text_.next_between(unit, at, at + 1);
  }
  std::size_t previous(std::size_t unit, std::uint32_t at) const {
    return text_.previous_between(unit, at, at + 1);
  }

  void note_alone(std::size_t unit) {
    const char16_t character = text_.units_[unit];
    if (internal::is_high_half(character)) {
      words_.insert({character, text_.units_[unit + 1]});
    } else if (letters_.alone[character]) {
      words_.insert({letters_.letter[character]});
    }
  }

  // Of units that came together and lie together, the first speaks for all.
  void note_insertion(std::size_t unit) {
    const std::uint32_t came = text_.inserted_[unit];
    if (unit > 0 && text_.inserted_[unit - 1] == came) return;
    const std::size_t right = next(unit + 1, came - 1);
    // What ends here is gone on with.
    if (joins(right)) note_word(right, came - 1);
  }

  void note_deletion(std::size_t unit) {
    const std::uint32_t went = text_.deleted_[unit];
    if (went == WovenText::kNever) return;
    if (!joins(unit)) {
      const std::size_t right = next(unit + 1, went - 1);
      if (joins(right)) note_word(right, went - 1);
    } else if (unit == 0 || text_.deleted_[unit - 1] != went || !joins(unit - 1)) {
      note_word(unit, went - 1);
    }
  }

  // The word that the unit stood in. Behind its first units nothing that happens changes what it is
  // known by.
  void note_word(std::size_t unit, std::uint32_t at) {
    std::size_t begin = unit;
    for (std::size_t i = 0;; ++i) {
      const std::size_t left = previous(begin, at);
      if (!joins(left)) break;
      if (i == Letters::kLongestWord) return;
      begin = left;
    }
    word_.clear();
    for (std::size_t i = 0; i < Letters::kLongestWord && joins(begin); ++i) {
      add_letter(begin);
      begin = next(begin + 1, at);
    }
    take_word();
  }

  void note_today() {
    const auto now = static_cast<std::uint32_t>(text_.last_seq());
    word_.clear();
    std::size_t length = 0;
    for (std::size_t unit = next(0, now); unit != kNone; unit = next(unit + 1, now)) {
      if (!joins(unit)) {
        take_word();
        length = 0;
      } else if (length++ < Letters::kLongestWord) {
        add_letter(unit);
      }
    }
    take_word();
  }

  void add_letter(std::size_t unit) {
    const char16_t letter = letters_.letter[text_.units_[unit]];
    if (letter != Letters::kMark) word_ += letter;
  }

  void take_word() {
    if (!word_.empty()) words_.insert(word_);
    word_.clear();
  }

  std::vector<std::string> sorted() const {
    std::vector<std::string> all;
    all.reserve(words_.size());
    for (const std::u16string& word : words_) {
      std::string& utf8 = all.emplace_back();
      for (std::size_t i = 0; i < word.size(); ++i) {
        if (internal::is_high_half(word[i])) {
          append_utf8(utf8, internal::join_halves(word[i], word[i + 1]));
          ++i;
        } else {
          append_utf8(utf8, word[i]);
        }
      }
    }
    std::sort(all.begin(), all.end());
    // A word stands directly before those that begin with it.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool is_beginning = i + 1 < all.size() && all[i + 1].starts_with(all[i]);
      if (is_beginning) continue;
      if (kept != i) all[kept] = std::move(all[i]);
      ++kept;
    }
    all.resize(kept);
    return all;
  }

  const WovenText& text_;
  const Letters& letters_;
  std::unordered_set<std::u16string> words_;
  std::u16string word_;
};

std::vector<std::string> WovenText::words(const Letters& letters) const {
  return WovenWords(*this, letters).run();
}

}  // namespace palimpsest::crdt
