#include "storage/history_checkpoint.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "builders.hpp"
#include "crdt/doc.hpp"
#include "raw_database.hpp"
#include "storage/history.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/replicas.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using storage::History;
using storage::HistoryStep;
using storage::Occasion;
using storage::Seq;

constexpr std::size_t kMostBytes = std::size_t{32} << 20;

// A document that several write at once, in a store, with what is kept of its history.
class Opened {
 public:
  explicit Opened(std::uint64_t seed = 1)
      : store_(storage::open_sqlite_store(data(), storage::Access::kReadWrite)),
        writer_(store_->writer()),
        reader_(store_->reader()),
        chance_(seed) {}

  fs::path data() const { return directory_.path() / "data"; }
  fs::path file() const { return data() / "palimpsest.db"; }
  storage::Writer& writer() { return *writer_; }
  storage::Reader& reader() { return *reader_; }
  Seq last() const { return seq_; }

  // Somebody's key, or what somebody missed; now and then after a pause, or made long before.
  void write(std::size_t count) {
    std::vector<storage::Append> batch;
    for (std::size_t i = 0; i < count; ++i) {
      Replica& writer = replicas_[1 + chance_() % 3];
      if (chance_() % 4 == 0) {
        Replica& other = replicas_[1 + chance_() % 3];
        if (&other != &writer) writer.pull(other);
      }
      batch.push_back(entry(writer, key(writer)));
    }
    writer_->append(batch);
  }
  storage::HistoryCheckpoint made() {
    History history("notes");
    REQUIRE(history.catch_up(*reader_));
    return {"notes", history.log_version(), history.last_seq(), history.encode()};
  }
  bool keep(const storage::HistoryCheckpoint& checkpoint) {
    const std::vector<HistoryStep> steps = steps_of(checkpoint);
    return std::ranges::all_of(
        steps, [&](const HistoryStep& step) { return writer_->keep_history(step); });
  }
  std::int64_t count(const std::string& table) {
    sqlite3* handle = nullptr;
    sqlite3_open(file().c_str(), &handle);
    std::int64_t rows = -1;
    sqlite3_exec(
        handle, ("SELECT count(*) FROM " + table).c_str(),
        [](void* into, int, char** values, char**) {
          *static_cast<std::int64_t*>(into) = std::stoll(values[0]);
          return 0;
        },
        &rows, nullptr);
    sqlite3_close(handle);
    return rows;
  }

