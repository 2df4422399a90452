// Old stretches of a log become segments while everything goes on, and nothing can be told apart
// afterwards but by its size.

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "builders.hpp"
#include "faulty_disk.hpp"
#include "raw_database.hpp"
#include "sqlite/connection.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using storage::Access;
using storage::Append;
using storage::Compaction;
using storage::EntryView;
using storage::Error;
using storage::Occasion;
using storage::Reader;
using storage::Seq;
using storage::Writer;

using Texts = std::vector<std::string>;

class Opened {
 public:
  Opened() { reopen(); }

  void reopen() {
    writer_.reset();
    store_.reset();
    store_ = open_sqlite_store(directory_.path(), Access::kReadWrite);
    writer_ = store_->writer();
    reader_ = store_->reader();
  }
  Writer& writer() { return *writer_; }
  Reader& reader() { return *reader_; }
  storage::Store& store() { return *store_; }
  std::int64_t count(const std::string& table) {
    storage::sqlite::Connection connection(directory_.path() / "palimpsest.db",
                                           storage::sqlite::Role::kReader);
    return connection.query_integer(("SELECT count(*) FROM " + table).c_str());
  }
  void damage(const std::string& sql) { run_sql(directory_.path() / "palimpsest.db", sql); }

  // So many more entries, in commits of up to `commit` entries; each says its number.
  void write(const std::string& document, std::size_t entries, std::size_t commit = 100) {
    Seq& last = last_[document];
    for (const Seq end = last + entries; last < end;) {
      std::vector<Append> batch;
      while (last < end && batch.size() < commit) {
        ++last;
        batch.push_back(entry_by({1 + last % 3, "n"}, document, last, std::to_string(last)));
        merged_[document].add(last, std::to_string(last));
      }
      writer_->append(batch);
    }
  }
  void checkpoint(const std::string& document) {
    writer_->write_checkpoint({document, last_[document], merged_[document].state(), "", ""});
  }
  bool pack(const std::string& document, Occasion occasion = Occasion::kUnloading) {
    const std::optional<Compaction> packed = reader_->prepare_compaction(document, occasion);
    return packed && writer_->compact(*packed);
  }
  Seq last(const std::string& document) { return last_[document]; }

  // All that was written is there, however it is asked for.
  void check(const std::string& document) {
    const Seq end = last_[document];
    CHECK(reader_->verify().empty());
    CHECK(reader_->load(document)->last_seq == end);
    const std::vector<storage::LogEntry> log = reader_->log(document, 1, end + 10);
    REQUIRE(log.size() == end);
    for (const storage::LogEntry& logged : log) {
      const Append expected = entry_by({1 + logged.seq % 3, "n"}, document, logged.seq, "");
      REQUIRE(texts({logged}).front() == std::to_string(logged.seq));
      REQUIRE(logged.author.client == expected.author.client);
      REQUIRE(logged.author.name == "n");
      REQUIRE(logged.at == expected.at);
    }
  }

 private:
  TempDirectory directory_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> reader_;
  std::map<std::string, Seq> last_;
  std::map<std::string, Merged> merged_;
};

TEST_CASE("a packed log answers as before", "[compaction]") {
  Opened opened;
  opened.write("notes", 3000);
  opened.write("other", 10);
  opened.checkpoint("notes");
  opened.write("notes", 50);
  CHECK(opened.pack("notes"));
  opened.check("notes");
  opened.check("other");
  CHECK(opened.reader().load("notes")->tail.size() == 50);

  opened.reopen();
  opened.write("notes", 7);
  opened.check("notes");
}

TEST_CASE("only what a checkpoint covers is packed, and only when there is enough of it",
          "[compaction]") {
  Opened opened;
  CHECK_FALSE(opened.reader().prepare_compaction("nobody", Occasion::kUnloading));
  opened.write("notes", 3000);
  CHECK_FALSE(opened.pack("notes"));
  opened.write("small", 63);
  opened.checkpoint("small");
  CHECK_FALSE(opened.pack("small"));
  opened.write("middling", 64);
  opened.checkpoint("middling");
  CHECK_FALSE(opened.pack("middling", Occasion::kEditing));
  CHECK(opened.pack("middling", Occasion::kUnloading));
  CHECK_FALSE(opened.pack("middling", Occasion::kUnloading));

  opened.checkpoint("notes");
  const auto packed = opened.reader().prepare_compaction("notes", Occasion::kEditing);
  REQUIRE(packed);
  CHECK(packed->first == 1);
  CHECK(packed->last == 3000);
}

TEST_CASE("a range is read across segments and rows", "[compaction]") {
  Opened opened;
  for (const std::size_t entries : {2000U, 1500U, 1200U}) {
    opened.write("notes", entries, 7);
    opened.checkpoint("notes");
    CHECK(opened.pack("notes", Occasion::kEditing));
  }
  opened.write("notes", 100, 7);

  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100; ++i) {
    const Seq first = random() % 4900;
    const Seq last = first + random() % 2500;
    CAPTURE(first, last);
    Seq expected = std::max<Seq>(first, 1);
    bool is_right = true;
    opened.reader().visit("notes", first, last, [&](const EntryView& seen) {
      is_right &= seen.seq == expected && text_of(seen.update) == std::to_string(expected);
      ++expected;
    });
    CHECK(is_right);
    CHECK(expected == std::max({Seq{1}, first, std::min<Seq>(last, 4800) + 1}));
  }
}

