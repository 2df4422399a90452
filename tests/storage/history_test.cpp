#include "storage/history.hpp"

#include <memory>
#include <string>
#include <utility>

#include "builders.hpp"
#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "support/catch.hpp"
#include "support/memory_store.hpp"

namespace palimpsest::testing {
namespace {

using namespace std::chrono_literals;
using storage::History;
using storage::NotInHistory;

constexpr std::int64_t kStart = 1'790'000'000'000;  // 2026-09-21T14:13:20Z

// A document in a store, written by one replica in several people's names.
class Written {
 public:
  Written() : writer_(store_.writer()), reader_(store_.reader()) {}

  // Changes the document as `author`, so many milliseconds after the start.
  template <class Change>
  void write(const storage::Author& author, std::int64_t after_ms, Change&& change) {
    append(author, after_ms, doc_.transact(author.client, std::forward<Change>(change)));
  }
  void insert(const storage::Author& author, std::int64_t after_ms, std::size_t index,
              const std::string& text) {
    write(author, after_ms, [&](crdt::Transaction& t) { t.text_insert("content", index, text); });
  }
  void erase(const storage::Author& author, std::int64_t after_ms, std::size_t index,
             std::size_t length) {
    write(author, after_ms, [&](crdt::Transaction& t) { t.text_delete("content", index, length); });
  }
  void append(const storage::Author& author, std::int64_t after_ms, const crdt::Bytes& update) {
    storage::Append append = entry_by(author, "notes", ++seq_, "");
    append.at = time(kStart + after_ms);
    append.made_at = made_at;
    append.update = std::make_shared<const crdt::Bytes>(update);
    append_one(*writer_, append);
  }

  storage::Reader& reader() { return *reader_; }
  const crdt::Doc& doc() const { return doc_; }
  History history() {
    History history("notes");
    CHECK(history.catch_up(*reader_));
    return history;
  }

  std::optional<storage::Time> made_at;  // of what is appended next

