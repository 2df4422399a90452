#include "room/journal.hpp"

#include <atomic>
#include <future>
#include <thread>

#include "support.hpp"
#include "support/catch.hpp"
#include "support/faulty_store.hpp"
#include "support/memory_store.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using server::Journal;
using testing::FaultyStore;
using testing::MemoryStore;
using Call = FaultyStore::Call;
using Kind = storage::Error::Kind;

namespace {

storage::Append entry(std::string document, storage::Seq seq, std::size_t bytes = 1) {
  storage::Append append;
  append.document = std::move(document);
  append.seq = seq;
  append.update = std::make_shared<const crdt::Bytes>(bytes);
  return append;
}

storage::Checkpoint checkpoint_of(std::string document, storage::Seq seq) {
  storage::Checkpoint checkpoint;
  checkpoint.document = std::move(document);
  checkpoint.seq = seq;
  checkpoint.title = "title";
  return checkpoint;
}

struct FakeClient final : Journal::Client {
  void committed(storage::Seq seq) noexcept override { committed_to = seq; }
  void checkpointed(storage::Seq seq) noexcept override { checkpointed_to = seq; }
  void failed() noexcept override { ++failures; }

  std::atomic<storage::Seq> committed_to = 0;
  std::atomic<storage::Seq> checkpointed_to = 0;
  std::atomic<int> failures = 0;
};

// A journal that is driven by hand, over a store that counts its calls.
struct Rig {
  explicit Rig(Journal::Options options = {})
      : journal(
            store, clock, options,
            {.failed = [this](const storage::Error& error) { errors.emplace_back(error.what()); },
             .stalled = [this](const storage::Error&) { ++stalls; },
             .resumed = [this] { ++resumptions; }}) {
    store.before([this](Call call) { calls.push_back(call); });
  }

  void append(std::string document, storage::Seq seq, std::size_t bytes = 1) {
    journal.append(entry(std::move(document), seq, bytes), client);
  }
  std::size_t count(Call call) const {
    return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), call));
  }
  storage::Seq stored(std::string_view document) {
    const auto found = memory.reader()->load(document);
    return found ? found->last_seq : 0;
  }

  testing::FakeClock clock;
  MemoryStore memory;
  FaultyStore store{memory};
  std::vector<Call> calls;
  std::vector<std::string> errors;
  int stalls = 0;
  int resumptions = 0;
  std::shared_ptr<FakeClient> client = std::make_shared<FakeClient>();
  Journal journal;
};

}  // namespace

TEST_CASE("what is appended is on disk when its client is told so, and not told before",
          "[journal]") {
  Rig rig;
  rig.append("doc", 1);
  CHECK(rig.client->committed_to == 0);
  rig.store.before([&](Call call) {
    if (call == Call::kAppend) CHECK(rig.client->committed_to == 0);
  });
  CHECK(rig.journal.step());
  CHECK(rig.client->committed_to == 1);
  CHECK(rig.stored("doc") == 1);
  CHECK_FALSE(rig.journal.step());
}

TEST_CASE("everything that queued up during a commit goes into the next one", "[journal]") {
  MemoryStore memory;
  FaultyStore store(memory);
  std::promise<void> first_commit_runs;
  std::promise<void> first_commit_may_end;
  std::atomic<int> commits = 0;
  store.before([&](Call call) {
    if (call != Call::kAppend || commits++ > 0) return;
    first_commit_runs.set_value();
    first_commit_may_end.get_future().wait();
  });
  const testing::FakeClock clock;
  Journal journal(store, clock, {}, {});
  const auto client = std::make_shared<FakeClient>();
  journal.start();
  journal.append(entry("doc", 1), client);
  first_commit_runs.get_future().wait();
  for (storage::Seq seq = 2; seq <= 100; ++seq) journal.append(entry("doc", seq), client);
  for (storage::Seq seq = 1; seq <= 50; ++seq) journal.append(entry("other", seq), client);
  first_commit_may_end.set_value();
  journal.stop();

  CHECK(commits == 2);
  CHECK(memory.reader()->load("doc")->last_seq == 100);
  CHECK(memory.reader()->load("other")->last_seq == 50);
}

