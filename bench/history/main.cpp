// history_bench: times a document's weave: opening it from its log, the text of any moment, the
// difference of any two, search over all time, and the size of the binary form.
//
// usage: history_bench [--updates FILE] [--root NAME] [--made-up N] [--authors N] [--phrase WORDS]…
//                      [--store DIR]
//   --updates FILE  a log: (u32 length, update)*, little-endian
//   --made-up N     else so many updates by --authors people who type at once, always the same
//   --store DIR     the log also goes into a new store there, as the server keeps it, and its
//   history
//                   is opened by who has read nothing yet
//
// Prints one line of JSON: processor times in milliseconds, each the median of several questions,
// and the longest. What is answered is checked; the exit status is 1 when it is wrong.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "../program.hpp"
#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "crdt/weave.hpp"
#include "log.hpp"
#include "stored.hpp"
#include "times.hpp"

namespace palimpsest::bench {
namespace {

using crdt::Bytes;
using crdt::ByteView;
using crdt::Seq;

constexpr const char* kWords[] = {
    "the ", "history ", "of ",        "a ",    "document ", "is ",   "kept ",
    "and ", "every ",   "keystroke ", "can ",  "be ",       "seen ", "\n# Part ",
    "who ", "wrote ",   "it ",        "when ", "they ",     "did ",  "palimpsest "};

struct Options {
  std::string updates;
  std::string root = "content";
  std::size_t made_up = 1'000'000;
  std::size_t authors = 20;
  std::vector<std::string> phrases;
  std::string store;
};

Log read_log(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " cannot be read");
  const Bytes bytes(std::istreambuf_iterator<char>(file), {});
  Log log;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint32_t length = 0;
    if (bytes.size() - at < sizeof length) throw std::runtime_error(path + " is cut off");
    std::memcpy(&length, bytes.data() + at, sizeof length);
    at += sizeof length;
    if (bytes.size() - at < length) throw std::runtime_error(path + " is cut off");
    const auto update = ByteView(bytes).subspan(at, length);
    log.entries.push_back({1, Bytes(update.begin(), update.end()), false});
    at += length;
  }
  return log;
}

// People who each type words key by key, erase some, and go elsewhere now and then. They hear of
// each other every few keys, so that they write at once.
class MadeUp {
 public:
  MadeUp(std::size_t authors, std::string root) : root_(std::move(root)), authors_(authors) {
    for (std::size_t i = 0; i < authors; ++i) authors_[i].client = 1000 + i;
  }

  Log write(std::size_t count) {
    Log log;
    while (log.entries.size() < count) {
      const std::size_t who = chance_() % authors_.size();
      Author& author = authors_[who];
      if (chance_() % kKeysBetween == 0) catch_up(author, log);
      choose(author);
      const bool erases = author.erase > 0;
      Bytes update = author.doc.transact(
          author.client, [&](crdt::Transaction& change) { press_key(author, change); });
      log.entries.push_back({author.client, std::move(update), erases});
    }
    return log;
  }

 private:
  static constexpr std::size_t kKeysBetween = 5;

  struct Author {
    crdt::ClientId client = 0;
    crdt::Doc doc;
    std::size_t known = 0;  // of the log
    std::size_t length = 0;
    std::size_t caret = 0;
    std::size_t erase = 0;
    std::string word;
  };

  // The caret stays behind the character that it stood behind. The length becomes the least that it
  // can be, since two may have erased the same.
  void catch_up(Author& author, const Log& log) {
    const auto place = author.doc.relative_position(root_, author.caret, -1);
    for (; author.known < log.entries.size(); ++author.known) {
      const Log::Entry& entry = log.entries[author.known];
      if (entry.sender == author.client) continue;
      author.doc.apply(crdt::Update::decode(entry.update));
      if (!entry.erases) ++author.length;
      if (entry.erases && author.length > 0) --author.length;
    }
    const auto now = place ? author.doc.resolve(*place) : std::nullopt;
    author.caret = std::min<std::size_t>(now ? now->index : author.caret, author.length);
  }