TEST_CASE("segments grow, so that there are few of them", "[compaction]") {
  Opened opened;
  std::size_t packed_entries = 0;
  for (int round = 0; round < 32; ++round) {
    opened.write("notes", 1024, 1024);
    opened.checkpoint("notes");
    const auto packed = opened.reader().prepare_compaction("notes", Occasion::kEditing);
    REQUIRE(packed);
    packed_entries += packed->last - packed->first + 1;
    CHECK(opened.writer().compact(*packed));
  }
  opened.check("notes");
  CHECK(packed_entries > opened.last("notes"));  // some were packed anew …
  CHECK(packed_entries <= 6 * opened.last("notes"));
  CHECK(opened.count("segments") <= 6);  // … which is what keeps them few
}

TEST_CASE("a log that packs to next to nothing still stays in pieces that fit the memory",
          "[compaction]") {
  Opened opened;
  const std::string same(std::size_t{1} << 20, 'x');
  for (Seq seq = 1; seq <= 64; ++seq) {
    append_one(opened.writer(), entry("long", seq, same));
    if (seq % 2 != 0) continue;
    opened.writer().write_checkpoint({"long", seq, {0, 0}, "", ""});
    if (const auto packed = opened.reader().prepare_compaction("long", Occasion::kUnloading)) {
      CHECK(packed->last - packed->first < 32);  // MiB
      CHECK(opened.writer().compact(*packed));
    }
  }
  CHECK(opened.count("segments") >= 3);
  std::size_t entries = 0;
  opened.reader().visit(
      "long", 1, 64, [&](const EntryView& entry) { entries += entry.update.size() > same.size(); });
  CHECK(entries == 64);
}

TEST_CASE("a packed stretch that comes too late changes nothing", "[compaction]") {
  Opened opened;
  opened.write("notes", 2000);
  opened.checkpoint("notes");
  const auto first = opened.reader().prepare_compaction("notes", Occasion::kUnloading);
  const auto second = opened.reader().prepare_compaction("notes", Occasion::kUnloading);
  opened.write("notes", 10);  // comes in between, and belongs to neither
  CHECK(opened.writer().compact(*first));
  CHECK_FALSE(opened.writer().compact(*second));
  opened.check("notes");
}

TEST_CASE("packing on another thread does not disturb those who write and read", "[compaction]") {
  Opened opened;
  std::atomic<bool> is_done = false;
  std::mutex mutex;
  std::optional<Compaction> ready;
  std::thread packer([&, reader = opened.store().reader()] {
    while (!is_done) {
      auto packed = reader->prepare_compaction("notes", Occasion::kEditing);
      const std::lock_guard lock(mutex);
      if (packed) ready = std::move(packed);
    }
  });
  bool is_whole = true;
  std::thread watcher([&, reader = opened.store().reader()] {
    while (!is_done) {
      Seq expected = 1;
      reader->visit("notes", 1, ~Seq{0},
                    [&](const EntryView& seen) { is_whole &= seen.seq == expected++; });
    }
  });
  std::size_t packings = 0;
  for (int round = 0; round < 200; ++round) {
    opened.write("notes", 100);
    if (round % 5 == 0) opened.checkpoint("notes");
    const std::lock_guard lock(mutex);
    if (ready && opened.writer().compact(*std::exchange(ready, std::nullopt))) ++packings;
  }
  is_done = true;
  packer.join();
  watcher.join();
  CHECK(is_whole);
  CHECK(packings > 0);
  opened.check("notes");
}

TEST_CASE("a damaged segment costs its document only, and only its own entries", "[compaction]") {
  Opened opened;
  for (const std::string name : {"good", "bad"}) {
    opened.write(name, 2000);
    opened.checkpoint(name);
    REQUIRE(opened.pack(name));
    opened.write(name, 5);
  }
  const auto [damage, message] = GENERATE(table<std::string, std::string>({
      {"UPDATE segments SET entries = x'00'", "the segment of the log from entry 1 to 2000"},
      {"UPDATE segments SET generation = 2", "the segment of the log from entry 1 to 2000"},
      {"UPDATE segments SET first_seq = 513", "the segment of the log from entry 513 to 2000"},
      {"UPDATE segments SET earliest_ms = 0", "the segment of the log from entry 1 to 2000"},
      {"DELETE FROM segments", "entry 1 of the log is missing"},
  }));
  opened.damage(damage + " WHERE document_id = (SELECT id FROM documents WHERE name = 'bad')");
  opened.reopen();
  CHECK(opened.reader().log("good", 1, 5000).size() == 2005);
  CHECK(contains(error_of([&] { opened.reader().log("bad", 1, 5000); }), message));
  CHECK(opened.reader().load("bad")->tail.size() == 5);  // editing goes on
  const auto findings = opened.reader().verify();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].document == "bad");
}

TEST_CASE("whatever operation of the disk fails while a log is packed, all of it is there",
          "[compaction]") {
  const auto operations = GENERATE(FaultyDisk::Operations::kWrites, FaultyDisk::Operations::kReads);
  FaultyDisk disk;
  std::size_t n = 0;
  for (bool has_struck = true; has_struck; ++n) {
    CAPTURE(n);
    Opened opened;
    opened.write("notes", 600, 20);
    opened.checkpoint("notes");
    opened.writer().settle();
    disk.arm({n, operations, FaultyDisk::Cause::kIo, FaultyDisk::Lasting::kOnce});
    try {
      opened.pack("notes");
      opened.writer().settle();
    } catch (const Error&) {
      CHECK(disk.has_struck());
    }
    has_struck = disk.has_struck();
    disk.repair();
    opened.reopen();
    opened.check("notes");
    opened.pack("notes");
    opened.check("notes");
  }
  CHECK(n > 3);
}

}  // namespace
}  // namespace palimpsest::testing