TEST_CASE("a commit takes a limited number of bytes, but at least one update", "[journal]") {
  Rig rig({.commit_bytes = 100});
  rig.append("doc", 1, 60);
  rig.append("doc", 2, 40);
  rig.append("doc", 3, 1);
  rig.append("doc", 4, 1000);
  CHECK(rig.journal.queued_bytes() == 1101);
  CHECK(rig.journal.step());
  CHECK(rig.stored("doc") == 2);
  CHECK(rig.journal.step());
  CHECK(rig.stored("doc") == 3);
  CHECK(rig.journal.step());
  CHECK(rig.stored("doc") == 4);
  CHECK(rig.journal.queued_bytes() == 0);
}

TEST_CASE("a checkpoint is written after all that was appended before it", "[journal]") {
  Rig rig;
  rig.append("doc", 1);
  rig.journal.checkpoint(checkpoint_of("doc", 1), rig.client);
  rig.append("doc", 2);
  while (rig.journal.step()) {
  }
  CHECK(rig.client->checkpointed_to == 1);
  CHECK(rig.client->committed_to == 2);
  CHECK(rig.memory.reader()->load("doc")->checkpoint_seq == 1);
  CHECK(rig.count(Call::kMaintain) == 3);
}

TEST_CASE("the first client of a commit hears of its own seq, not of another's", "[journal]") {
  Rig rig;
  const auto other = std::make_shared<FakeClient>();
  rig.append("doc", 1);
  rig.append("doc", 2);
  rig.journal.append(entry("other", 1), other);
  rig.append("doc", 3);
  CHECK(rig.journal.step());
  CHECK(rig.client->committed_to == 3);
  CHECK(other->committed_to == 1);
  CHECK(rig.count(Call::kAppend) == 1);
}

TEST_CASE("after the n-th commit fails nothing is acknowledged any more", "[journal]") {
  const auto outcome =
      GENERATE(FaultyStore::Outcome::kNothingDone, FaultyStore::Outcome::kDoneButNotTold);
  const auto kind = GENERATE(storage::Error::Kind::kIo, storage::Error::Kind::kCorrupt);
  for (std::size_t n = 0; n < 5; ++n) {
    Rig rig({.commit_bytes = 1});
    rig.store.fail_nth(Call::kAppend, n, kind, outcome);
    for (storage::Seq seq = 1; seq <= 8; ++seq) rig.append("doc", seq);
    while (rig.journal.step()) {
    }
    CAPTURE(n);
    CHECK(rig.client->committed_to == n);
    CHECK(rig.client->failures == 1);
    CHECK(rig.journal.has_failed());
    CHECK(rig.errors.size() == 1);
    CHECK(rig.journal.queued() == 0);

    rig.append("doc", 9);
    CHECK(rig.client->failures == 2);
    CHECK_FALSE(rig.journal.step());
    CHECK(rig.count(Call::kAppend) == n + 1);
  }
}

TEST_CASE("a checkpoint or a clean-up that fails ends the journal as a commit does", "[journal]") {
  const auto call = GENERATE(Call::kWriteCheckpoint, Call::kMaintain);
  Rig rig;
  rig.store.fail_nth(call, 0);
  rig.append("doc", 1);
  rig.journal.checkpoint(checkpoint_of("doc", 1), rig.client);
  while (rig.journal.step()) {
  }
  CHECK(rig.journal.has_failed());
  CHECK(rig.client->failures == 1);
  CHECK(rig.client->checkpointed_to == 0);
}

