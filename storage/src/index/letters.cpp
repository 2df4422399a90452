#include "index/letters.hpp"

#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include <sqlite3.h>
#include <xxhash.h>

#include "index/utf8.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::index {
namespace {

using crdt::Letters;

// A change of how texts are cut into words or rows, in this folder.
constexpr const char* kRules = "1";

constexpr char32_t kFirstSurrogate = 0xD800;
constexpr char32_t kLastSurrogate = 0xDFFF;

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode 15, blocks of scripts in which no space stands between words.
constexpr Range kWithoutSpaces[] = {
    {0x0E00, 0x0EFF},                    // Thai, Lao
    {0x1000, 0x109F},                    // Myanmar
    {0x1780, 0x17FF},                    // Khmer
    {0x1950, 0x19DF},                    // Tai Le, New Tai Lue
    {0x2E80, 0x2FDF},                    // radicals
    {0x3005, 0x3007},                    // ideographic iteration, closing and zero
    {0x3040, 0x30FF},                    // Hiragana, Katakana
    {0x3100, 0x312F},                    // Bopomofo
    {0x31A0, 0x31BF}, {0x31F0, 0x31FF},  // Katakana
    {0x3400, 0x4DBF},                    // Han
    {0x4E00, 0x9FFF}, {0xA000, 0xA4CF},  // Yi
    {0xF900, 0xFAFF},                    // Han
    {0xFF66, 0xFF9F},                    // Katakana of half a width
};
// They stand on the letter before them, which is the same without.
constexpr Range kDiacritics = {0x0300, 0x036F};

constexpr char32_t kWhiteSpace[] = {'\t',   '\n',   '\v',   '\f',   '\r',   0x85,   0xA0,   0x1680,
                                    0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007,
                                    0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000};

[[noreturn]] void fail(const char* cause) {
  throw Error(Error::Kind::kUnavailable, std::string("full-text search: ") + cause);
}

struct Close {
  void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
};

// FTS5's tokenizers, as SQLite hands them out (https://www.sqlite.org/fts5.html, section 7).
class Tokenizer {
 public:
  Tokenizer() {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE, nullptr);
    database_.reset(handle);
    if (code != SQLITE_OK) fail("no memory for it");
    fts5_api* const api = find_api();
    void* data = nullptr;
    if (api == nullptr || api->xFindTokenizer(api, kTokenizer, &data, &calls_) != SQLITE_OK) {
      fail("this SQLite has no FTS5");
    }
    std::vector<const char*> settings(std::begin(kTokenizerSettings), std::end(kTokenizerSettings));
    if (calls_.xCreate(data, settings.data(), static_cast<int>(settings.size()), &tokenizer_) !=
        SQLITE_OK) {
      fail("this SQLite does not know the tokenizer");
    }
  }
  ~Tokenizer() { calls_.xDelete(tokenizer_); }
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // visit(token, where it ends in the text)
  template <class Visit>
  void run(std::string_view text, Visit&& visit) {
    const auto call = [](void* context, int, const char* token, int size, int, int end) {
      (*static_cast<Visit*>(context))(std::string_view(token, static_cast<std::size_t>(size)),
                                      static_cast<std::size_t>(end));
      return SQLITE_OK;
    };
    calls_.xTokenize(tokenizer_, &visit, FTS5_TOKENIZE_DOCUMENT, text.data(),
                     static_cast<int>(text.size()), call);
  }

 private:
  fts5_api* find_api() {
    fts5_api* api = nullptr;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_.get(), "SELECT fts5(?1)", -1, &statement, nullptr) ==
        SQLITE_OK) {
      sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", nullptr);
      sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return api;
  }

  std::unique_ptr<sqlite3, Close> database_;
  fts5_tokenizer calls_{};
  Fts5Tokenizer* tokenizer_ = nullptr;
};

bool is_surrogate(char32_t unit) { return unit >= kFirstSurrogate && unit <= kLastSurrogate; }

// Asks about each character behind an `a`: where the token ends before it, it is a separator; where
// it ends behind it and is `a` alone, a mark; else what follows the `a` is the letter.
void ask_tokenizer(Letters& letters) {
  std::string text;
  std::vector<char16_t> unit_at;  // by where the piece ends in the text
  for (char32_t unit = 0x80; unit < Letters::kUnits; ++unit) {
    if (is_surrogate(unit)) continue;
    text += 'a';
    append_utf8(text, unit);
    unit_at.resize(text.size() + 1);
    unit_at[text.size()] = static_cast<char16_t>(unit);
    text += ' ';
  }
  Tokenizer().run(text, [&](std::string_view token, std::size_t end) {
    if (token.empty() || token.front() != 'a' || end >= unit_at.size() || unit_at[end] == 0) return;
    const char16_t unit = unit_at[end];
    token.remove_prefix(1);
    if (token.empty()) {
      letters.letter[unit] = Letters::kMark;
      return;
    }
    const char32_t letter = take_character(token);
    // Never more than one, but then the first would not be enough.
    const bool is_one = token.empty() && letter < Letters::kUnits;
    letters.letter[unit] = is_one ? static_cast<char16_t>(letter) : unit;
  });
}

void add_ascii(Letters& letters) {
  for (char16_t c = '0'; c <= '9'; ++c) letters.letter[c] = c;
  for (char16_t c = 'a'; c <= 'z'; ++c) letters.letter[c] = c;
  for (char16_t c = 'A'; c <= 'Z'; ++c) letters.letter[c] = static_cast<char16_t>(c + 'a' - 'A');
}

void add_scripts(Letters& letters) {
  for (const Range& range : kWithoutSpaces) {
    for (char32_t unit = range.first; unit <= range.last; ++unit) {
      letters.alone[unit] = letters.letter[unit] > Letters::kMark;
    }
  }
  for (char32_t unit = kDiacritics.first; unit <= kDiacritics.last; ++unit) {
    letters.letter[unit] = Letters::kMark;
  }
}

void add_comparisons(Letters& letters) {
  for (std::size_t unit = 0; unit < Letters::kUnits; ++unit) {
    const char16_t letter = letters.letter[unit];
    letters.compared[unit] = letter > Letters::kMark ? letter : static_cast<char16_t>(unit);
  }
  for (const char32_t unit : kWhiteSpace) letters.compared[unit] = ' ';
}

std::unique_ptr<const Letters> make_letters() {
  auto letters = std::make_unique<Letters>();
  add_ascii(*letters);
  ask_tokenizer(*letters);
  add_scripts(*letters);
  add_comparisons(*letters);
  return letters;
}

}  // namespace

const Letters& letters() {
  static const std::unique_ptr<const Letters> made = make_letters();
  return *made;
}

const std::string& rules_version() {
  static const std::string version = [] {
    const Letters& known = letters();
    std::uint64_t sum = XXH3_64bits(known.letter.data(), sizeof known.letter);
    for (std::size_t unit = 0; unit < Letters::kUnits; ++unit) {
      if (known.alone[unit]) sum = XXH3_64bits_withSeed(&unit, sizeof unit, sum);
    }
    return std::string(kRules) + "-" + std::to_string(sum);
  }();
  return version;
}

}  // namespace palimpsest::storage::index
