#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "storage/store.hpp"

namespace palimpsest::testing {

// A Store whose calls fail or wait when the test says so; all else goes to the store it wraps.
//
//   MemoryStore memory;
//   FaultyStore store(memory);
//   store.fail_nth(FaultyStore::Call::kAppend, 0);         // the next append throws
//   store.before([&](Call call) { gate.wait(); });         // calls wait on their own thread
//
// As with the real store, a writer whose write failed refuses all further ones; ask for a new
// writer() after destroying it, which is what reopening does.
//
// Home: any thread; hooks run on the thread of the call, without a lock held.
class FaultyStore final : public storage::Store {
 public:
  enum class Call {
    kOpenWriter,
    kAppend,
    kWriteCheckpoint,
    kCompact,
    kEdit,
    kBin,
    kIndex,
    kCreate,
    kMaintain,
    kSettle,
    kLoad,
    kList,
    kLog,
    kVisit,
    kAuthors,
    kVersions,
    kNameVersion,
    kRewrite,
    kRemove,
    kScrub,
    kPurges,
    kLogVersion,
    kPrepareRemoval,
    kRetention,
    kPrepareRewrite,
    kPrepareCompaction,
    kFind,
    kSearch,
    kUnindexed,
    kPrepareIndex,
    kKeepHistory,
    kKeptHistory,
    kPrepareHistory,
    kReadWhole,
    kVerify,
    kScans,
  };
  enum class Outcome {
    kNothingDone,     // the call throws instead of doing its work
    kDoneButNotTold,  // it does its work and throws then: what a failed fsync looks like
  };
  using Hook = std::function<void(Call)>;

  explicit FaultyStore(storage::Store& inner) : inner_(inner) {}

  // The n-th call of that kind from now on throws, 0 being the next. One fault is armed at a time.
  void fail_nth(Call call, std::size_t n, storage::Error::Kind kind = storage::Error::Kind::kIo,
                Outcome outcome = Outcome::kNothingDone) {
    const std::lock_guard lock(shared_->mutex);
    shared_->fault = Fault{call, n, kind, outcome};
  }
  // The same over calls of every kind: for loops that fail call 0, 1, 2 … until all is well.
  void fail_nth(std::size_t n, storage::Error::Kind kind = storage::Error::Kind::kIo,
                Outcome outcome = Outcome::kNothingDone) {
    const std::lock_guard lock(shared_->mutex);
    shared_->fault = Fault{std::nullopt, n, kind, outcome};
  }
  // Whether the armed fault has not come yet (then the run passed without one).
  bool is_armed() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->fault.has_value();
  }
  void disarm() {
    const std::lock_guard lock(shared_->mutex);
    shared_->fault.reset();
  }

  // As long as the disk is full, whatever has something to write throws kDiskFull. Opening a writer
  // and tidying up do not: they may find room where an append does not.
  void fill_disk() { shared_->is_full = true; }
  void free_disk() { shared_->is_full = false; }

  // Runs before (after) every call; may block to delay it, or throw a storage::Error of its own.
  void before(Hook hook) { set(&Shared::before, std::move(hook)); }
  void after(Hook hook) { set(&Shared::after, std::move(hook)); }

  std::unique_ptr<storage::Writer> writer() override;
  std::unique_ptr<storage::Reader> reader() override {
    return std::make_unique<FaultyReader>(inner_.reader(), shared_);
  }

 private:
  struct Fault {
    std::optional<Call> call;  // nullopt: of any kind
    std::size_t calls_until;
    storage::Error::Kind kind;
    Outcome outcome;
  };

  struct Shared {
    mutable std::mutex mutex;
    std::optional<Fault> fault;
    Hook before;
    Hook after;
    std::atomic<bool> is_full = false;

    Hook hook(Hook Shared::*which) const {
      const std::lock_guard lock(mutex);
      return this->*which;
    }

    // The fault of this call, if it is the one.
    std::optional<Fault> take(Call call) {
      const std::lock_guard lock(mutex);
      if (!fault || (fault->call && *fault->call != call)) return std::nullopt;
      if (fault->calls_until > 0) {
        --fault->calls_until;
        return std::nullopt;
      }
      return std::exchange(fault, std::nullopt);
    }

    template <typename Work>
    auto run(Call call, Work work) {
      const std::optional<Fault> now = take(call);
      if (const Hook hook_before = hook(&Shared::before)) hook_before(call);
      if (now && now->outcome == Outcome::kNothingDone) fail(*now);
      const bool needs_room =
          call == Call::kAppend || call == Call::kWriteCheckpoint || call == Call::kCreate;
      if (needs_room && is_full)
        throw storage::Error(storage::Error::Kind::kDiskFull, "test: full");
      if constexpr (std::is_void_v<decltype(work())>) {
        work();
        finish(call, now);
      } else {
        auto result = work();
        finish(call, now);
        return result;
      }
    }

