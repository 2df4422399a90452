#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "crdt/error.hpp"
#include "crdt/update.hpp"
#include "storage/store.hpp"

namespace palimpsest::testing {

// A Store without a disk, for tests of what stands on one. It keeps the same promises as the real
// one (tests/storage holds both to them); wrap it in a FaultyStore to make calls fail or wait.
// What was written stays for as long as the MemoryStore lives, so a "restart" is a new writer. It
// has no full-text index: nothing is found in it, and nothing missed.
//
// Home: writer and readers may be on different threads, as with the real store.
class MemoryStore final : public storage::Store {
 public:
  std::unique_ptr<storage::Writer> writer() override;
  std::unique_ptr<storage::Reader> reader() override;

  // What a restored backup, or an earlier document of that name, leaves behind.
  void begin_generation(const std::string& document, std::uint64_t generation,
                        storage::LostClocks lost) {
    const std::lock_guard lock(state_->mutex);
    state_->generations[document] = {generation, std::move(lost)};
  }

 private:
  struct Generation {
    std::uint64_t generation = 1;
    storage::LostClocks lost;
  };
  struct Document {
    std::vector<storage::LogEntry> log;  // authors' names are kept below
    storage::Checkpoint checkpoint;
    std::map<crdt::ClientId, std::string> names;
    std::vector<crdt::ClientId> clients;  // of `names`, by first appearance
    std::vector<crdt::ClientId> recent;   // the last to have edited first
    storage::Time created_at;
    std::optional<std::string> own_title;
    std::vector<std::string> tags;
    std::set<std::string, std::less<>> starred_by;
    std::optional<storage::Time> deleted_at;
    std::optional<std::uint32_t> history_days;
    std::map<std::string, storage::Version> versions;
  };
  struct State {
    std::mutex mutex;
    std::map<std::string, Document, std::less<>> documents;
    std::map<std::string, Generation, std::less<>> generations;
    std::map<std::string, std::vector<storage::Purge>, std::less<>> purges;
    bool has_writer = false;
    std::optional<storage::Scan> last_scan;
  };
  class MemoryWriter;
  class MemoryReader;

  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

class MemoryStore::MemoryWriter final : public storage::Writer {
 public:
  explicit MemoryWriter(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~MemoryWriter() override {
    const std::lock_guard lock(state_->mutex);
    state_->has_writer = false;
  }

  void append(std::span<const storage::Append> batch) override {
    const std::lock_guard lock(state_->mutex);
    verify_sequence(batch);
    for (const storage::Append& append : batch) add(state_->documents[append.document], append);
  }

  void write_checkpoint(const storage::Checkpoint& checkpoint) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(checkpoint.document);
    if (found == state_->documents.end() || checkpoint.seq > found->second.log.size()) {
      throw crdt::Bug("checkpoint of " + checkpoint.document + " is ahead of its log");
    }
    if (checkpoint.seq > found->second.checkpoint.seq) found->second.checkpoint = checkpoint;
  }

  // Its log is not packed.
  bool compact(const storage::Compaction&) override { return false; }

