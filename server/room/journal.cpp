#include "room/journal.hpp"

#include <exception>
#include <set>
#include <unordered_map>
#include <utility>

#include "crdt/error.hpp"

namespace palimpsest::server {

namespace {

std::size_t size_of(const storage::Append& append) { return append.update->size(); }
std::size_t size_of(const storage::Checkpoint& checkpoint) { return checkpoint.state.size(); }
std::size_t size_of(const storage::Compaction& compaction) { return compaction.segment.size(); }

// Whose work is only for the store's own good.
class Nobody final : public Journal::Client {
 public:
  void committed(storage::Seq) noexcept override {}
  void checkpointed(storage::Seq) noexcept override {}
  void failed() noexcept override {}
};

}  // namespace

Journal::Journal(std::unique_ptr<storage::Writer> writer, Options options,
                 FailureHandler on_failure)
    : writer_(std::move(writer)), options_(options), on_failure_(std::move(on_failure)) {}

Journal::~Journal() { stop(); }

void Journal::append(storage::Append append, std::shared_ptr<Client> client) {
  const std::size_t bytes = size_of(append);
  enqueue({std::move(append), std::move(client), bytes});
}

void Journal::checkpoint(storage::Checkpoint checkpoint, std::shared_ptr<Client> client) {
  const std::size_t bytes = size_of(checkpoint);
  enqueue({std::move(checkpoint), std::move(client), bytes});
}

void Journal::compact(storage::Compaction compaction) {
  const std::size_t bytes = size_of(compaction);
  enqueue({std::move(compaction), std::make_shared<Nobody>(), bytes});
}

void Journal::enqueue(Entry entry) {
  {
    const std::lock_guard lock(mutex_);
    if (!has_failed_ && !is_stopping_) {
      queued_bytes_ += entry.bytes;
      queue_.push_back(std::move(entry));
      wake_.notify_one();
      return;
    }
  }
  entry.client->failed();
}

void Journal::start() {
  thread_ = std::thread([this] { run(); });
}

void Journal::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  } else {
    while (step()) {
    }
  }
}

void Journal::run() {
  while (wait_for_work()) step();
  settle();
}

bool Journal::wait_for_work() {
  std::unique_lock lock(mutex_);
  const auto has_work = [this] { return !queue_.empty() || is_stopping_; };
  if (is_unsettled_ && !wake_.wait_for(lock, options_.settle_after, has_work)) {
    lock.unlock();
    settle();
    lock.lock();
  }
  wake_.wait(lock, has_work);
  return !queue_.empty();
}

bool Journal::step() {
  std::vector<Entry> entries = take();
  if (entries.empty()) return false;
  try {
    write(entries);
    is_unsettled_ = true;
    writer_->maintain();
  } catch (const storage::Error& error) {
    fail(error, entries);
  } catch (const crdt::Bug& bug) {
    fail(storage::Error(storage::Error::Kind::kIo, bug.what()), entries);
  }
  return true;
}

std::vector<Journal::Entry> Journal::take() {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> entries;
  std::size_t bytes = 0;
  while (!queue_.empty()) {
    Entry& next = queue_.front();
    const bool is_append = std::holds_alternative<storage::Append>(next.work);
    const bool fits = is_append && bytes + next.bytes <= options_.commit_bytes;
    if (!entries.empty() && !fits) break;
    bytes += next.bytes;
    entries.push_back(std::move(next));
    queue_.pop_front();
    if (!is_append) break;
  }
  queued_bytes_ -= bytes;
  return entries;
}

void Journal::write(std::span<Entry> entries) {
  if (const auto* checkpoint = std::get_if<storage::Checkpoint>(&entries.front().work)) {
    writer_->write_checkpoint(*checkpoint);
    entries.front().client->checkpointed(checkpoint->seq);
    return;
  }
  if (const auto* compaction = std::get_if<storage::Compaction>(&entries.front().work)) {
    writer_->compact(*compaction);
    return;
  }
  std::vector<storage::Append> appends;
  appends.reserve(entries.size());
  std::unordered_map<Client*, storage::Seq> newest;
  for (Entry& entry : entries) {
    appends.push_back(std::get<storage::Append>(std::move(entry.work)));
    newest[entry.client.get()] = appends.back().seq;
  }
  writer_->append(appends);
  for (const auto& [client, seq] : newest) client->committed(seq);
}

void Journal::settle() {
  is_unsettled_ = false;
  if (has_failed()) return;
  try {
    writer_->settle();
  } catch (const storage::Error& error) {
    fail(error, {});
  }
}

void Journal::fail(const storage::Error& error, std::span<const Entry> entries) {
  std::deque<Entry> dropped;
  {
    const std::lock_guard lock(mutex_);
    has_failed_ = true;
    dropped.swap(queue_);
    queued_bytes_ = 0;
  }
  std::set<std::shared_ptr<Client>> clients;
  for (const Entry& entry : entries) clients.insert(entry.client);
  for (const Entry& entry : dropped) clients.insert(entry.client);
  for (const std::shared_ptr<Client>& client : clients) client->failed();
  on_failure_(error);
}

bool Journal::has_failed() const {
  const std::lock_guard lock(mutex_);
  return has_failed_;
}

std::size_t Journal::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::size_t Journal::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return queued_bytes_;
}

}  // namespace palimpsest::server