TEST_CASE("F6: a full disk keeps everything waiting, and each update is written once after it",
          "[journal]") {
  const auto outcome =
      GENERATE(FaultyStore::Outcome::kNothingDone, FaultyStore::Outcome::kDoneButNotTold);
  for (std::size_t n = 0; n < 5; ++n) {
    Rig rig({.commit_bytes = 2});
    CAPTURE(n);
    rig.store.fail_nth(Call::kAppend, n, storage::Error::Kind::kDiskFull, outcome);
    for (storage::Seq seq = 1; seq <= 16; ++seq) rig.append("doc", seq);
    while (rig.journal.step()) {
    }
    CHECK(rig.journal.is_stalled());
    CHECK(rig.stalls == 1);
    CHECK(rig.client->committed_to == 2 * n);
    CHECK(rig.journal.queued() == 16 - 2 * n);
    CHECK(rig.journal.queued_bytes() == 16 - 2 * n);

    rig.store.fill_disk();
    rig.append("doc", 17);
    for (int i = 0; i < 3; ++i) rig.journal.step();
    rig.store.free_disk();
    while (rig.journal.step()) {
    }
    CHECK_FALSE(rig.journal.is_stalled());
    CHECK(rig.resumptions >= 1);
    CHECK(rig.client->committed_to == 17);
    CHECK(rig.client->failures == 0);
    CHECK(rig.stored("doc") == 17);
    CHECK(rig.errors.empty());
    CHECK(rig.journal.queued_bytes() == 0);
  }
}

TEST_CASE("F6: a disk that is full for a checkpoint, or for tidying up, stalls as one for a commit",
          "[journal]") {
  const auto call = GENERATE(Call::kWriteCheckpoint, Call::kMaintain, Call::kOpenWriter);
  Rig rig;
  rig.append("doc", 1);
  rig.journal.checkpoint(checkpoint_of("doc", 1), rig.client);
  if (call == Call::kOpenWriter)
    rig.store.fail_nth(Call::kAppend, 0, Kind::kDiskFull);
  else
    rig.store.fail_nth(call, 0, Kind::kDiskFull);
  while (rig.journal.step()) {
  }
  CHECK(rig.stalls == 1);
  CHECK(rig.client->checkpointed_to == 0);
  if (call == Call::kOpenWriter) {
    rig.store.fail_nth(call, 0, Kind::kDiskFull);
    CHECK_FALSE(rig.journal.step());
    CHECK(rig.journal.is_stalled());
  }
  while (rig.journal.step()) {
  }
  CHECK_FALSE(rig.journal.is_stalled());
  CHECK(rig.client->checkpointed_to == 1);
  CHECK(rig.client->committed_to == 1);
  CHECK(rig.client->failures == 0);
}

TEST_CASE("F6: a log that a full disk keeps from being packed holds nothing up", "[journal]") {
  Rig rig;
  rig.append("a", 1);
  REQUIRE(rig.journal.step());
  rig.store.fail_nth(Call::kCompact, 0, Kind::kDiskFull);
  storage::Compaction packed;
  packed.document = "a";
  packed.first = packed.last = 1;
  rig.journal.compact(std::move(packed));
  rig.append("a", 2);
  CHECK_FALSE(rig.journal.step());
  while (rig.journal.step()) {
  }
  CHECK_FALSE(rig.journal.is_stalled());
  CHECK(rig.count(Call::kCompact) == 1);
  CHECK(rig.stored("a") == 2);
  CHECK(rig.client->committed_to == 2);
}

TEST_CASE("F6: somebody who reads for long keeps a full disk full, and ends nothing", "[journal]") {
  Rig rig;
  rig.store.fail_nth(Call::kAppend, 0, Kind::kDiskFull);
  rig.append("doc", 1);
  rig.journal.step();
  rig.store.fail_nth(Call::kOpenWriter, 0, Kind::kUnavailable);
  CHECK_FALSE(rig.journal.step());
  CHECK(rig.journal.is_stalled());
  CHECK_FALSE(rig.journal.has_failed());
  CHECK(rig.journal.step());
  CHECK(rig.client->committed_to == 1);
}