 private:
  MemoryStore store_;
  std::unique_ptr<storage::Writer> writer_;
  std::unique_ptr<storage::Reader> reader_;
  crdt::Doc doc_;
  storage::Seq seq_ = 0;
};

const storage::Author kAda{11, "Ada"};
const storage::Author kBob{22, ""};

std::string refusal(const History& history, std::string_view when) {
  try {
    history.resolve(when);
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST_CASE("a document that is not there has no history", "[history]") {
  Written written;
  History history("nothing");
  CHECK_FALSE(history.catch_up(written.reader()));
}

TEST_CASE("a moment is a change, or the last change that had come by a time", "[history]") {
  Written written;
  written.insert(kAda, 0, 0, "one");
  written.insert(kAda, 1000, 3, " two");
  written.insert(kAda, 500, 7, " three");  // the clock was put back
  written.insert(kAda, 2000, 13, " four");
  const History history = written.history();
  CHECK(history.resolve("0") == 0);
  CHECK(history.resolve("4") == 4);
  CHECK(history.resolve("2026-09-21T14:13:19Z") == 0);
  CHECK(history.resolve("2026-09-21T14:13:20Z") == 1);
  CHECK(history.resolve("2026-09-21T14:13:20.999Z") == 1);
  CHECK(history.resolve("2026-09-21T14:13:21Z") == 3);
  CHECK(history.resolve("2030-01-01T00:00:00+02:00") == 4);
  CHECK(refusal(history, "5") == "change 5 has not come yet: the last one is 4");
  CHECK(refusal(history, "v:final") == "there is no version of that name");
  CHECK(contains(refusal(history, "yesterday"), "RFC 3339"));
  CHECK(contains(refusal(history, "-1"), "RFC 3339"));
}

TEST_CASE("a burst is one author's, a sitting everybody's", "[history]") {
  Written written;
  written.insert(kAda, 0, 0, "# Plan\n");
  written.insert(kAda, 20'000, 7, "milk ");
  written.insert(kBob, 30'000, 12, "bread");
  written.erase(kAda, 40'000, 7, 5);
  written.insert(kBob, 200'000, 0, "intro\n");     // Bob paused, in the same sitting
  written.insert(kAda, 20 * 60'000, 18, " eggs");  // the next sitting
  History history = written.history();

  const auto bursts = history.timeline(History::Group::kBurst, 1000, 10);
  REQUIRE(bursts.size() == 4);
  CHECK((bursts[0].first == 6 && bursts[0].last == 6));
  CHECK(bursts[0].place == "Plan");
  CHECK((bursts[1].first == 5 && bursts[1].place.empty()));
  CHECK((bursts[2].first == 3 && bursts[2].last == 3 && bursts[2].shares[0].client == 22));
  CHECK((bursts[3].first == 1 && bursts[3].last == 4));
  CHECK((bursts[3].shares[0].inserted == 12 && bursts[3].shares[0].deleted == 5));
  CHECK(bursts[3].shares[0].changes == 3);
  CHECK((bursts[3].begin == time(kStart) && bursts[3].end == time(kStart + 40'000)));
  CHECK(bursts[3].place == "Plan");

  const auto sittings = history.timeline(History::Group::kSitting, 1000, 10);
  REQUIRE(sittings.size() == 2);
  CHECK((sittings[1].first == 1 && sittings[1].last == 5 && sittings[1].shares.size() == 2));

  // In pages, each from where the one before ended.
  const auto page = history.timeline(History::Group::kBurst, bursts[1].first, 2);
  REQUIRE(page.size() == 2);
  CHECK((page[0].first == 3 && page[1].first == 1));
  CHECK(history.timeline(History::Group::kBurst, 1, 10).empty());

  CHECK(history.name_of(11) == "Ada");
  CHECK(history.name_of(22).empty());
  CHECK(history.name_of(33).empty());
}

TEST_CASE("no burst is lost between two pages, though one change began many", "[history]") {
  Written written;
  crdt::Doc together;
  for (crdt::ClientId client = 1; client <= 15; ++client) {
    together.transact(client, [](crdt::Transaction& t) { t.text_insert("content", 0, "x"); });
  }
  written.append(kAda, 0, together.encode());
  History history = written.history();
  std::size_t bursts = 0;
  for (storage::Seq before = 2;;) {
    const auto page = history.timeline(History::Group::kBurst, before, 10);
    if (page.empty()) break;
    bursts += page.size();
    before = page.back().first;
  }
  CHECK(bursts == 15);
}

TEST_CASE("a history that is larger than it may be says so", "[history]") {
  Written written;
  written.insert(kAda, 0, 0, std::string(100, 'x'));
  History history("notes", 50);
  CHECK_THROWS_AS(history.catch_up(written.reader()), storage::HistoryTooLarge);
}

TEST_CASE("what was written offline is told at its own time", "[history]") {
  Written written;
  written.insert(kAda, 0, 0, "online");
  written.made_at = time(kStart - 3'600'000);
  written.insert(kBob, 1000, 6, "offline");
  History history = written.history();
  CHECK(history.time_of(2) == time(kStart - 3'600'000));
  CHECK(history.timeline(History::Group::kSitting, 100, 10).size() == 2);
  CHECK(history.resolve("2026-09-21T14:13:20Z") == 1);  // when it came decides what the text was
}

TEST_CASE("activity is told by author and piece of time", "[history]") {
  Written written;
  written.insert(kAda, 0, 0, "abc");
  written.insert(kBob, 1000, 3, "de");
  written.erase(kBob, 2000, 0, 1);
  written.insert(kAda, 3'600'000, 0, "x");
  const auto buckets = written.history().activity(1h);
  REQUIRE(buckets.size() == 2);
  CHECK(buckets[0].begin == time(kStart - kStart % 3'600'000));
  REQUIRE(buckets[0].shares.size() == 2);
  CHECK((buckets[0].shares[1].client == 22 && buckets[0].shares[1].changes == 2));
  CHECK((buckets[0].shares[1].inserted == 2 && buckets[0].shares[1].deleted == 1));
  CHECK(buckets[1].shares.size() == 1);
}

TEST_CASE("the weave for a browser has names and times", "[history]") {
  Written written;
  written.insert(kAda, 0, 0, "abc");
  written.insert(kBob, 120, 3, "de");
  written.insert(kBob, 240, 5, "f");
  History history = written.history();
  const crdt::Bytes bytes = history.encode_weave(history.main_text());
  crdt::Reader reader(bytes);
  CHECK(reader.read_var_uint() == 1);
  CHECK(reader.read_var_uint() == 1);
  CHECK(reader.read_var_uint() == 11);
  CHECK(reader.read_var_string() == "Ada");
  CHECK(reader.read_var_uint() == 3);
  CHECK(reader.read_var_int().value == -3);  // too few to be worth a repetition
  CHECK(reader.read_var_int().value == kStart);
  CHECK(reader.read_var_int().value == 120);
  CHECK(reader.read_var_int().value == 120);
  const crdt::ByteView woven = reader.read_var_bytes();
  CHECK(crdt::Bytes(woven.begin(), woven.end()) == history.text(history.main_text()).encode());
  CHECK(reader.at_end());
}

TEST_CASE("a history goes on with its document", "[history]") {
  Written written;
  written.insert(kAda, 0, 0, "one");
  History history = written.history();
  CHECK(history.text(history.main_text()).text(1) == "one");
  written.insert(kAda, 1000, 3, " two");
  CHECK(history.catch_up(written.reader()));
  CHECK(history.last_seq() == 2);
  CHECK(history.text(history.main_text()).text(2) == "one two");
  CHECK(history.timeline(History::Group::kBurst, 100, 10).front().last == 2);
}

TEST_CASE("the main text is content, or else the first root with text", "[history]") {
  Written other;
  other.write(kAda, 0, [](crdt::Transaction& t) {
    t.map_set("settings", "size", 1);
    t.text_insert("body", 0, "text");
  });
  CHECK(other.history().main_text().root == "body");
  other.insert(kAda, 1, 0, "more");
  CHECK(other.history().main_text().root == "content");
  CHECK_THROWS_AS(other.history().text({"nothing", std::nullopt}), NotInHistory);

  Written empty;
  empty.write(kAda, 0, [](crdt::Transaction& t) { t.map_set("settings", "size", 1); });
  CHECK_THROWS_AS(empty.history().main_text(), NotInHistory);
  CHECK(empty.history().timeline(History::Group::kBurst, 100, 10).front().place.empty());
}

TEST_CASE("a log entry that is no update is told by its number", "[history]") {
  Written written;
  written.insert(kAda, 0, 0, "fine");
  written.append(kAda, 1, bytes("broken"));
  History history("notes");
  CHECK(contains(error_of([&] { history.catch_up(written.reader()); }),
                 "document \"notes\": entry 2 of the log is no update"));
}

}  // namespace
}  // namespace palimpsest::testing