  void choose(Author& author) {
    if (author.erase > 0) author.erase = std::min(author.erase, author.caret);
    if (author.erase > 0 || !author.word.empty()) return;
    if (chance_() % 40 == 0) author.caret = chance_() % (author.length + 1);
    if (chance_() % 6 == 0 && author.caret > 0) {
      author.erase = std::min<std::size_t>(author.caret, 1 + chance_() % 12);
    } else {
      author.word = kWords[chance_() % std::size(kWords)];
    }
  }

  void press_key(Author& author, crdt::Transaction& change) {
    if (author.erase > 0) {
      change.text_delete(root_, --author.caret, 1);
      --author.erase;
      --author.length;
    } else {
      change.text_insert(root_, author.caret++, author.word.substr(0, 1));
      author.word.erase(0, 1);
      ++author.length;
    }
  }

  std::string root_;
  std::vector<Author> authors_;
  std::mt19937_64 chance_{20};
};

void measure(const Options& options) {
  const Log log = options.updates.empty()
                      ? MadeUp(options.authors, options.root).write(options.made_up)
                      : read_log(options.updates);
  const Seq last = log.entries.size();
  std::size_t log_bytes = 0;
  for (const Log::Entry& entry : log.entries) log_bytes += entry.update.size();

  Times open;
  Times weave_text;
  const crdt::Weave weave = open.take([&] {
    crdt::Weave made;
    Seq seq = 0;
    for (const Log::Entry& entry : log.entries) made.add({++seq, entry.sender, entry.update});
    return made;
  });
  const crdt::WovenText text = weave_text.take([&] { return *weave.text(options.root); });
  check(text.text(last) == weave.doc().text(options.root), "the text at the end");

  std::mt19937_64 chance(7);
  Times text_at;
  Times diff;
  constexpr int kQuestions = 40;
  for (int i = 0; i < kQuestions; ++i) {
    const Seq from = chance() % (last + 1);
    const Seq to = chance() % (last + 1);
    const std::string then = text_at.take([&] { return text.text(to); });
    std::string made;
    for (const auto& change : diff.take([&] { return text.diff(from, to); })) {
      if (change.op != crdt::WovenText::Change::Op::kDelete) made += change.text;
    }
    check(made == then, "a difference");
  }
  Times search;
  std::string searches;
  for (const std::string& phrase : options.phrases) {
    const auto found = search.take([&] { return text.search(phrase); });
    searches += (searches.empty() ? "" : ", ") + crdt::Any(phrase).to_json() + ": " +
                std::to_string(found.occurrences.size());
  }
  Times encode;
  const Bytes encoded = encode.take([&] { return text.encode(); });
  std::string line = "{\"updates\": " + std::to_string(last) +
                     ", \"units\": " + std::to_string(text.size()) +
                     ", \"logBytes\": " + std::to_string(log_bytes) +
                     ", \"textBytes\": " + std::to_string(text.characters(0, text.size()).size()) +
                     ", \"weaveBytes\": " + std::to_string(encoded.size()) +
                     ", \"memoryBytes\": " + std::to_string(weave.memory_bytes());
  line += open.json("open") + weave_text.json("weave") + text_at.json("textAt") + diff.json("diff");
  if (!search.all.empty()) line += search.json("search");
  line += encode.json("encode") + ", \"found\": {" + searches + "}";
  if (!options.store.empty()) line += ", \"cold\": " + measure_stored(options.store, log, text);
  line += "}";
  std::puts(line.c_str());
}

}  // namespace
}  // namespace palimpsest::bench

int main(int argc, char** argv) {
  palimpsest::bench::Options options;
  CLI::App program("Times a document's weave");
  program.add_option("--updates", options.updates);
  program.add_option("--root", options.root);
  program.add_option("--made-up", options.made_up);
  program.add_option("--authors", options.authors);
  program.add_option("--phrase", options.phrases);
  program.add_option("--store", options.store);
  return palimpsest::bench::run_program(program, argc, argv,
                                        [&] { palimpsest::bench::measure(options); });
}
