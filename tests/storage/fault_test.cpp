// What is left of a write when the disk fails in the middle of it.

#include <functional>
#include <map>
#include <new>

#include <sqlite3.h>

#include "builders.hpp"
#include "faulty_disk.hpp"
#include "storage/sqlite_store.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using storage::Access;
using storage::Append;
using storage::Error;
using storage::Store;
using storage::Writer;

using Texts = std::vector<std::string>;

// Some minutes of a server's life against one directory, and what it was told is saved.
class Life {
 public:
  explicit Life(const std::filesystem::path& directory) : directory_(directory) {
    const std::string long_text(9000, 'y');
    batches_ = {{entry("a", 1, "a1"), entry("b", 1, "b1"), entry("a", 2, "a2")},
                {entry("b", 2, std::string(20000, 'x')), entry_by({2, "Bob"}, "c", 1, "c1")},
                {entry("c", 2, "c2"), entry("a", 3, long_text)},
                {entry("a", 4, "a4")}};
    Merged a;
    checkpoints_.push_back({"a", 2, a.add(1, "a1").add(2, "a2").state(), "A", ""});
    checkpoints_.push_back({"a", 3, a.add(3, long_text).state(), "A", ""});
  }

  // Throws what the store throws. All that is written was made before.
  void live() {
    const auto store = open_sqlite_store(directory_, Access::kReadWrite);
    writer_ = store->writer();
    write(batches_[0]);
    writer_->write_checkpoint(checkpoints_[0]);
    write(batches_[1]);
    writer_->settle();
    write(batches_[2]);
    writer_->write_checkpoint(checkpoints_[1]);
    writer_->settle();
    write(batches_[3]);
    writer_.reset();
  }

  // A writer whose write failed takes no other one.
  void check_writer_refuses() {
    if (!writer_) return;
    CHECK_THROWS_AS(append_one(*writer_, entry("late", 1, "x")), Error);
    CHECK_THROWS_AS(writer_->write_checkpoint({"a", 1, {}, "", ""}), Error);
    writer_.reset();
  }

  void close() { writer_.reset(); }

  // All that was acknowledged is there, and of the one batch that was not, all or nothing.
  void check_result() const {
    const auto store = open_sqlite_store(directory_, Access::kReadWrite);
    const auto reader = store->reader();
    CHECK(reader->verify().empty());
    std::map<std::string, std::size_t> found;
    for (const auto& summary : reader->list(10, 0)) {
      found[summary.name] = reader->log(summary.name, 1, 100).size();
      CHECK(reader->load(summary.name)->last_seq == found[summary.name]);
    }
    CHECK((found == acknowledged_ || found == attempted_));
    const auto writer = store->writer();  // and life goes on
    append_one(*writer, entry("a", found["a"] + 1, "next"));
  }
  // As much of it as a server needs that starts on this disk while it is as it is.
  void look() const {
    const auto store = open_sqlite_store(directory_, Access::kReadWrite);
    const auto reader = store->reader();
    for (const auto& summary : reader->list(10, 0)) reader->load(summary.name);
    reader->verify();
  }

 private:
  void write(const std::vector<Append>& batch) {
    for (const Append& append : batch) attempted_[append.document] = append.seq;
    writer_->append(batch);
    acknowledged_ = attempted_;
  }

  const std::filesystem::path directory_;
  std::vector<std::vector<Append>> batches_;
  std::vector<storage::Checkpoint> checkpoints_;
  std::unique_ptr<Writer> writer_;
  std::map<std::string, std::size_t> acknowledged_;
  std::map<std::string, std::size_t> attempted_;
};

TEST_CASE("F4 F5 I11: whatever operation of the disk fails, all that was acknowledged is there",
          "[fault]") {
  using Disk = FaultyDisk;
  const auto [operations, cause] = GENERATE(table<Disk::Operations, Disk::Cause>({
      {Disk::Operations::kWrites, Disk::Cause::kIo},
      {Disk::Operations::kWrites, Disk::Cause::kFull},
      {Disk::Operations::kReads, Disk::Cause::kIo},
      {Disk::Operations::kOpens, Disk::Cause::kIo},
      {Disk::Operations::kOpens, Disk::Cause::kFull},
  }));
  const auto lasting = GENERATE(Disk::Lasting::kOnce, Disk::Lasting::kForEver);
  FaultyDisk disk;
  std::size_t n = 0;
  for (bool has_struck = true; has_struck; ++n) {
    INFO("operation " << n << ", cause " << static_cast<int>(cause) << ", for ever "
                      << static_cast<int>(lasting));
    const TempDirectory directory;
    Life life(directory.path());
    disk.arm({n, operations, cause, lasting});
    try {
      life.live();
    } catch (const Error& error) {
      if (cause == Disk::Cause::kIo) CHECK(error.kind() != Error::Kind::kDiskFull);
      // Only what asks the disk for room hears that there is none.
      const bool asks_for_room = operations == Disk::Operations::kWrites;
      if (cause == Disk::Cause::kFull && asks_for_room) {
        CHECK(error.kind() == Error::Kind::kDiskFull);
      }
    }
    try {
      life.look();
    } catch (const Error&) {
    }
    has_struck = disk.has_struck();
    if (lasting == Disk::Lasting::kOnce) life.check_writer_refuses();
    disk.repair();
    life.check_writer_refuses();
    life.check_result();
  }
  CHECK(n > 20);  // the loop has seen the whole of it
}