TEST_CASE("F6: a journal may begin on a full disk", "[journal]") {
  MemoryStore memory;
  FaultyStore store(memory);
  store.fail_nth(Call::kOpenWriter, 0, Kind::kDiskFull);
  int stalls = 0;
  const testing::FakeClock clock;
  Journal journal(store, clock, {}, {.stalled = [&](const storage::Error&) { ++stalls; }});
  CHECK(stalls == 1);
  const auto client = std::make_shared<FakeClient>();
  journal.append(entry("doc", 1), client);
  while (journal.step()) {
  }
  CHECK(client->committed_to == 1);
  CHECK_FALSE(journal.is_stalled());

  store.fail_nth(Call::kOpenWriter, 0);
  CHECK_THROWS_AS(Journal(store, clock, {}, {}), storage::Error);
}

TEST_CASE("F6: on a full disk an I/O error ends the journal as ever", "[journal]") {
  Rig rig;
  rig.store.fail_nth(Call::kAppend, 0, Kind::kDiskFull);
  rig.append("doc", 1);
  rig.journal.step();
  rig.store.fail_nth(Call::kAppend, 0, Kind::kIo);
  rig.journal.step();
  CHECK(rig.journal.has_failed());
  CHECK(rig.client->failures == 1);
  CHECK(rig.client->committed_to == 0);
}

TEST_CASE("F6: the thread tries again by itself, and stopping does not wait for room",
          "[journal]") {
  const bool is_freed = GENERATE(true, false);
  Rig rig({.retry_after = std::chrono::milliseconds(1)});
  std::promise<void> tried_twice;
  int appends = 0;
  rig.store.before([&](Call call) {
    if (call == Call::kAppend && ++appends == 2) tried_twice.set_value();
  });
  rig.store.fill_disk();
  rig.append("doc", 1);
  rig.journal.start();
  tried_twice.get_future().wait();
  if (is_freed) rig.store.free_disk();
  rig.journal.stop();
  CHECK(rig.client->committed_to == (is_freed ? 1 : 0));
  CHECK(rig.client->failures == (is_freed ? 0 : 1));
  CHECK(rig.stored("doc") == (is_freed ? 1 : 0));
}

TEST_CASE("F6: so much may wait for a full disk and no more", "[journal]") {
  Rig rig({.stalled_bytes = 100});
  rig.append("doc", 1, 1000);
  CHECK_FALSE(rig.journal.is_overfull());  // the disk is only slow
  rig.store.fill_disk();
  rig.journal.step();
  CHECK(rig.journal.is_overfull());
  rig.store.free_disk();
  rig.journal.step();
  CHECK_FALSE(rig.journal.is_overfull());
}

TEST_CASE("an update out of sequence is a bug that ends the journal, and is not written",
          "[journal]") {
  Rig rig;
  rig.append("doc", 2);
  CHECK(rig.journal.step());
  CHECK(rig.journal.has_failed());
  CHECK(rig.stored("doc") == 0);
}

TEST_CASE("stopping writes all that was received, and then takes no more", "[journal]") {
  const bool has_thread = GENERATE(true, false);
  Rig rig;
  if (has_thread) rig.journal.start();
  for (storage::Seq seq = 1; seq <= 1000; ++seq) rig.append("doc", seq);
  rig.journal.stop();
  CHECK(rig.client->committed_to == 1000);
  CHECK(rig.stored("doc") == 1000);
  rig.append("doc", 1001);
  CHECK(rig.client->failures == 1);
  CHECK(rig.stored("doc") == 1000);
  rig.journal.stop();
}