 private:
  crdt::Bytes key(Replica& writer) {
    const std::size_t length = writer.length();
    if (length > 3 && chance_() % 5 == 0) return writer.erase(chance_() % length, 1);
    static constexpr std::array kTexts{"a", "b", " ", "word ", "\n# Part ", "\n", "é"};
    return writer.insert(chance_() % (length + 1), kTexts[chance_() % kTexts.size()]);
  }
  storage::Append entry(const Replica& writer, const crdt::Bytes& update) {
    static const std::array<const char*, 4> kNames{"", "Ada", "", "Grace"};
    storage::Append append;
    append.document = "notes";
    append.seq = ++seq_;
    clock_ += static_cast<std::int64_t>(chance_() % 500);
    if (chance_() % 20 == 0) clock_ += static_cast<std::int64_t>(chance_() % 2'000'000);
    if (chance_() % 20 == 0) clock_ -= static_cast<std::int64_t>(chance_() % 100'000);
    append.at = time(1'790'000'000'000 + clock_);
    if (chance_() % 10 == 0)
      append.made_at = append.at - std::chrono::milliseconds(chance_() % 9'000'000);
    append.author = {writer.client(), kNames[writer.client()]};
    append.connection = writer.client();
    append.update = std::make_shared<const crdt::Bytes>(update);
    return append;
  }

  TempDirectory directory_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Writer> writer_;
  std::unique_ptr<storage::Reader> reader_;
  std::mt19937_64 chance_;
  Replicas replicas_{1, 2, 3};
  Seq seq_ = 0;
  std::int64_t clock_ = 0;
};

std::string told(const std::vector<History::Burst>& bursts) {
  std::string all;
  for (const History::Burst& burst : bursts) {
    all += std::to_string(burst.first) + "-" + std::to_string(burst.last) + " " +
           storage::format_time(burst.begin) + " " + storage::format_time(burst.end) + " " +
           burst.place;
    for (const History::Share& share : burst.shares) {
      all += " " + std::to_string(share.client) + ":" + std::to_string(share.changes) + "+" +
             std::to_string(share.inserted) + "-" + std::to_string(share.deleted);
    }
    all += "\n";
  }
  return all;
}

void check_equal(History& one, History& other) {
  REQUIRE(one.last_seq() == other.last_seq());
  for (const auto group : {History::Group::kBurst, History::Group::kSitting}) {
    const std::string bursts = told(one.timeline(group, ~Seq{0}, 100'000));
    CHECK(bursts == told(other.timeline(group, ~Seq{0}, 100'000)));
  }
  CHECK(one.burst_ends() == other.burst_ends());
  for (Seq seq = 1; seq <= one.last_seq(); ++seq) {
    CHECK(one.time_of(seq) == other.time_of(seq));
    CHECK(one.come_by(one.time_of(seq)) == other.come_by(one.time_of(seq)));
  }
  CHECK(std::ranges::equal(one.groups(), other.groups()));
  const auto people = [](History& history) {
    std::string all;
    for (const storage::Author& author : history.authors())
      all += std::to_string(author.client) + author.name + " ";
    return all;
  };
  CHECK(people(one) == people(other));
  const auto names = [](History& history) {
    std::string all;
    for (const auto& text : history.texts())
      all += text.root + (text.type ? std::to_string(text.type->clock) : "") + " ";
    return all;
  };
  CHECK(names(one) == names(other));
  CHECK(one.main_text() == other.main_text());
  CHECK(one.text(one.main_text()).encode() == other.text(one.main_text()).encode());
}

TEST_CASE("a history that was kept is the one that its log tells", "[history-checkpoint]") {
  CHECK(rc::check("kept histories", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    Opened opened(seed);
    Opened plain(seed);  // keeps nothing
    const auto write = [&](std::size_t count) {
      opened.write(count);
      plain.write(count);
    };
    write(1 + chance() % 60);
    for (int i = 0; i < 3; ++i) {
      RC_ASSERT(opened.keep(opened.made()));
      if (chance() % 2 == 0) write(1 + chance() % 30);
      History kept("notes");
      REQUIRE(kept.catch_up(opened.reader()));
      if (chance() % 2 == 0) {
        write(1 + chance() % 10);  // what comes while it is looked at
        REQUIRE(kept.catch_up(opened.reader()));
      }
      History read("notes");
      REQUIRE(read.catch_up(plain.reader()));
      check_equal(kept, read);
    }
    RC_ASSERT(opened.reader().verify().empty());
  }));
}

TEST_CASE("one that is half written does not count, and the one before does",
          "[history-checkpoint]") {
  Opened opened;
  opened.write(50);
  REQUIRE(opened.keep(opened.made()));
  opened.write(50);
  HistoryStep half = steps_of(opened.made()).front();
  half.done.reset();
  half.bytes.resize(half.bytes.size() / 2);
  REQUIRE(opened.writer().keep_history(half));
  const auto kept = opened.reader().kept_history("notes");
  REQUIRE(kept);
  CHECK(kept->seq == 50);
  CHECK(opened.reader().verify().empty());

  REQUIRE(opened.keep(opened.made()));
  CHECK(opened.reader().kept_history("notes")->seq == 100);
  CHECK(opened.count("history_pieces") == 1);
}

TEST_CASE("a large one is stored in pieces", "[history-checkpoint]") {
  storage::HistoryCheckpoint large{"notes", {1, 0}, 9, crdt::Bytes(1'000'000)};
  for (std::size_t i = 0; i < large.bytes.size(); ++i)
    large.bytes[i] = static_cast<std::uint8_t>(i * i >> 7);
  const std::vector<HistoryStep> steps = steps_of(large);
  CHECK(steps.size() == 4);
  crdt::Bytes together;
  for (const HistoryStep& step : steps) {
    CHECK(step.number == static_cast<std::uint32_t>(&step - steps.data()));
    CHECK(step.done.has_value() == (&step == &steps.back()));
    together.insert(together.end(), step.bytes.begin(), step.bytes.end());
  }
  CHECK(together == large.bytes);

  Opened opened;
  opened.write(9);
  REQUIRE(opened.keep(large));
  CHECK(opened.reader().kept_history("notes")->bytes == large.bytes);
}

TEST_CASE("what opens a history is found damaged, passed by and made again",
          "[history-checkpoint]") {
  Opened opened;
  opened.write(80);
  REQUIRE(opened.keep(opened.made()));
  SECTION("a piece") { run_sql(opened.file(), "UPDATE history_pieces SET bytes = zeroblob(9)"); }
  SECTION("a piece that is not there") { run_sql(opened.file(), "DELETE FROM history_pieces"); }
  SECTION("where it belongs") { run_sql(opened.file(), "UPDATE history_checkpoints SET seq = 79"); }
  CHECK_FALSE(opened.reader().kept_history("notes"));
  const auto findings = opened.reader().verify();
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().document == "notes");
  CHECK(contains(findings.front().cause, "what opens its history is damaged"));
  History history("notes");
  REQUIRE(history.catch_up(opened.reader()));
  CHECK(history.last_seq() == 80);
  REQUIRE(opened.keep(opened.made()));
  CHECK(opened.reader().verify().empty());
  CHECK(opened.reader().kept_history("notes"));
}

TEST_CASE("bytes that no history wrote are not taken for one", "[history-checkpoint]") {
  Opened opened;
  opened.write(40);
  const crdt::Bytes bytes = opened.made().bytes;
  REQUIRE(History::is_encoded(bytes));
  for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 16)
    CHECK_FALSE(History::is_encoded(crdt::ByteView(bytes).first(size)));
  for (std::size_t i = 0; i < bytes.size(); i += 1 + i / 16) {
    crdt::Bytes other = bytes;
    other[i] ^= 0x55;
    CHECK_FALSE(History::is_encoded(other));
  }
}

TEST_CASE("what was kept of a log that was rewritten or is gone goes with it",
          "[history-checkpoint]") {
  Opened opened;
  opened.write(40);
  const storage::HistoryCheckpoint made = opened.made();
  REQUIRE(opened.keep(made));
  HistoryStep half = steps_of(made).front();
  half.done.reset();
  REQUIRE(opened.writer().keep_history(half));
  REQUIRE(opened.count("history_pieces") == 2);
  SECTION("rewritten") {
    const auto rewrite = opened.reader().prepare_rewrite(
        "notes", {.entry = [](const auto&) { return std::nullopt; }});
    REQUIRE(opened.writer().rewrite(*rewrite, storage::Thinned{10, time(5), 1}));
    CHECK(opened.count("history_checkpoints") == 0);
  }
  SECTION("removed") {
    REQUIRE(opened.writer().put_into_bin("notes", time(5)));
    const auto removal = opened.reader().prepare_removal("notes");
    REQUIRE(opened.writer().remove(*removal, {}) == storage::Removed::kDone);
    CHECK(opened.count("history_checkpoints") == 0);
  }
  CHECK(opened.count("history_pieces") == 0);
  CHECK_FALSE(opened.keep(made));  // it was prepared before
  CHECK(opened.count("history_pieces") == 0);
}

TEST_CASE("one is due of a long log that has grown, and of whatever is new at the end",
          "[history-checkpoint]") {
  constexpr auto kEditing = Occasion::kEditing;
  constexpr auto kUnloading = Occasion::kUnloading;
  CHECK_FALSE(is_history_due(16'383, 0, kUnloading));
  CHECK(is_history_due(16'384, 0, kEditing));
  CHECK_FALSE(is_history_due(20'479, 16'384, kEditing));
  CHECK(is_history_due(20'480, 16'384, kEditing));
  CHECK_FALSE(is_history_due(1'000'000, 900'000, kEditing));
  CHECK(is_history_due(1'000'000, 875'000, kEditing));
  CHECK(is_history_due(16'385, 16'384, kUnloading));
  CHECK_FALSE(is_history_due(16'384, 16'384, kUnloading));
}

TEST_CASE("the history of a long log is prepared when it is due", "[history-checkpoint]") {
  Opened opened;
  opened.write(100);
  CHECK_FALSE(opened.reader().prepare_history("notes", kMostBytes, Occasion::kUnloading));
  CHECK_FALSE(opened.reader().prepare_history("nothing", kMostBytes, Occasion::kUnloading));
  // Long, and of one author's keys.
  crdt::Doc doc;
  std::vector<storage::Append> batch;
  for (Seq seq = 1; seq <= 16'384; ++seq) {
    storage::Append append = entry("long", seq, "");
    append.update = std::make_shared<const crdt::Bytes>(
        doc.transact(1, [&](crdt::Transaction& t) { t.text_insert("content", 0, "x"); }));
    batch.push_back(append);
  }
  opened.writer().append(batch);
  CHECK_FALSE(opened.reader().prepare_history("long", 1000, Occasion::kEditing));
  const auto made = opened.reader().prepare_history("long", kMostBytes, Occasion::kEditing);
  REQUIRE(made);
  CHECK(made->seq == 16'384);
  REQUIRE(opened.keep(*made));
  CHECK_FALSE(opened.reader().prepare_history("long", kMostBytes, Occasion::kUnloading));
  History history("long");
  REQUIRE(history.catch_up(opened.reader()));
  CHECK(history.timeline(History::Group::kSitting, ~Seq{0}, 9).front().shares.front().inserted ==
        16'384);
  CHECK_THROWS_AS(History("long", 1000).catch_up(opened.reader()), storage::HistoryTooLarge);
}

}  // namespace
}  // namespace palimpsest::testing
