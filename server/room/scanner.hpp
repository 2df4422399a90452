#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <spdlog/fwd.h>

#include "room/clock.hpp"
#include "storage/store.hpp"

namespace palimpsest::server {

class Journal;

// Reads the whole store once a week, so that what a disk forgets is found while there are backups
// that have it, and not when somebody opens the document after years. It says what it finds, and
// mends nothing. When the last scan was is stored, so that a server that is often restarted scans
// as often as others.
//
// It takes a fifth of one core's time, and one thread of `reading` for as long as it lasts.
//
// Home:     one thread of `reading` at a time; public functions any thread.
// Lifetime: longer than the handlers queued on the executor and in the journal.
class Scanner {
 public:
  struct Options {
    std::chrono::hours every{7 * 24};
    // Not while everybody comes back.
    std::chrono::milliseconds after_start{10 * 60 * 1000};
    // How many times the time that reading a document took is rested then.
    int rests_for_each_document = 4;
  };

  Scanner(boost::asio::any_io_executor reading, storage::Store& store, Journal& journal,
          const Clock& clock, std::shared_ptr<spdlog::logger> log, Options options);

  // About once a second. Work begins here.
  void tick();
  // Nothing is begun any more, and what is under way comes to nothing.
  void stop();

 private:
  void look_whether_due();
  void scan();
  bool rest();
  void report(const std::vector<storage::Finding>& findings) const;
  void note(std::size_t findings);
  void end(Instant next);

  const boost::asio::any_io_executor reading_;
  storage::Store& store_;
  Journal& journal_;
  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const Options options_;

  // The thread that scans.
  Instant document_since_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable stopping_;
  bool is_stopped_ = false;
  bool is_busy_ = false;
  Instant next_;  // when to look whether one is due
};

}  // namespace palimpsest::server
