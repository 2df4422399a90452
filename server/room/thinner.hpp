#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/strand.hpp>
#include <spdlog/fwd.h>

#include "room/clock.hpp"
#include "storage/retention.hpp"
#include "storage/store.hpp"

namespace palimpsest::server {

class Journal;

// What a thinning came to, for the log.
std::string describe(const storage::Thinning& done);

// Thins histories to bursts where a rule says so (storage/retention.hpp): that of the server, or of
// the document itself. Says what it did with each.
//
// It takes one document at a time, and rests for many times what that took. A document is looked at
// once a day at most, and only where enough has become old enough to be worth rewriting its log.
//
// Home:     a strand of the readers' threads; public functions any thread.
// Lifetime: longer than the handlers queued on the executor and in the journal.
class Thinner {
 public:
  struct Options {
    // What is older than so many days, of documents without a rule of their own; 0: nothing.
    std::uint32_t days = 0;
    // So many entries have to be old enough, half of them to become empty, and a tenth of the bytes
    // that change to be saved.
    storage::Seq entries = 1000;
    std::chrono::minutes between_looks{10};
    std::chrono::hours between_passes{24};
    int rests_for_each_pass = 50;
    // Of updates in a log.
    std::size_t log_bytes = std::size_t{32} << 20;
  };

  Thinner(const boost::asio::any_io_executor& reading, storage::Store& store, Journal& journal,
          const Clock& clock, std::shared_ptr<spdlog::logger> log, Options options);
  ~Thinner();

  // About once a second. Work begins here.
  void tick();
  // Nothing is begun any more.
  void stop() { is_stopped_ = true; }

 private:
  using Document = storage::Reader::Thinnable;
  struct Pass;

  void work();
  void look();
  void take(const Document& document);
  bool is_worth_a_look(const Document& document);
  std::optional<storage::Thinning> prepare(const Document& document);
  void write(const Document& document, storage::Thinning thinning, Instant begin);
  void on_written(bool is_written, const Pass& pass);
  void rest(const std::string& document, Instant begin, Instant::duration until_next);

  const boost::asio::strand<boost::asio::any_io_executor> strand_;
  storage::Store& store_;
  Journal& journal_;
  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const Options options_;
  std::atomic<bool> is_stopped_ = false;

  // On the strand.
  std::unique_ptr<storage::Reader> reader_;
  std::deque<Document> due_;
  std::map<std::string, Instant> rests_;  // not before when a document is looked at again
  std::optional<Instant> looked_at_;
  Instant rests_until_;
  bool is_busy_ = false;
};

}  // namespace palimpsest::server
