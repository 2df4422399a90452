#include "room/journal.hpp"

#include <exception>
#include <iterator>
#include <set>
#include <unordered_map>
#include <utility>

#include "crdt/error.hpp"
#include "storage/failpoint.hpp"

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

// Who waits for a task.
class TaskClient final : public Journal::Client {
 public:
  explicit TaskClient(std::function<void(bool)> done) : done_(std::move(done)) {}
  void committed(storage::Seq) noexcept override { done_(true); }
  void checkpointed(storage::Seq) noexcept override {}
  void failed() noexcept override { done_(false); }

 private:
  const std::function<void(bool)> done_;
};

}  // namespace

// The store is at work, and until it is done nobody knows when that will be.
class Journal::AtWork {
 public:
  explicit AtWork(Journal& journal) : journal_(journal) {
    journal_.at_work_since_ = journal_.clock_.now();
  }
  ~AtWork() { journal_.at_work_since_ = Instant::max(); }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;

 private:
  Journal& journal_;
};

Journal::Journal(storage::Store& store, const Clock& clock, Options options, Handlers handlers)
    : store_(store), clock_(clock), options_(options), handlers_(std::move(handlers)) {
  try {
    open_writer();
  } catch (const storage::Error& error) {
    if (error.kind() != storage::Error::Kind::kDiskFull) throw;
    stall(error, {});
  }
}

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

void Journal::run(Task task) {
  auto client = std::make_shared<TaskClient>(std::move(task.done));
  enqueue({std::move(task), std::move(client), 0});
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
  thread_ = std::thread([this] { work(); });
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
    finish();
  }
}

void Journal::work() {
  while (wait_for_work()) step();
  finish();
}

bool Journal::wait_for_work() {
  std::unique_lock lock(mutex_);
  if (is_full_) {
    wake_.wait_for(lock, options_.retry_after, [this] { return is_stopping_; });
    return !is_stopping_;
  }
  const auto has_work = [this] { return !queue_.empty() || is_stopping_; };
  if (is_unsettled_ && !wake_.wait_for(lock, options_.settle_after, has_work)) {
    lock.unlock();
    settle();
    return true;
  }
  wake_.wait(lock, has_work);
  return !queue_.empty();
}

// What a full disk keeps from being written is given up, unacknowledged.
void Journal::finish() {
  while (step()) {
  }
  settle();
  for (const Entry& entry : drop_queue()) entry.client->failed();
}

bool Journal::step() {
  const bool is_retry = retry_entries_ > 0;
  std::vector<Entry> entries = take();
  if (has_failed() || (entries.empty() && !is_full_)) return false;
  bool is_written = false;
  const AtWork at_work(*this);
  try {
    if (is_full_) open_writer();
    if (!entries.empty()) write(entries, is_retry);
    is_written = true;
    is_unsettled_ = true;
    writer_->maintain();
    if (is_full_) resume();
  } catch (const storage::Error& error) {
    if (!may_pass(error)) {
      fail(error, entries);
      return true;
    }
    // A log is packed another time: not even as much as that is to wait for room.
    const bool is_kept = !is_written && !entries.empty() &&
                         !std::holds_alternative<storage::Compaction>(entries.front().work);
    stall(error, is_kept ? entries : std::span<Entry>());
    return false;
  } catch (const crdt::Bug& bug) {
    fail(storage::Error(storage::Error::Kind::kIo, bug.what()), entries);
  }
  return true;
}

// While stalled, what keeps the writer from being opened may pass as a full disk does: somebody who
// reads for long.
bool Journal::may_pass(const storage::Error& error) const {
  using Kind = storage::Error::Kind;
  return error.kind() == Kind::kDiskFull || (is_full_ && error.kind() == Kind::kUnavailable);
}

void Journal::open_writer() {
  writer_.reset();
  writer_ = store_.writer();
}

