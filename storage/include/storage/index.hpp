#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"
#include "crdt/letters.hpp"
#include "crdt/woven_text.hpp"
#include "storage/time.hpp"

// What the index over all documents takes and answers. It is derived from the logs, and can be
// made again from them at any time; what people set by hand (title, tags, stars, bin) is not.
namespace palimpsest::storage {

// A document's number in this store, given at its first append.
using DocumentId = std::int64_t;
// Position in one document's log: 1, 2, 3 … without a gap, in commit order.
using Seq = std::uint64_t;

// --- What a list shows ---

// How much was done in one piece of time in which there was something.
struct Activity {
  struct Share {
    crdt::ClientId client = 0;  // of somebody with several, one of them; 0: all others
    std::string name;
    std::uint64_t changes = 0;
  };
  Time begin;
  std::vector<Share> shares;  // the busiest first
};
// The length of that piece, and how many of the last ones are kept.
inline constexpr std::chrono::hours kActivityPeriod{6};
inline constexpr std::size_t kActivityPeriods = 30;

// A place in a list, to go on behind it. In a list that changes meanwhile nothing comes twice; what
// moved to the front is there, and not further down.
struct ListPlace {
  std::int64_t time = 0;  // what the list is ordered by: milliseconds, or
  std::string title;
  DocumentId document = 0;
};

// Which documents are listed, and how.
struct ListQuery {
  enum class Order {
    kEdited,   // the last first
    kCreated,  // the last first
    kTitle,    // by their letters, upper and lower case as one; those without a title last
    kDeleted,  // the last first; of the bin only
  };
  // Words of the title, the name or the tags begin with all of these; quotation marks hold words
  // together (see SearchQuery).
  std::string words;
  std::optional<std::string> tag;
  // Whose stars are shown, and whether only what has one is listed.
  std::string user;
  bool only_starred = false;
  bool in_bin = false;  // only what is in the bin, or only what is not
  Order order = Order::kEdited;
  std::optional<ListPlace> after;
  std::size_t limit = 100;
};

// --- What is set by hand ---

// Changes what people set of a document; what is nullopt stays.
struct DocumentEdit {
  std::string document;
  std::optional<std::optional<std::string>> title;  // an inner nullopt: as the text says it
  std::optional<std::vector<std::string>> tags;     // all of them
  struct Star {
    std::string user;
    bool is_set = false;
  };
  std::optional<Star> star;
  // For how many days its history is kept as it was written: 0 for ever, an inner nullopt as all
  // others.
  std::optional<std::optional<std::uint32_t>> history_days = {};
};

// --- Full-text search ---

// Documents in which all terms of the text stand: words, which stand for all words that begin with
// them, and phrases in quotation marks. Upper and lower case and diacritics make no difference, and
// neither does what stands between words. Any text is a query; one without a letter finds nothing.
struct SearchQuery {
  enum class In {
    kNow,   // in their titles, names, tags and texts
    kPast,  // anywhere in what they ever said, also at different times
  };
  std::string text;
  In in = In::kNow;
  std::string user;                // whose stars are shown
  std::optional<ListPlace> after;  // by the last edit
  std::size_t limit = 20;
};

// Text around a place where a term stands. Places are UTF-16 units of it.
struct Snippet {
  std::string text;
  std::vector<std::pair<std::size_t, std::size_t>> matches;  // [begin, end)
};

// The terms of a query as they were written, and the letters by which they are compared: for a
// search of a document's past (crdt::WovenText::search()).
std::vector<std::string> search_terms(std::string_view query);
const crdt::Letters& search_letters();

// Text around a place where a phrase stood at that moment: `unit` is one of its units, as
// crdt::WovenText::search() with search_letters() tells it.
Snippet snippet_at(const crdt::WovenText& text, std::size_t unit, Seq at, std::string_view phrase);

// Where the terms stand in a short text, such as a title.
std::vector<std::pair<std::size_t, std::size_t>> search_matches(std::string_view query,
                                                                std::string_view text);

// --- Keeping it ---

// Changes the rows of one document: prepared by a Reader, made by the Writer. Large documents come
// in steps, so that none holds the writer up for long.
struct IndexStep {
  struct Row {
    std::uint32_t number = 0;
    std::uint64_t hash = 0;  // of what is in it
    crdt::Bytes packed;
    std::string words;  // for FTS5; of a row that goes, as when it came
  };
  // The last step says what the index is of from then on.
  struct Done {
    Seq seq = 0;
    Seq past_seq = 0;
    crdt::Bytes activity;
    std::string title;  // of the text, as of `seq`
    std::string excerpt;
  };
  std::string document;
  std::uint64_t generation = 1;  // of the document: of another one of that name it is none
  std::uint64_t revision = 0;    // of its rows, when this is made; each step makes it one more
  // What it says now, and all words that it ever said.
  std::vector<Row> gone_texts;
  std::vector<Row> new_texts;
  std::vector<Row> gone_words;
  std::vector<Row> new_words;
  std::optional<Done> done;
  // What is there cannot be read: the whole index is emptied.
  bool finds_damage = false;
};

struct PreparedIndex {
  std::vector<IndexStep> steps;  // at least one; to be made in order
  // The text that a title is read from; its title and excerpt are for the caller to fill in.
  std::string main_text;
};

}  // namespace palimpsest::storage