TEST_CASE("appends of many threads are all written, each document's in order", "[journal]") {
  Rig rig;
  rig.journal.start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&rig, name = "doc" + std::to_string(t)] {
      for (storage::Seq seq = 1; seq <= 500; ++seq) rig.append(name, seq);
    });
  }
  for (std::thread& thread : threads) thread.join();
  rig.journal.stop();
  for (int t = 0; t < 4; ++t) CHECK(rig.stored("doc" + std::to_string(t)) == 500);
  CHECK_FALSE(rig.journal.has_failed());
}

TEST_CASE("the store may settle when nothing has been written for a while", "[journal]") {
  Rig rig({.settle_after = std::chrono::milliseconds(1)});
  std::promise<void> settled;
  rig.store.after([&](Call call) {
    if (call == Call::kSettle) settled.set_value();
  });
  rig.journal.start();
  rig.append("doc", 1);
  CHECK(settled.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  rig.store.after(nullptr);
}

TEST_CASE("a task is done in its place among the edits, and told when it is on disk", "[journal]") {
  Rig rig;
  std::vector<std::string> order;
  rig.append("doc", 1);
  rig.journal.run({.write = [&](storage::Writer&) { order.emplace_back("task"); },
                   .done = [&](bool is_done) { order.emplace_back(is_done ? "done" : "failed"); }});
  rig.append("doc", 2);
  rig.store.before([&](Call call) {
    if (call == Call::kAppend) order.emplace_back("append");
  });
  while (rig.journal.step()) {
  }
  CHECK(order == std::vector<std::string>{"append", "task", "done", "append"});
}

TEST_CASE("F6: a task that met a full disk is done when there is room again", "[journal]") {
  Rig rig;
  int tries = 0;
  std::vector<bool> told;
  rig.journal.run({.write =
                       [&](storage::Writer&) {
                         if (++tries == 1) throw storage::Error(Kind::kDiskFull, "no room");
                       },
                   .done = [&](bool is_done) { told.push_back(is_done); }});
  CHECK_FALSE(rig.journal.step());
  CHECK(rig.journal.is_stalled());
  CHECK(told.empty());
  CHECK(rig.journal.step());
  CHECK_FALSE(rig.journal.is_stalled());
  CHECK(tries == 2);
  CHECK(told == std::vector<bool>{true});
}

TEST_CASE("who waits for a task hears that it failed, once", "[journal]") {
  Rig rig;
  std::vector<bool> told;
  const auto tell = [&](bool is_done) { told.push_back(is_done); };
  rig.journal.run(
      {.write = [](storage::Writer&) { throw storage::Error(Kind::kIo, "broken"); }, .done = tell});
  rig.journal.run({.write = [](storage::Writer&) {}, .done = tell});
  rig.journal.step();
  CHECK(told == std::vector<bool>{false, false});
  rig.journal.run({.write = [](storage::Writer&) {}, .done = tell});
  CHECK(told == std::vector<bool>{false, false, false});
}

TEST_CASE("F7: a call of the store that takes long shows as slow, then as good as a full disk",
          "[journal]") {
  Rig rig({.stalled_bytes = 2});
  rig.append("doc", 1);
  std::vector<Journal::Health> seen;
  std::vector<bool> overfull;
  rig.store.before([&](Call) {
    rig.append("doc", 2);
    rig.append("doc", 3);
    for (const std::chrono::seconds passed : {0s, 2s, 28s}) {
      rig.clock.advance(passed);
      seen.push_back(rig.journal.health());
      overfull.push_back(rig.journal.is_overfull());
    }
    rig.store.before({});
  });
  CHECK(rig.journal.step());
  CHECK(seen ==
        std::vector{Journal::Health::kWell, Journal::Health::kSlow, Journal::Health::kStuck});
  CHECK(overfull == std::vector{false, true, true});
  CHECK(rig.journal.health() == Journal::Health::kWell);
  CHECK_FALSE(rig.journal.is_stalled());
  CHECK(rig.client->committed_to == 1);
  CHECK(rig.journal.step());
  CHECK(rig.client->committed_to == 3);
  CHECK(rig.stalls == 0);
}
