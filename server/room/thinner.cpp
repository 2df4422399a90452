#include "room/thinner.hpp"

#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include "room/journal.hpp"
#include "storage/history.hpp"

namespace palimpsest::server {

namespace {

// Packed keystrokes of people who write at once can be smaller than what they came to.
bool saves_enough(const storage::Thinning& thinning, storage::Seq entries) {
  const storage::LogRewrite& rewrite = thinning.rewrite;
  return thinning.emptied >= entries / 2 &&
         rewrite.bytes_after <= rewrite.bytes_before - rewrite.bytes_before / 10;
}

}  // namespace

std::string describe(const storage::Thinning& done) {
  return fmt::format(
      "history older than {} days thinned to bursts, up to change {}: {} entries became {} bursts, "
      "{} of them empty, {} bytes became {}",
      done.note.days, done.note.until, done.entries, done.bursts, done.emptied,
      done.rewrite.bytes_before, done.rewrite.bytes_after);
}

// A thinning on its way through the journal.
struct Thinner::Pass {
  std::string document;
  storage::Thinning thinning;
  Instant begin;
  bool is_done = false;  // written on the journal's thread, read when that is done
};

Thinner::Thinner(const boost::asio::any_io_executor& reading, storage::Store& store,
                 Journal& journal, const Clock& clock, std::shared_ptr<spdlog::logger> log,
                 Options options)
    : strand_(reading),
      store_(store),
      journal_(journal),
      clock_(clock),
      log_(std::move(log)),
      options_(options),
      rests_until_(clock.now()) {}

Thinner::~Thinner() = default;

void Thinner::tick() {
  boost::asio::post(strand_, [this] { work(); });
}

void Thinner::work() {
  const Instant now = clock_.now();
  if (is_busy_ || is_stopped_ || now < rests_until_) return;
  try {
    if (!reader_) reader_ = store_.reader();
    if (due_.empty()) look();
  } catch (const storage::Error& error) {
    reader_.reset();
    log_->error("retention: which histories are to be thinned cannot be found out: {}",
                error.what());
  }
  if (due_.empty()) return;
  const Document document = std::move(due_.front());
  due_.pop_front();
  take(document);
}

void Thinner::look() {
  const Instant now = clock_.now();
  if (looked_at_ && now - *looked_at_ < options_.between_looks) return;
  looked_at_ = now;
  std::erase_if(rests_, [now](const auto& rest) { return rest.second <= now; });
  for (Document& document : reader_->thinnable(options_.days, options_.entries,
                                               clock_.wall() - options_.between_passes)) {
    if (!rests_.contains(document.document)) due_.push_back(std::move(document));
  }
}

void Thinner::take(const Document& document) {
  const Instant begin = clock_.now();
  std::optional<storage::Thinning> thinning;
  try {
    if (is_worth_a_look(document)) thinning = prepare(document);
  } catch (const std::exception& error) {  // damaged, too large, or no memory for it
    reader_.reset();
    log_->error("document {}: its history is not thinned: {}", document.document, error.what());
  }
  if (thinning && saves_enough(*thinning, options_.entries)) {
    return write(document, std::move(*thinning), begin);
  }
  rest(document.document, begin, options_.between_passes);
}

// Whether so many entries behind those that were thinned are old enough.
bool Thinner::is_worth_a_look(const Document& document) {
  const auto entry = reader_->log(document.document, document.thinned + options_.entries, 1);
  return !entry.empty() && entry.front().at <= clock_.wall() - std::chrono::days(document.days);
}

std::optional<storage::Thinning> Thinner::prepare(const Document& document) {
  storage::History history(document.document, options_.log_bytes);
  if (!history.catch_up(*reader_)) return std::nullopt;
  return prepare_thinning(history, *reader_, {clock_.wall(), document.days});
}

void Thinner::write(const Document& document, storage::Thinning thinning, Instant begin) {
  is_busy_ = true;
  const auto pass =
      std::make_shared<Pass>(Pass{document.document, std::move(thinning), begin, false});
  journal_.run({.write =
                    [pass](storage::Writer& writer) {
                      // Tried again after a full disk, it may find its own work.
                      pass->is_done |= writer.rewrite(pass->thinning.rewrite, pass->thinning.note);
                    },
                .done =
                    [this, strand = strand_, pass](bool is_written) {
                      boost::asio::post(
                          strand, [this, pass, is_written] { on_written(is_written, *pass); });
                    }});
}

void Thinner::on_written(bool is_written, const Pass& pass) {
  is_busy_ = false;
  if (!is_written) {  // the store has failed
    is_stopped_ = true;
    return;
  }
  // Packed or checkpointed meanwhile: it comes again with the next look.
  if (!pass.is_done) return rest(pass.document, pass.begin, options_.between_looks);
  log_->info("document {}: {}", pass.document, describe(pass.thinning));
  rest(pass.document, pass.begin, options_.between_passes);
}

void Thinner::rest(const std::string& document, Instant begin, Instant::duration until_next) {
  const Instant now = clock_.now();
  rests_until_ = now + (now - begin) * options_.rests_for_each_pass;
  rests_.insert_or_assign(document, now + until_next);
}

}  // namespace palimpsest::server