  bool edit(const storage::DocumentEdit& edit) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(edit.document);
    if (found == state_->documents.end()) return false;
    Document& document = found->second;
    if (edit.title) document.own_title = *edit.title;
    if (edit.tags) {
      document.tags = *edit.tags;
      std::sort(document.tags.begin(), document.tags.end());
    }
    if (edit.history_days) document.history_days = *edit.history_days;
    if (edit.star && edit.star->is_set) document.starred_by.insert(edit.star->user);
    if (edit.star && !edit.star->is_set) document.starred_by.erase(edit.star->user);
    return true;
  }
  bool put_into_bin(std::string_view name, storage::Time at) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(name);
    if (found == state_->documents.end()) return false;
    if (!found->second.deleted_at) found->second.deleted_at = at;
    return true;
  }
  bool take_from_bin(std::string_view name) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(name);
    if (found == state_->documents.end()) return false;
    found->second.deleted_at.reset();
    return true;
  }

  std::size_t index(std::span<const storage::IndexStep>) override { return 0; }
  void drop_index(std::string_view) override {}
  bool keep_history(const storage::HistoryStep&) override { return false; }
  // Whole documents are for the real one.
  void create(std::span<const storage::WholeDocument> documents) override {
    if (!documents.empty()) throw crdt::Bug("a store in memory takes no whole documents");
  }
  // Nor rewritten.
  bool rewrite(const storage::LogRewrite&, const storage::RewriteReason&) override { return false; }
  storage::Removed remove(const storage::Removal& removal, const storage::Purge& purge) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(removal.document);
    if (found == state_->documents.end()) return storage::Removed::kNoSuchDocument;
    Generation& generation = state_->generations[removal.document];
    if (generation.generation != removal.generation || found->second.log.size() != removal.last_seq)
      return storage::Removed::kChanged;
    if (!found->second.deleted_at) return storage::Removed::kNotInBin;
    state_->documents.erase(found);
    ++generation.generation;
    generation.lost.add(storage::LostClocks(removal.had, {}));
    auto& notes = state_->purges[removal.document];
    notes.insert(notes.begin(), purge);
    return storage::Removed::kDone;
  }
  bool scrub() override { return true; }
  storage::Naming name_version(std::string_view name, const storage::Version& version) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(name);
    if (found == state_->documents.end() || version.seq > found->second.log.size())
      return storage::Naming::kNoSuchMoment;
    const auto& present = found->second.versions.try_emplace(version.name, version).first->second;
    return present == version ? storage::Naming::kDone : storage::Naming::kTaken;
  }
  void note_scan(const storage::Scan& scan) override {
    const std::lock_guard lock(state_->mutex);
    state_->last_scan = scan;
  }
  void maintain() override {}
  void settle() override {}

 private:
  void verify_sequence(std::span<const storage::Append> batch) const {
    std::map<std::string, storage::Seq> last;
    for (const storage::Append& append : batch) {
      const auto found = state_->documents.find(append.document);
      const storage::Seq stored = found == state_->documents.end() ? 0 : found->second.log.size();
      const storage::Seq expected = last.try_emplace(append.document, stored).first->second + 1;
      if (append.seq != expected || !append.update) {
        throw crdt::Bug("append to " + append.document + " is out of sequence or empty");
      }
      last[append.document] = append.seq;
    }
  }

  static void add(Document& document, const storage::Append& append) {
    if (document.log.empty()) document.created_at = append.at;
    document.log.push_back(
        {append.seq, append.at, append.made_at, append.author, append.connection, *append.update});
    name_author(document, append.author);
    for (const storage::Author& other : append.others) name_author(document, other);
    const std::string& name = document.names.at(append.author.client);
    // One person with several client ids is listed once.
    std::erase_if(document.recent, [&](crdt::ClientId client) {
      return client == append.author.client || (!name.empty() && document.names[client] == name);
    });
    document.recent.insert(document.recent.begin(), append.author.client);
    document.recent.resize(std::min<std::size_t>(document.recent.size(), 8));
  }

  // The first name that a client claims stays.
  static void name_author(Document& document, const storage::Author& author) {
    const auto [known, is_new] = document.names.try_emplace(author.client);
    if (is_new) document.clients.push_back(author.client);
    if (known->second.empty()) known->second = author.name;
  }

  const std::shared_ptr<State> state_;
};

