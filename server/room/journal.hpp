#pragma once

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

#include "storage/store.hpp"

namespace palimpsest::server {

// The storage thread: many appends, one commit.
//
// It takes everything that queued up while it was committing and writes it in one transaction, so
// that a lone edit is on disk after one fsync and a thousand cost hardly more. No timer. What is
// queued is written in the order in which it came, checkpoints and packed stretches of logs
// included.
//
// Invariant: a client hears committed(seq) only after storage::Writer::append() of it returned.
//            After a failure nobody hears of anything but failed().
// Home:      public functions: any thread. The writer: the journal's thread.
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
  };
  // Called once, on the journal's thread, with what the store said.
  using FailureHandler = std::function<void(const storage::Error&)>;

  Journal(std::unique_ptr<storage::Writer> writer, Options options, FailureHandler on_failure);
  // stop().
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void append(storage::Append append, std::shared_ptr<Client> client);
  void checkpoint(storage::Checkpoint checkpoint, std::shared_ptr<Client> client);
  // Nobody waits for it, and nothing is lost where it comes to nothing.
  void compact(storage::Compaction compaction);

  // Starts the thread. A test may call step() in its place.
  void start();
  // Writes everything queued so far and ends the thread. What comes later fails.
  void stop();

  // One commit, one checkpoint or one packed stretch, then what the store has to tidy up. False:
  // nothing was queued.
  bool step();

  // The store has failed: nothing is written any more, and nothing acknowledged.
  bool has_failed() const;
  // Appends and checkpoints that wait, and their bytes: for metrics.
  std::size_t queued() const;
  std::size_t queued_bytes() const;

 private:
  struct Entry {
    std::variant<storage::Append, storage::Checkpoint, storage::Compaction> work;
    std::shared_ptr<Client> client;
    std::size_t bytes = 0;
  };

  void enqueue(Entry entry);
  void run();
  bool wait_for_work();
  std::vector<Entry> take();
  void write(std::span<Entry> entries);
  void settle();
  void fail(const storage::Error& error, std::span<const Entry> entries);

  const std::unique_ptr<storage::Writer> writer_;
  const Options options_;
  const FailureHandler on_failure_;

  bool is_unsettled_ = false;  // the journal's thread

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Entry> queue_;
  std::size_t queued_bytes_ = 0;
  bool has_failed_ = false;
  bool is_stopping_ = false;

  std::thread thread_;
};

}  // namespace palimpsest::server