std::vector<Journal::Entry> Journal::take() {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> entries;
  std::size_t bytes = 0;
  const std::size_t at_most = std::exchange(retry_entries_, 0);
  while (!queue_.empty()) {
    Entry& next = queue_.front();
    const bool is_append = std::holds_alternative<storage::Append>(next.work);
    const bool fits = at_most > 0 ? entries.size() < at_most
                                  : is_append && bytes + next.bytes <= options_.commit_bytes;
    if (!entries.empty() && !fits) break;
    bytes += next.bytes;
    entries.push_back(std::move(next));
    queue_.pop_front();
    if (!is_append) break;
  }
  queued_bytes_ -= bytes;
  return entries;
}

void Journal::write(std::span<Entry> entries, bool is_retry) {
  if (const auto* checkpoint = std::get_if<storage::Checkpoint>(&entries.front().work)) {
    writer_->write_checkpoint(*checkpoint);
    return entries.front().client->checkpointed(checkpoint->seq);
  }
  if (const auto* compaction = std::get_if<storage::Compaction>(&entries.front().work)) {
    writer_->compact(*compaction);
    return;
  }
  if (const auto* task = std::get_if<Task>(&entries.front().work)) {
    task->write(*writer_);
    return entries.front().client->committed(0);
  }
  write_appends(entries, is_retry);
}

void Journal::write_appends(std::span<Entry> entries, bool is_retry) {
  std::vector<storage::Append> appends;
  appends.reserve(entries.size());
  std::unordered_map<Client*, storage::Seq> newest;
  for (Entry& entry : entries) {
    appends.push_back(std::get<storage::Append>(std::move(entry.work)));
    newest[entry.client.get()] = appends.back().seq;
  }
  PALIMPSEST_FAILPOINT("before-append");
  try {
    if (!is_retry || !is_on_disk(appends.front())) writer_->append(appends);
  } catch (...) {
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i].work = std::move(appends[i]);
    throw;
  }
  PALIMPSEST_FAILPOINT("after-commit-before-ack");
  for (const auto& [client, seq] : newest) client->committed(seq);
}

// A commit is one transaction: where its first update is, all of it is. Opening the writer has
// brought what is there to disk.
bool Journal::is_on_disk(const storage::Append& append) {
  return !store_.reader()->log(append.document, append.seq, 1).empty();
}

void Journal::settle() {
  is_unsettled_ = false;
  if (has_failed() || is_full_) return;
  const AtWork at_work(*this);
  try {
    writer_->settle();
  } catch (const storage::Error& error) {
    if (error.kind() == storage::Error::Kind::kDiskFull) return stall(error, {});
    fail(error, {});
  }
}

void Journal::stall(const storage::Error& error, std::span<Entry> unwritten) {
  {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : unwritten) queued_bytes_ += entry.bytes;
    queue_.insert(queue_.begin(), std::move_iterator(unwritten.begin()),
                  std::move_iterator(unwritten.end()));
  }
  retry_entries_ = unwritten.size();
  if (!is_full_.exchange(true) && handlers_.stalled) handlers_.stalled(error);
}

void Journal::resume() {
  is_full_ = false;
  if (handlers_.resumed) handlers_.resumed();
}

void Journal::fail(const storage::Error& error, std::span<const Entry> entries) {
  {
    const std::lock_guard lock(mutex_);
    has_failed_ = true;
  }
  std::set<std::shared_ptr<Client>> clients;
  for (const Entry& entry : entries) clients.insert(entry.client);
  for (const Entry& entry : drop_queue()) clients.insert(entry.client);
  for (const std::shared_ptr<Client>& client : clients) client->failed();
  if (handlers_.failed) handlers_.failed(error);
}

std::deque<Journal::Entry> Journal::drop_queue() {
  const std::lock_guard lock(mutex_);
  queued_bytes_ = 0;
  return std::exchange(queue_, {});
}

Journal::Health Journal::health() const {
  if (is_full_) return Health::kFull;
  const Instant since = at_work_since_;
  if (since == Instant::max()) return Health::kWell;
  const auto time = clock_.now() - since;
  if (time >= options_.stuck_after) return Health::kStuck;
  return time >= options_.slow_after ? Health::kSlow : Health::kWell;
}

bool Journal::is_overfull() const {
  return health() != Health::kWell && queued_bytes() >= options_.stalled_bytes;
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
