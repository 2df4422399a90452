#include "room/indexer.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/logger.h>

#include "room/journal.hpp"
#include "room/summary.hpp"

namespace palimpsest::server {

namespace {

using std::chrono::nanoseconds;

// What one commit writes of words, about: some ten milliseconds.
constexpr std::size_t kCommitBytes = std::size_t{128} << 10;
// How often what was missed is looked for: by a crash, since it was taken out of the index, or was
// prepared of other rows. What failed is not tried again before either.
constexpr std::chrono::minutes kBetweenLooks{1};

std::size_t bytes_of(const std::vector<storage::IndexStep::Row>& rows) {
  std::size_t bytes = 0;
  for (const storage::IndexStep::Row& row : rows) bytes += row.words.size();
  return bytes;
}

std::size_t bytes_of(const storage::IndexStep& step) {
  return bytes_of(step.gone_texts) + bytes_of(step.new_texts) + bytes_of(step.gone_words) +
         bytes_of(step.new_words);
}

// The steps from the front that go into one commit: one at least.
std::vector<storage::IndexStep> take_commit(std::vector<storage::IndexStep>& steps) {
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (count < steps.size()) {
    bytes += bytes_of(steps[count]);
    if (count > 0 && bytes > kCommitBytes) break;
    ++count;
  }
  const auto end = steps.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<storage::IndexStep> commit(std::make_move_iterator(steps.begin()),
                                         std::make_move_iterator(end));
  steps.erase(steps.begin(), end);
  return commit;
}

}  // namespace

// What became of one commit; written on the journal's thread, read when that is done.
struct Indexer::Written {
  std::vector<storage::IndexStep> steps;
  std::size_t count = 0;
  nanoseconds cost{0};
};

Indexer::Indexer(const boost::asio::any_io_executor& reading, storage::Store& store,
                 Journal& journal, const Clock& clock, std::shared_ptr<spdlog::logger> log,
                 Options options)
    : strand_(reading),
      store_(store),
      journal_(journal),
      clock_(clock),
      log_(std::move(log)),
      options_(options) {}

Indexer::~Indexer() = default;

void Indexer::changed(std::string document) {
  boost::asio::post(strand_, [this, document = std::move(document)] {
    const auto rest = rests_.find(document);
    due_.try_emplace(document, rest == rests_.end() ? clock_.now() : rest->second);
  });
}

void Indexer::unloaded(std::string document) {
  boost::asio::post(strand_, [this, document = std::move(document)] {
    due_.insert_or_assign(document, clock_.now());
    rests_.erase(document);
    unloaded_.insert(document);
  });
}

void Indexer::tick() {
  boost::asio::post(strand_, [this] {
    left_ = std::min<nanoseconds>(left_ + options_.share, options_.share);
    const Instant now = clock_.now();
    std::erase_if(rests_, [now](const auto& rest) { return rest.second <= now; });
    work();
  });
}

void Indexer::look_for_missed() {
  const Instant now = clock_.now();
  if (looked_at_ && now - *looked_at_ < kBetweenLooks) return;
  looked_at_ = now;
  try {
    if (!reader_) reader_ = store_.reader();
    for (std::string& document : reader_->unindexed(std::numeric_limits<std::size_t>::max() / 2)) {
      due_.try_emplace(std::move(document), now);
    }
  } catch (const storage::Error& error) {
    reader_.reset();
    log_->error("the index: what it lacks cannot be found out: {}", error.what());
  }
}

// Reads a batch, and has it written.
void Indexer::work() {
  if (is_busy_ || is_stopped_ || left_ <= nanoseconds(0)) return;
  look_for_missed();
  const std::vector<std::string> batch = take_due();
  for (const std::string& document : batch) {
    // One that takes long is the last of its batch; the others wait for the next.
    if (is_stopped_ || left_ <= nanoseconds(0)) {
      due_.try_emplace(document, clock_.now());
      continue;
    }
    const Instant begin = clock_.now();
    const bool is_read = prepare(document);
    const nanoseconds cost = clock_.now() - begin;
    left_ -= cost;
    if (is_read) passes_.push_back({document, cost});
  }
  if (!passes_.empty()) {
    is_busy_ = true;
    write_next();
  } else if (!batch.empty()) {
    boost::asio::post(strand_, [this] { work(); });
  }
}

std::vector<std::string> Indexer::take_due() {
  std::vector<std::string> documents;
  const Instant now = clock_.now();
  for (auto one = due_.begin();
       one != due_.end() && documents.size() < options_.documents_at_once;) {
    if (one->second > now) {
      ++one;
      continue;
    }
    documents.push_back(one->first);
    one = due_.erase(one);
  }
  return documents;
}

// False where nothing is missing, or the document cannot be read: then it is looked at again when
// it changes, or the server starts.
bool Indexer::prepare(const std::string& document) {
  try {
    if (!reader_) reader_ = store_.reader();
    const bool is_index_behind = prepare_index(document);
    return prepare_history(document) || is_index_behind;
  } catch (const std::exception& error) {  // no memory for it, for one
    reader_.reset();
    rests_.insert_or_assign(document, clock_.now() + kBetweenLooks);  // not said at every change
    log_->error("document {}: it is not indexed: {}", document, error.what());
    return false;
  }
}

bool Indexer::prepare_index(const std::string& document) {
  auto prepared = reader_->prepare_index(document, options_.log_bytes);
  if (!prepared) return false;
  if (auto& done = prepared->steps.back().done) {
    Summary summary = summarize(prepared->main_text);
    done->title = std::move(summary.title);
    done->excerpt = std::move(summary.excerpt);
  }
  steps_.insert(steps_.end(), std::make_move_iterator(prepared->steps.begin()),
                std::make_move_iterator(prepared->steps.end()));
  return true;
}

bool Indexer::prepare_history(const std::string& document) {
  using storage::Occasion;
  const Occasion occasion =
      unloaded_.erase(document) > 0 ? Occasion::kUnloading : Occasion::kEditing;
  const auto history = reader_->prepare_history(document, options_.log_bytes, occasion);
  if (!history) return false;
  std::ranges::move(storage::steps_of(*history), std::back_inserter(histories_));
  return true;
}

void Indexer::write_next() {
  if (steps_.empty()) return histories_.empty() ? end_batch() : write_history();
  const auto written = std::make_shared<Written>();
  written->steps = take_commit(steps_);
  // What a journal that is stopped last still has to do touches nothing of this.
  journal_.run({.write =
                    [&clock = clock_, written](storage::Writer& writer) {
                      const Instant begin = clock.now();
                      written->count = writer.index(written->steps);
                      written->cost = clock.now() - begin;
                    },
                .done =
                    [this, strand = strand_, written](bool is_done) {
                      boost::asio::post(
                          strand, [this, written, is_done] { on_written(is_done, *written); });
                    }});
}

void Indexer::write_history() {
  const auto written = std::make_shared<Written>();
  const auto step = std::make_shared<storage::HistoryStep>(std::move(histories_.front()));
  histories_.pop_front();
  journal_.run({.write =
                    [&clock = clock_, step, written](storage::Writer& writer) {
                      const Instant begin = clock.now();
                      writer.keep_history(*step);
                      written->cost = clock.now() - begin;
                    },
                .done =
                    [this, strand = strand_, written](bool is_done) {
                      boost::asio::post(
                          strand, [this, written, is_done] { on_written(is_done, *written); });
                    }});
}

void Indexer::on_written(bool is_done, const Written& written) {
  left_ -= written.cost;
  for (Pass& pass : passes_) pass.cost += written.cost / static_cast<int>(passes_.size());
  if (!is_done) {  // the store has failed
    is_stopped_ = true;
    return;
  }
  const bool was_damaged = std::any_of(written.steps.begin(), written.steps.end(),
                                       [](const auto& step) { return step.finds_damage; });
  if (was_damaged) log_->error("the index was damaged, and is made anew");
  write_next();
}

void Indexer::end_batch() {
  const Instant now = clock_.now();
  for (const Pass& pass : passes_) {
    const nanoseconds rest =
        std::max<nanoseconds>(options_.rest, pass.cost * options_.rests_for_each_pass);
    const Instant until = now + std::chrono::duration_cast<Instant::duration>(rest);
    rests_.insert_or_assign(pass.document, until);
    if (const auto again = due_.find(pass.document); again != due_.end()) again->second = until;
  }
  passes_.clear();
  is_busy_ = false;
  boost::asio::post(strand_, [this] { work(); });
}

}  // namespace palimpsest::server
