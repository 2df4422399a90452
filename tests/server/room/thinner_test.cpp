// Old history is thinned by rule, a document at a time, and said.

#include "room/thinner.hpp"

#include <sstream>

#include <boost/asio/io_context.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include "storage/history.hpp"
#include "storage/sqlite_store.hpp"
#include "support.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using server::Thinner;
using testing::FakeClock;
using testing::FaultyStore;
using testing::TempDirectory;
using Call = FaultyStore::Call;

namespace {

constexpr auto kDay = 24h;

// A thinner over a real store, driven by hand.
class Rig {
 public:
  explicit Rig(Thinner::Options options) {
    store_.before([this](Call call) {
      if (call == Call::kPrepareRewrite) ++prepared;
      if (on_call) on_call(call);
    });
    thinner_ =
        std::make_unique<Thinner>(io_.get_executor(), store_, journal_, clock_, log_, options);
  }

  // A document of so many keys by one client, a tenth of a second each, the last so long ago.
  void write(const std::string& name, std::size_t keys, std::chrono::milliseconds ago) {
    crdt::Doc doc;
    std::vector<storage::Append> batch;
    for (std::size_t i = 0; i < keys; ++i) {
      storage::Append append;
      append.document = name;
      append.seq = i + 1;
      append.at = clock_.wall() - ago - (keys - i) * 100ms;
      append.author = {7, "Ann"};
      append.update = std::make_shared<const crdt::Bytes>(
          doc.transact(7, [&](crdt::Transaction& t) { t.text_insert("content", i, "x"); }));
      batch.push_back(std::move(append));
    }
    journal_.run({.write =
                      [&](storage::Writer& writer) {
                        writer.append(batch);
                        writer.write_checkpoint({name, keys, doc.encode(), "", ""});
                      },
                  .done = [](bool) {}});
    while (journal_.step()) {
    }
  }
  void rule(const std::string& name, std::optional<std::uint32_t> days) {
    storage::DocumentEdit edit;
    edit.document = name;
    edit.history_days = days;
    journal_.run(
        {.write = [&](storage::Writer& writer) { writer.edit(edit); }, .done = [](bool) {}});
    journal_.step();
  }
  void pass(std::chrono::milliseconds time, std::chrono::milliseconds step = 1min) {
    for (std::chrono::milliseconds passed{0}; passed < time; passed += step) {
      clock_.advance(step);
      thinner_->tick();
      settle();
    }
  }
  void settle() {
    do {
      io_.restart();
      io_.poll();
    } while (journal_.step());
    io_.restart();
    io_.poll();
  }
  storage::Seq thinned(const std::string& name) {
    const auto retention = store_.reader()->retention(name);
    REQUIRE(retention);
    return retention->thinned ? retention->thinned->until : 0;
  }

  FaultyStore& store() { return store_; }
  FakeClock& clock() { return clock_; }
  server::Journal& journal() { return journal_; }
  Thinner& thinner() { return *thinner_; }
  std::string said() {
    log_->flush();
    return lines_.str();
  }

  std::size_t prepared = 0;
  std::function<void(Call)> on_call;

