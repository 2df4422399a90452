#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/strand.hpp>
#include <spdlog/fwd.h>

#include "room/clock.hpp"
#include "storage/store.hpp"

namespace palimpsest::server {

class Journal;

// Keeps what is derived from the logs behind them: the index over all documents, and what opens
// long histories. Told that a document has changed, it reads what that one says and said, and has
// the journal write what is missing.
//
// It takes no more than its share of the time. After a document was indexed it rests for some
// seconds, and for a multiple of what that took: a large one is not read anew for every key. When a
// document leaves memory it is indexed at once. What it missed, by a crash say, it finds when it
// begins.
//
// Home:     a strand of the readers' threads; public functions any thread.
// Lifetime: longer than the handlers queued on the executor and in the journal.
class Indexer {
 public:
  struct Options {
    // How long a document rests, and how many times the time that it took.
    std::chrono::milliseconds rest{5'000};
    int rests_for_each_pass = 50;
    // What all of it may take in each second.
    std::chrono::milliseconds share{200};
    // Of updates in a log that is read as a whole.
    std::size_t log_bytes = std::size_t{32} << 20;
    // So many are written in one commit at most.
    std::size_t documents_at_once = 16;
  };

  Indexer(const boost::asio::any_io_executor& reading, storage::Store& store, Journal& journal,
          const Clock& clock, std::shared_ptr<spdlog::logger> log, Options options);
  ~Indexer();

  // Something of it came to disk.
  void changed(std::string document);
  // It left memory.
  void unloaded(std::string document);
  // About once a second. Work begins here.
  void tick();
  // Nothing is begun any more.
  void stop() { is_stopped_ = true; }

 private:
  // A document that was read, and what that took.
  struct Pass {
    std::string document;
    std::chrono::nanoseconds cost{0};
  };
  using Steps = std::vector<storage::IndexStep>;
  struct Written;

  void look_for_missed();
  void work();
  std::vector<std::string> take_due();
  bool prepare(const std::string& document);
  bool prepare_index(const std::string& document);
  bool prepare_history(const std::string& document);
  void write_next();
  void write_history();
  void on_written(bool is_done, const Written& written);
  void end_batch();

  const boost::asio::strand<boost::asio::any_io_executor> strand_;
  storage::Store& store_;
  Journal& journal_;
  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const Options options_;
  std::atomic<bool> is_stopped_ = false;

  // On the strand.
  std::unique_ptr<storage::Reader> reader_;
  std::map<std::string, Instant> due_;    // those that have changed, and not before when
  std::map<std::string, Instant> rests_;  // until when a document rests
  std::set<std::string> unloaded_;        // of those that are due
  std::chrono::nanoseconds left_{0};      // of the share; less than nothing after a long pass
  std::optional<Instant> looked_at_;      // for those that nobody told of
  // The batch under way.
  bool is_busy_ = false;
  std::vector<Pass> passes_;
  Steps steps_;
  std::deque<storage::HistoryStep> histories_;
};

}  // namespace palimpsest::server