    void finish(Call call, const std::optional<Fault>& now) const {
      if (const Hook hook_after = hook(&Shared::after)) hook_after(call);
      if (now) fail(*now);
    }

    [[noreturn]] static void fail(const Fault& fault) {
      throw storage::Error(fault.kind, "test: this call was told to fail");
    }
  };

  class FaultyWriter final : public storage::Writer {
   public:
    FaultyWriter(std::unique_ptr<storage::Writer> inner, std::shared_ptr<Shared> shared)
        : inner_(std::move(inner)), shared_(std::move(shared)) {}

    void append(std::span<const storage::Append> batch) override {
      run(Call::kAppend, [&] { inner_->append(batch); });
    }
    void write_checkpoint(const storage::Checkpoint& checkpoint) override {
      run(Call::kWriteCheckpoint, [&] { inner_->write_checkpoint(checkpoint); });
    }
    bool compact(const storage::Compaction& compaction) override {
      bool is_done = false;
      run(Call::kCompact, [&] { is_done = inner_->compact(compaction); });
      return is_done;
    }
    bool edit(const storage::DocumentEdit& edit) override {
      bool is_there = false;
      run(Call::kEdit, [&] { is_there = inner_->edit(edit); });
      return is_there;
    }
    bool put_into_bin(std::string_view document, storage::Time at) override {
      bool is_there = false;
      run(Call::kBin, [&] { is_there = inner_->put_into_bin(document, at); });
      return is_there;
    }
    bool take_from_bin(std::string_view document) override {
      bool is_there = false;
      run(Call::kBin, [&] { is_there = inner_->take_from_bin(document); });
      return is_there;
    }
    std::size_t index(std::span<const storage::IndexStep> steps) override {
      std::size_t count = 0;
      run(Call::kIndex, [&] { count = inner_->index(steps); });
      return count;
    }
    void drop_index(std::string_view document) override {
      run(Call::kIndex, [&] { inner_->drop_index(document); });
    }
    bool keep_history(const storage::HistoryStep& step) override {
      bool is_done = false;
      run(Call::kKeepHistory, [&] { is_done = inner_->keep_history(step); });
      return is_done;
    }
    void create(std::span<const storage::WholeDocument> documents) override {
      run(Call::kCreate, [&] { inner_->create(documents); });
    }
    bool rewrite(const storage::LogRewrite& rewrite,
                 const storage::RewriteReason& reason) override {
      bool is_done = false;
      run(Call::kRewrite, [&] { is_done = inner_->rewrite(rewrite, reason); });
      return is_done;
    }
    storage::Removed remove(const storage::Removal& removal, const storage::Purge& purge) override {
      storage::Removed removed{};
      run(Call::kRemove, [&] { removed = inner_->remove(removal, purge); });
      return removed;
    }
    bool scrub() override {
      bool is_done = false;
      run(Call::kScrub, [&] { is_done = inner_->scrub(); });
      return is_done;
    }
    storage::Naming name_version(std::string_view document,
                                 const storage::Version& version) override {
      auto naming = storage::Naming::kNoSuchMoment;
      run(Call::kNameVersion, [&] { naming = inner_->name_version(document, version); });
      return naming;
    }
    void note_scan(const storage::Scan& scan) override {
      run(Call::kScans, [&] { inner_->note_scan(scan); });
    }
    void maintain() override {
      run(Call::kMaintain, [&] { inner_->maintain(); });
    }
    void settle() override {
      run(Call::kSettle, [&] { inner_->settle(); });
    }

   private:
    template <typename Work>
    void run(Call call, Work work) {
      if (failed_) {
        throw storage::Error(storage::Error::Kind::kIo,
                             "test: an earlier write failed; the store takes no writes");
      }
      try {
        shared_->run(call, work);
      } catch (const storage::Error&) {
        failed_ = true;
        throw;
      }
    }

    const std::unique_ptr<storage::Writer> inner_;
    const std::shared_ptr<Shared> shared_;
    bool failed_ = false;
  };

  class FaultyReader final : public storage::Reader {
   public:
    FaultyReader(std::unique_ptr<storage::Reader> inner, std::shared_ptr<Shared> shared)
        : inner_(std::move(inner)), shared_(std::move(shared)) {}

