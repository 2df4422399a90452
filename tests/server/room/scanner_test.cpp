#include "room/scanner.hpp"

#include <sstream>

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include "room/journal.hpp"
#include "storage/raw_database.hpp"
#include "storage/sqlite_store.hpp"
#include "support.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using testing::FaultyStore;
using testing::TempDirectory;
using Call = FaultyStore::Call;

namespace {

// A store with two documents and what looks through it, without threads.
struct Rig {
  Rig() {
    for (const char* name : {"one", "two"}) {
      storage::Append append;
      append.document = name;
      append.seq = 1;
      append.update = std::make_shared<const crdt::Bytes>(crdt::Bytes{0, 0});
      journal.append(std::move(append), nobody);
    }
    while (journal.step()) {
    }
    store.before([this](Call call) {
      if (call == Call::kVerify) ++scans;
    });
  }

  struct Nobody final : server::Journal::Client {
    void committed(storage::Seq) noexcept override {}
    void checkpointed(storage::Seq) noexcept override {}
    void failed() noexcept override {}
  };

  // At once, not second for second.
  void pass(std::chrono::minutes time, server::Scanner& scanner) {
    clock.advance(time);
    scanner.tick();
    io.restart();
    io.poll();
    while (journal.step()) {
    }
  }
  server::Scanner make_scanner() { return {io.get_executor(), store, journal, clock, log, {}}; }

  TempDirectory directory;
  std::unique_ptr<storage::Store> disk =
      storage::open_sqlite_store(directory.path(), storage::Access::kReadWrite);
  FaultyStore store{*disk};
  testing::FakeClock clock;
  boost::asio::io_context io;
  std::ostringstream said;
  std::shared_ptr<spdlog::logger> log = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_st>(said));
  std::shared_ptr<Nobody> nobody = std::make_shared<Nobody>();
  server::Journal journal{store, clock, {}, {}};
  int scans = 0;
};

}  // namespace

TEST_CASE("the store is read once a week, however often the server begins anew", "[scanner]") {
  Rig rig;
  auto first = rig.make_scanner();
  rig.pass(9min, first);
  CHECK(rig.scans == 0);
  rig.pass(1min, first);
  CHECK(rig.scans == 1);
  REQUIRE(rig.store.reader()->last_scan());
  CHECK(*rig.store.reader()->last_scan() == storage::Scan{rig.clock.wall(), 0});

  auto second = rig.make_scanner();
  for (int day = 0; day < 6; ++day) rig.pass(24h, second);
  CHECK(rig.scans == 1);
  rig.pass(24h, second);
  CHECK(rig.scans == 2);
  rig.pass(24h, second);
  CHECK(rig.scans == 2);
}

TEST_CASE("a clock that was set back does not keep the store from being read", "[scanner]") {
  Rig rig;
  auto scanner = rig.make_scanner();
  rig.pass(10min, scanner);
  rig.clock.jump(-24h * 365);
  rig.pass(1h, scanner);
  CHECK(rig.scans == 2);
}

TEST_CASE("F8: what a scan finds is said with its place, and it goes on", "[scanner]") {
  Rig rig;
  testing::run_sql(rig.directory.path() / "palimpsest.db",
                   "UPDATE log SET checksum = checksum + 1 WHERE document_id = "
                   "(SELECT id FROM documents WHERE name = 'one')");
  auto scanner = rig.make_scanner();
  rig.pass(10min, scanner);
  CHECK(rig.said.str().find("document \"one\", seq 1") != std::string::npos);
  CHECK(rig.said.str().find("document \"two\"") == std::string::npos);
  CHECK(rig.store.reader()->last_scan()->findings > 0);
  CHECK_FALSE(rig.journal.has_failed());
}

TEST_CASE("a scan that the end of the server cuts short does not count", "[scanner]") {
  Rig rig;
  auto scanner = rig.make_scanner();
  rig.store.before([&](Call call) {
    if (call == Call::kVerify) scanner.stop();
  });
  rig.pass(10min, scanner);
  CHECK_FALSE(rig.store.reader()->last_scan());
  rig.pass(24h, scanner);
  CHECK_FALSE(rig.store.reader()->last_scan());
}

TEST_CASE("a scan that fails is tried again, and nothing else is the worse for it", "[scanner]") {
  Rig rig;
  auto scanner = rig.make_scanner();
  rig.store.fail_nth(Call::kVerify, 0);
  rig.pass(10min, scanner);
  CHECK_FALSE(rig.store.reader()->last_scan());
  CHECK(rig.said.str().find("could not be looked through") != std::string::npos);
  rig.pass(1h, scanner);
  CHECK(rig.store.reader()->last_scan());
}
