#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include "room/clock.hpp"
#include "storage/store.hpp"

namespace palimpsest::server {

// The storage thread: many appends, one commit.
//
// It takes everything that queued up while it was committing and writes it in one transaction, so
// that a lone edit is on disk after one fsync and a thousand cost hardly more. No timer. What is
// queued is written in the order in which it came, checkpoints and packed stretches of logs
// included.
//
// A full disk stalls it: nothing is acknowledged, everything stays queued, and again and again the
// writer is opened anew and the commit that failed is tried once more. A disk that does not answer
// for long counts as one that is full, until it does. Any other error ends it.
//
// Invariant: a client hears committed(seq) only when all up to it is on disk. After a failure
//            nobody hears of anything but failed().
// Home:      public functions: any thread. The writer: the journal's thread.
// Lifetime:  shorter than the store's.
class Journal {
 public:
  // Who has something written. Called on the journal's thread: hand over to your own home.
  class Client {
   public:
    virtual ~Client() = default;
    // All that this client appended up to `seq` is on disk.
    virtual void committed(storage::Seq seq) noexcept = 0;
    virtual void checkpointed(storage::Seq seq) noexcept = 0;
    // Whether what this client has queued is on disk is not known, and will not be told.
    virtual void failed() noexcept = 0;
  };

  struct Options {
    std::size_t commit_bytes = std::size_t{4} << 20;  // at most, unless one update is larger
    // With nothing to write for so long, the store may tidy up what it would rather do undisturbed.
    std::chrono::milliseconds settle_after{5'000};
    // How long to wait for room on a full disk before trying again, and how much may be queued
    // until then.
    std::chrono::milliseconds retry_after{1'000};
    std::size_t stalled_bytes = std::size_t{64} << 20;
    // One call of the store that takes longer is slow; and one that does not seem to end.
    std::chrono::milliseconds slow_after{2'000};
    std::chrono::milliseconds stuck_after{30'000};
  };
  // How the store does, as far as can be seen from outside of its calls.
  enum class Health {
    kWell,
    kSlow,   // what is queued waits for longer than people like
    kStuck,  // as good as full
    kFull,
  };
  // What the owner wants to hear, on the journal's thread (stalled: also from the constructor).
  struct Handlers {
    std::function<void(const storage::Error&)> failed = {};   // once; with what the store said
    std::function<void(const storage::Error&)> stalled = {};  // the disk is full
    std::function<void()> resumed = {};                       // there is room again
  };

  // Opens the store's writer. Throws storage::Error where it can't, unless the disk is full.
  Journal(storage::Store& store, const Clock& clock, Options options, Handlers handlers);
  // stop().
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void append(storage::Append append, std::shared_ptr<Client> client);
  void checkpoint(storage::Checkpoint checkpoint, std::shared_ptr<Client> client);
  // Nobody waits for it, and nothing is lost where it comes to nothing.
  void compact(storage::Compaction compaction);
  // Anything else that is written, in its place among the rest and durable when it is done.
  struct Task {
    // On the journal's thread. Where the disk is full it is called again later, so doing it twice
    // must do no more than doing it once. What it refuses it keeps for itself: whatever it throws
    // is taken for a failure of the store.
    std::function<void(storage::Writer&)> write;
    // Once, on any thread. False: whether it is on disk is not known, and will not be told.
    std::function<void(bool is_done)> done;
  };
  void run(Task task);

  // Starts the thread. A test may call step() in its place.
  void start();
  // Writes everything queued so far and ends the thread. What comes later fails.
  void stop();

  // One commit, one checkpoint, one packed stretch or one task, then what the store has to tidy up.
  // While stalled, one more try. False: nothing was queued, or nothing could be done.
  bool step();

  // The store has failed: nothing is written any more, and nothing acknowledged.
  bool has_failed() const;
  Health health() const;
  // What is queued waits, nobody knows for how long: the disk is full, or does not answer.
  bool is_stalled() const { return health() >= Health::kStuck; }
  // So much waits for a disk that is full or slow that more must be refused.
  bool is_overfull() const;
  // What waits to be written, and its bytes: for metrics.
  std::size_t queued() const;
  std::size_t queued_bytes() const;

 private:
  struct Entry {
    std::variant<storage::Append, storage::Checkpoint, storage::Compaction, Task> work;
    std::shared_ptr<Client> client;
    std::size_t bytes = 0;
  };

  class AtWork;

  void enqueue(Entry entry);
  void work();
  bool wait_for_work();
  void finish();
  std::vector<Entry> take();
  void write(std::span<Entry> entries, bool is_retry);
  void write_appends(std::span<Entry> entries, bool is_retry);
  bool is_on_disk(const storage::Append& append);
  void settle();
  bool may_pass(const storage::Error& error) const;
  void open_writer();
  void stall(const storage::Error& error, std::span<Entry> unwritten);
  void resume();
  void fail(const storage::Error& error, std::span<const Entry> entries);
  std::deque<Entry> drop_queue();

  storage::Store& store_;
  const Clock& clock_;
  const Options options_;
  const Handlers handlers_;

  // The journal's thread.
  std::unique_ptr<storage::Writer> writer_;
  bool is_unsettled_ = false;
  std::size_t retry_entries_ = 0;  // at the front of the queue: a commit whose outcome is unknown

  std::atomic<bool> is_full_ = false;
  std::atomic<Instant> at_work_since_ = Instant::max();  // of the call of the store under way

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Entry> queue_;
  std::size_t queued_bytes_ = 0;
  bool has_failed_ = false;
  bool is_stopping_ = false;

  std::thread thread_;
};

}  // namespace palimpsest::server