class MemoryStore::MemoryReader final : public storage::Reader {
 public:
  explicit MemoryReader(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::optional<storage::StoredDocument> load(std::string_view name) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(name);
    const auto generation = state_->generations.find(name);
    storage::StoredDocument stored;
    if (generation != state_->generations.end()) {
      stored.generation = generation->second.generation;
      stored.lost = generation->second.lost;
    }
    if (found == state_->documents.end()) {
      if (stored.generation == 1) return std::nullopt;
      return stored;
    }
    const Document& document = found->second;
    stored.last_seq = document.log.size();
    stored.checkpoint_seq = document.checkpoint.seq;
    stored.state = document.checkpoint.state;
    stored.tail = entries(document, document.checkpoint.seq + 1, document.log.size());
    stored.is_in_bin = document.deleted_at.has_value();
    return stored;
  }

  std::vector<storage::DocumentSummary> list(std::size_t limit, std::size_t offset) override {
    const std::lock_guard lock(state_->mutex);
    std::vector<storage::DocumentSummary> all;
    for (const auto& [name, document] : state_->documents) {
      all.push_back(summary(name, document));
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& left, const auto& right) {
      return left.edited_at > right.edited_at;
    });
    const std::size_t first = std::min(offset, all.size());
    const std::size_t count = std::min(limit, all.size() - first);
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }

  std::vector<storage::LogEntry> log(std::string_view name, storage::Seq first,
                                     std::size_t limit) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(name);
    if (found == state_->documents.end()) return {};
    return entries(found->second, first, limit);
  }

  void visit(std::string_view name, storage::Seq first, storage::Seq last,
             const storage::EntryVisitor& visitor) override {
    first = std::max<storage::Seq>(first, 1);
    if (first > last) return;
    for (const storage::LogEntry& entry : log(name, first, last - first + 1)) {
      visitor({entry.seq, entry.at, entry.made_at, entry.author.client, entry.connection,
               entry.update});
    }
  }

  std::vector<storage::Version> versions(std::string_view name) override {
    const std::lock_guard lock(state_->mutex);
    std::vector<storage::Version> all;
    const auto found = state_->documents.find(name);
    if (found == state_->documents.end()) return all;
    for (const auto& [key, version] : found->second.versions) all.push_back(version);
    std::ranges::stable_sort(all, {}, &storage::Version::seq);
    return all;
  }

  std::optional<storage::Retention> retention(std::string_view name) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(name);
    if (found == state_->documents.end()) return std::nullopt;
    storage::Retention retention;
    retention.days = found->second.history_days;
    retention.last_seq = found->second.log.size();
    retention.checkpoint_seq = found->second.checkpoint.seq;
    return retention;
  }
  std::vector<Thinnable> thinnable(std::uint32_t, storage::Seq, storage::Time) override {
    return {};
  }
  std::vector<storage::Purge> purges(std::string_view name) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->purges.find(name);
    return found == state_->purges.end() ? std::vector<storage::Purge>() : found->second;
  }
  storage::LogVersion log_version(std::string_view name) override {
    const std::lock_guard lock(state_->mutex);
    if (!state_->documents.contains(name)) return {};
    return {generation_of(name), 0};
  }
  std::optional<storage::Removal> prepare_removal(std::string_view name) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(name);
    if (found == state_->documents.end()) return std::nullopt;
    storage::Removal removal;
    removal.document = name;
    removal.generation = generation_of(name);
    removal.last_seq = found->second.log.size();
    for (const storage::LogEntry& entry : found->second.log) {
      for (const auto& range : crdt::Update::decode(entry.update).authored()) {
        const auto known = removal.had.clock_of(range.client);
        removal.had.set(range.client, std::max(known, range.end));
      }
    }
    return removal;
  }
  std::optional<storage::LogRewrite> prepare_rewrite(std::string_view,
                                                     const storage::Rewriter&) override {
    return std::nullopt;
  }

  std::vector<storage::Author> authors(std::string_view name) override {
    const std::lock_guard lock(state_->mutex);
    std::vector<storage::Author> result;
    const auto found = state_->documents.find(name);
    if (found == state_->documents.end()) return result;
    for (const crdt::ClientId client : found->second.clients) {
      result.push_back({client, found->second.names.at(client)});
    }
    return result;
  }

  std::optional<storage::Compaction> prepare_compaction(std::string_view,
                                                        storage::Occasion) override {
    return std::nullopt;
  }

  // All at once, by the last edit: neither words nor order nor pages.
  storage::ListPage list(const storage::ListQuery& query) override {
    storage::ListPage page;
    for (storage::DocumentSummary& summary : list(query.limit, 0)) {
      if (summary.deleted_at.has_value() == query.in_bin) page.documents.push_back(summary);
    }
    return page;
  }
  std::optional<storage::DocumentSummary> find(std::string_view name,
                                               std::string_view user) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->documents.find(name);
    if (found == state_->documents.end()) return std::nullopt;
    storage::DocumentSummary result = summary(found->first, found->second);
    result.tags = found->second.tags;
    result.is_starred = found->second.starred_by.contains(user);
    return result;
  }
  storage::SearchPage search(const storage::SearchQuery&) override { return {}; }
  storage::Candidates find_candidates(std::string_view) override { return {}; }
  std::vector<std::string> unindexed(std::size_t) override { return {}; }
  std::optional<storage::HistoryCheckpoint> kept_history(std::string_view) override {
    return std::nullopt;
  }
  std::optional<storage::HistoryCheckpoint> prepare_history(std::string_view, std::size_t,
                                                            storage::Occasion) override {
    return std::nullopt;
  }
  std::optional<storage::PreparedIndex> prepare_index(std::string_view, std::size_t) override {
    return std::nullopt;
  }

  bool read_whole(std::string_view, const std::function<void(const storage::DocumentHead&)>&,
                  const std::function<void(const storage::PackedStretch&)>&) override {
    return false;
  }

  std::vector<storage::Finding> verify(const std::function<bool()>& go_on) override {
    const std::size_t documents = [this] {
      const std::lock_guard lock(state_->mutex);
      return state_->documents.size();
    }();
    for (std::size_t i = 0; i < documents && go_on(); ++i) {
    }
    return {};
  }
  std::optional<storage::Scan> last_scan() override {
    const std::lock_guard lock(state_->mutex);
    return state_->last_scan;
  }

 private:
  std::uint64_t generation_of(std::string_view name) const {
    const auto found = state_->generations.find(name);
    return found == state_->generations.end() ? 1 : found->second.generation;
  }

  static std::vector<storage::LogEntry> entries(const Document& document, storage::Seq first,
                                                std::size_t limit) {
    std::vector<storage::LogEntry> result;
    for (storage::Seq seq = std::max<storage::Seq>(first, 1);
         seq <= document.log.size() && result.size() < limit; ++seq) {
      result.push_back(document.log[seq - 1]);
      result.back().author.name = document.names.at(result.back().author.client);
    }
    return result;
  }

  static storage::DocumentSummary summary(const std::string& name, const Document& document) {
    storage::DocumentSummary result;
    result.name = name;
    result.title = document.own_title.value_or(document.checkpoint.title);
    result.has_own_title = document.own_title.has_value();
    result.deleted_at = document.deleted_at;
    result.excerpt = document.checkpoint.excerpt;
    result.created_at = document.created_at;
    result.edited_at = document.log.back().at;
    result.last_seq = document.log.size();
    result.summary_seq = document.checkpoint.seq;
    for (const crdt::ClientId client : document.recent) {
      result.authors.push_back({client, document.names.at(client)});
    }
    return result;
  }

  const std::shared_ptr<State> state_;
};

inline std::unique_ptr<storage::Writer> MemoryStore::writer() {
  const std::lock_guard lock(state_->mutex);
  if (state_->has_writer) throw crdt::Bug("this store has a writer already");
  state_->has_writer = true;
  return std::make_unique<MemoryWriter>(state_);
}

inline std::unique_ptr<storage::Reader> MemoryStore::reader() {
  return std::make_unique<MemoryReader>(state_);
}

}  // namespace palimpsest::testing