 private:
  TempDirectory directory_;
  std::unique_ptr<storage::Store> disk_ =
      storage::open_sqlite_store(directory_.path(), storage::Access::kReadWrite);
  FaultyStore store_{*disk_};
  FakeClock clock_;
  std::ostringstream lines_;
  std::shared_ptr<spdlog::logger> log_ = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_st>(lines_));
  boost::asio::io_context io_;
  server::Journal journal_{store_, clock_, {}, {}};
  std::unique_ptr<Thinner> thinner_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("history that is older than the rule says is thinned, and that is said", "[thinner]") {
  Rig rig({.days = 30, .entries = 100});
  rig.write("old", 200, 31 * kDay);
  rig.write("new", 200, 29 * kDay);
  rig.pass(20min);
  CHECK(rig.thinned("old") == 200);
  CHECK(rig.thinned("new") == 0);
  CHECK(contains(rig.said(),
                 "document old: history older than 30 days thinned to bursts, up to "
                 "change 200: 200 entries became 1 bursts, 199 of them empty"));
  CHECK_FALSE(contains(rig.said(), "document new"));
  rig.pass(2 * kDay, 10min);
  CHECK(rig.thinned("new") == 200);
}

TEST_CASE("nothing is thinned where there is no rule", "[thinner]") {
  Rig rig({.days = 0, .entries = 100});
  rig.write("old", 200, 1000 * kDay);
  rig.pass(2 * kDay, 10min);
  CHECK(rig.thinned("old") == 0);
  CHECK(rig.prepared == 0);
  CHECK(rig.said().empty());
}

TEST_CASE("a document's own rule goes over that of all", "[thinner]") {
  Rig rig({.days = 30, .entries = 100});
  rig.write("kept", 200, 1000 * kDay);
  rig.rule("kept", 0);
  rig.write("short", 200, 8 * kDay);
  rig.rule("short", 7);
  rig.pass(30min);
  CHECK(rig.thinned("kept") == 0);
  CHECK(rig.thinned("short") == 200);
}

TEST_CASE("what is not worth rewriting a log for stays", "[thinner]") {
  Rig rig({.days = 30, .entries = 100});
  rig.write("short", 99, 1000 * kDay);
  rig.pass(2 * kDay, 10min);
  CHECK(rig.thinned("short") == 0);
  CHECK(rig.prepared == 0);
}

TEST_CASE("a document is looked at once a day at most", "[thinner]") {
  Rig rig({.days = 30, .entries = 100});
  rig.write("busy", 200, 20 * kDay);  // old enough in ten days
  std::size_t looks = 0;
  rig.on_call = [&](Call call) { looks += call == Call::kLog ? 1 : 0; };
  rig.pass(5 * kDay, 10min);
  CHECK(looks >= 4);
  CHECK(looks <= 6);
  CHECK(rig.prepared == 0);
  rig.pass(6 * kDay, 10min);
  CHECK(rig.thinned("busy") == 200);
  CHECK(rig.prepared == 1);
}

TEST_CASE("it rests for many times what a document has cost", "[thinner]") {
  Rig rig({.days = 30, .entries = 100, .rests_for_each_pass = 50});
  for (const char* name : {"a", "b", "c", "d"}) rig.write(name, 200, 100 * kDay);
  rig.on_call = [&](Call call) {
    if (call == Call::kPrepareRewrite) rig.clock().advance(10s);
  };
  rig.pass(5min, 1s);
  CHECK(rig.prepared == 1);
  rig.pass(20min, 1s);
  CHECK(rig.prepared == 3);
}

TEST_CASE("a document that cannot be read is said, and the others are thinned", "[thinner]") {
  Rig rig({.days = 30, .entries = 100});
  rig.write("a", 200, 100 * kDay);
  rig.write("b", 200, 100 * kDay);
  bool has_failed = false;
  rig.on_call = [&](Call call) {
    if (call != Call::kVisit || has_failed) return;
    has_failed = true;
    throw storage::Error(storage::Error::Kind::kCorrupt, "test: cannot be read");
  };
  rig.pass(30min);
  CHECK(contains(rig.said(), "document a: its history is not thinned: test: cannot be read"));
  CHECK(rig.thinned("a") == 0);
  CHECK(rig.thinned("b") == 200);
}

TEST_CASE("a log that changes while it is thinned is thinned later", "[thinner]") {
  Rig rig({.days = 30, .entries = 100});
  rig.write("notes", 200, 100 * kDay);
  rig.store().after([&](Call call) {
    if (call != Call::kPrepareRewrite || rig.prepared > 1) return;
    rig.journal().run({.write =
                           [&](storage::Writer& writer) {
                             writer.name_version("notes", {"here", 50, rig.clock().wall(), ""});
                           },
                       .done = [](bool) {}});
  });
  rig.pass(30min);
  CHECK(rig.prepared == 2);
  CHECK(rig.thinned("notes") == 200);
  storage::History history("notes");
  REQUIRE(history.catch_up(*rig.store().reader()));
  CHECK(history.text(history.main_text()).text(50).size() == 50);
}

TEST_CASE("a thinner that was stopped begins nothing", "[thinner]") {
  Rig rig({.days = 30, .entries = 100});
  rig.write("old", 200, 100 * kDay);
  rig.thinner().stop();
  rig.pass(30min);
  CHECK(rig.thinned("old") == 0);
}