    std::optional<storage::StoredDocument> load(std::string_view document) override {
      return shared_->run(Call::kLoad, [&] { return inner_->load(document); });
    }
    std::vector<storage::DocumentSummary> list(std::size_t limit, std::size_t offset) override {
      return shared_->run(Call::kList, [&] { return inner_->list(limit, offset); });
    }
    std::vector<storage::LogEntry> log(std::string_view document, storage::Seq first,
                                       std::size_t limit) override {
      return shared_->run(Call::kLog, [&] { return inner_->log(document, first, limit); });
    }
    void visit(std::string_view document, storage::Seq first, storage::Seq last,
               const storage::EntryVisitor& visitor) override {
      shared_->run(Call::kVisit, [&] { inner_->visit(document, first, last, visitor); });
    }
    std::vector<storage::Author> authors(std::string_view document) override {
      return shared_->run(Call::kAuthors, [&] { return inner_->authors(document); });
    }
    std::vector<storage::Version> versions(std::string_view document) override {
      return shared_->run(Call::kVersions, [&] { return inner_->versions(document); });
    }
    std::vector<storage::Purge> purges(std::string_view document) override {
      return shared_->run(Call::kPurges, [&] { return inner_->purges(document); });
    }
    storage::LogVersion log_version(std::string_view document) override {
      return shared_->run(Call::kLogVersion, [&] { return inner_->log_version(document); });
    }
    std::optional<storage::Removal> prepare_removal(std::string_view document) override {
      return shared_->run(Call::kPrepareRemoval, [&] { return inner_->prepare_removal(document); });
    }
    std::optional<storage::Retention> retention(std::string_view document) override {
      return shared_->run(Call::kRetention, [&] { return inner_->retention(document); });
    }
    std::vector<Thinnable> thinnable(std::uint32_t days, storage::Seq entries,
                                     storage::Time before) override {
      return shared_->run(Call::kRetention,
                          [&] { return inner_->thinnable(days, entries, before); });
    }
    std::optional<storage::LogRewrite> prepare_rewrite(std::string_view document,
                                                       const storage::Rewriter& rewriter) override {
      return shared_->run(Call::kPrepareRewrite,
                          [&] { return inner_->prepare_rewrite(document, rewriter); });
    }
    std::optional<storage::Compaction> prepare_compaction(std::string_view document,
                                                          storage::Occasion occasion) override {
      return shared_->run(Call::kPrepareCompaction,
                          [&] { return inner_->prepare_compaction(document, occasion); });
    }
    storage::ListPage list(const storage::ListQuery& query) override {
      return shared_->run(Call::kList, [&] { return inner_->list(query); });
    }
    std::optional<storage::DocumentSummary> find(std::string_view document,
                                                 std::string_view user) override {
      return shared_->run(Call::kFind, [&] { return inner_->find(document, user); });
    }
    storage::SearchPage search(const storage::SearchQuery& query) override {
      return shared_->run(Call::kSearch, [&] { return inner_->search(query); });
    }
    storage::Candidates find_candidates(std::string_view text) override {
      return shared_->run(Call::kSearch, [&] { return inner_->find_candidates(text); });
    }
    std::vector<std::string> unindexed(std::size_t limit) override {
      return shared_->run(Call::kUnindexed, [&] { return inner_->unindexed(limit); });
    }
    std::optional<storage::HistoryCheckpoint> kept_history(std::string_view document) override {
      return shared_->run(Call::kKeptHistory, [&] { return inner_->kept_history(document); });
    }
    std::optional<storage::HistoryCheckpoint> prepare_history(std::string_view document,
                                                              std::size_t most_bytes,
                                                              storage::Occasion occasion) override {
      return shared_->run(Call::kPrepareHistory,
                          [&] { return inner_->prepare_history(document, most_bytes, occasion); });
    }
    std::optional<storage::PreparedIndex> prepare_index(std::string_view document,
                                                        std::size_t most_bytes) override {
      return shared_->run(Call::kPrepareIndex,
                          [&] { return inner_->prepare_index(document, most_bytes); });
    }
    bool read_whole(
        std::string_view document,
        const std::function<void(const storage::DocumentHead&)>& show_head,
        const std::function<void(const storage::PackedStretch&)>& show_stretch) override {
      return shared_->run(Call::kReadWhole,
                          [&] { return inner_->read_whole(document, show_head, show_stretch); });
    }
    std::vector<storage::Finding> verify(const std::function<bool()>& go_on) override {
      return shared_->run(Call::kVerify, [&] { return inner_->verify(go_on); });
    }
    std::optional<storage::Scan> last_scan() override {
      return shared_->run(Call::kScans, [&] { return inner_->last_scan(); });
    }

   private:
    const std::unique_ptr<storage::Reader> inner_;
    const std::shared_ptr<Shared> shared_;
  };

  void set(Hook Shared::*which, Hook hook) {
    const std::lock_guard lock(shared_->mutex);
    shared_.get()->*which = std::move(hook);
  }

  storage::Store& inner_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

inline std::unique_ptr<storage::Writer> FaultyStore::writer() {
  return shared_->run(Call::kOpenWriter,
                      [this] { return std::make_unique<FaultyWriter>(inner_.writer(), shared_); });
}

}  // namespace palimpsest::testing
