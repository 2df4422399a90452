#include "room/scanner.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/logger.h>

#include "room/journal.hpp"
#include "room/plain_text.hpp"

namespace palimpsest::server {

namespace {

// After one that could not be done, and while the last one is not long enough ago.
constexpr std::chrono::hours kBetweenLooks{1};
constexpr std::size_t kMostReported = 100;
constexpr std::size_t kCauseCodePoints = 300;

}  // namespace

Scanner::Scanner(boost::asio::any_io_executor reading, storage::Store& store, Journal& journal,
                 const Clock& clock, std::shared_ptr<spdlog::logger> log, Options options)
    : reading_(std::move(reading)),
      store_(store),
      journal_(journal),
      clock_(clock),
      log_(std::move(log)),
      options_(options),
      next_(clock.now() + options.after_start) {}

void Scanner::tick() {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_ || is_busy_ || clock_.now() < next_) return;
    is_busy_ = true;
  }
  boost::asio::post(reading_, [this] { look_whether_due(); });
}

void Scanner::stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  stopping_.notify_all();
}

void Scanner::look_whether_due() {
  try {
    const std::optional<storage::Scan> last = store_.reader()->last_scan();
    // A clock that was set back does not put it off for years.
    const storage::Time now = clock_.wall();
    const bool is_due = !last || last->at > now || now - last->at >= options_.every;
    if (is_due) scan();
  } catch (const storage::Error& error) {
    log_->error("the store could not be looked through: {}", error.what());
  }
  end(clock_.now() + kBetweenLooks);
}

void Scanner::scan() {
  document_since_ = clock_.now();
  bool is_whole = true;
  const std::vector<storage::Finding> findings =
      store_.reader()->verify([&] { return is_whole = rest(); });
  report(findings);
  if (is_whole) note(findings.size());
}

// False when the server is stopping.
bool Scanner::rest() {
  std::unique_lock lock(mutex_);
  const auto time = (clock_.now() - document_since_) * options_.rests_for_each_document;
  stopping_.wait_for(lock, time, [this] { return is_stopped_; });
  document_since_ = clock_.now();
  return !is_stopped_;
}

void Scanner::report(const std::vector<storage::Finding>& findings) const {
  for (std::size_t i = 0; i < std::min(findings.size(), kMostReported); ++i) {
    const storage::Finding& finding = findings[i];
    log_->error("the store is damaged: document \"{}\", seq {}: {}", finding.document, finding.seq,
                plain_text(finding.cause, kCauseCodePoints));
  }
  if (!findings.empty()) {
    log_->error(
        "{} things are wrong with the store: `palimpsest check` lists them all, and a "
        "backup may have what is damaged",
        findings.size());
  }
}

void Scanner::note(std::size_t findings) {
  log_->info("the whole store was read and compared: {} things are wrong", findings);
  const storage::Scan scan{clock_.wall(), findings};
  journal_.run(
      {.write = [scan](storage::Writer& writer) { writer.note_scan(scan); }, .done = [](bool) {}});
}

void Scanner::end(Instant next) {
  const std::lock_guard lock(mutex_);
  is_busy_ = false;
  next_ = next;
}

}  // namespace palimpsest::server