// While it lives, the n-th piece of memory that SQLite asks for is not there, or none from then on.
class FaultyMemory {
 public:
  FaultyMemory() {
    ::sqlite3_shutdown();
    ::sqlite3_config(SQLITE_CONFIG_GETMALLOC, &system_);
    ::sqlite3_mem_methods mine = system_;
    mine.xMalloc = [](int size) { return strikes() ? nullptr : system_.xMalloc(size); };
    mine.xRealloc = [](void* old, int size) {
      return strikes() ? nullptr : system_.xRealloc(old, size);
    };
    ::sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
    ::sqlite3_initialize();
  }
  ~FaultyMemory() {
    ::sqlite3_shutdown();
    ::sqlite3_config(SQLITE_CONFIG_MALLOC, &system_);
    ::sqlite3_initialize();
  }
  FaultyMemory(const FaultyMemory&) = delete;
  FaultyMemory& operator=(const FaultyMemory&) = delete;

  static void arm(std::size_t n, bool for_ever) {
    until_ = n;
    is_for_ever_ = for_ever;
    is_armed_ = true;
    has_struck_ = false;
  }
  static void repair() { is_armed_ = false; }
  static bool has_struck() { return has_struck_; }

 private:
  static bool strikes() {
    if (!is_armed_) return false;
    if (until_ > 0) {
      --until_;
      return false;
    }
    is_armed_ = is_for_ever_;
    return has_struck_ = true;
  }

  static inline ::sqlite3_mem_methods system_;
  static inline std::size_t until_ = 0;
  static inline bool is_armed_ = false, is_for_ever_ = false, has_struck_ = false;
};

TEST_CASE("F12: whenever SQLite's memory runs out, all that was acknowledged is there", "[fault]") {
  const bool for_ever = GENERATE(false, true);
  FaultyMemory memory;
  FaultyDisk disk;  // which syncs nothing: there are thousands of runs
  std::size_t runs = 0;
  // Each of the first, and ever fewer of the many that are like one another.
  for (std::size_t n = 0;; n += 1 + n / 40, ++runs) {
    CAPTURE(n, for_ever);
    const TempDirectory directory;
    Life life(directory.path());
    memory.arm(n, for_ever);
    CHECK_NOTHROW([&] {
      try {
        life.live();
      } catch (const Error&) {
      } catch (const std::bad_alloc&) {
      }
    }());
    const bool has_struck = memory.has_struck();
    memory.repair();
    life.close();
    life.check_result();
    if (!has_struck) break;
  }
  CHECK(runs > 50);
}

TEST_CASE("F12: whenever our own memory runs out, all that was acknowledged is there", "[fault]") {
  const bool for_ever = GENERATE(false, true);
  FaultyDisk disk;  // which syncs nothing
  std::size_t runs = 0;
  for (std::size_t n = 0;; n += 1 + n / 20, ++runs) {
    CAPTURE(n, for_ever);
    const TempDirectory directory;
    Life life(directory.path());
    bool has_struck = false;
    {
      const AllocationFault fault(n, for_ever);
      try {
        life.live();
      } catch (const Error&) {
      } catch (const std::bad_alloc&) {
      }
      has_struck = fault.has_struck();
    }
    life.close();
    life.check_result();
    if (!has_struck) break;
  }
  CHECK(runs > 50);
}

TEST_CASE("F12: a writer on whom memory ran out takes no more, or goes on as if nothing was",
          "[fault]") {
  const bool for_ever = GENERATE(false, true);
  FaultyDisk disk;
  const std::vector<Append> first{entry("a", 1, "a1")};
  const std::vector<Append> second{entry("a", 2, "a2"), entry("b", 1, "b1"), entry("a", 3, "a3")};
  std::size_t runs = 0;
  for (std::size_t n = 0;; ++n, ++runs) {
    CAPTURE(n, for_ever);
    const TempDirectory directory;
    const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
    std::unique_ptr<Writer> writer = store->writer();
    writer->append(first);
    bool is_done = true;
    {
      const AllocationFault fault(n, for_ever);
      try {
        writer->append(second);
      } catch (const std::exception&) {
        is_done = false;
      }
    }
    if (is_done) break;
    try {
      writer->append(second);
    } catch (const Error& error) {
      CHECK(contains(error.what(), "no writes until the store is reopened"));
    }
    writer.reset();
    const auto reader = store->reader();
    CHECK(reader->verify().empty());
    const std::size_t count = reader->log("a", 1, 10).size();
    CHECK((count == 1 || count == 3));
    CHECK(reader->log("b", 1, 10).size() == (count == 3 ? 1 : 0));
  }
  CHECK(runs > 5);
}

}  // namespace
}  // namespace palimpsest::testing
