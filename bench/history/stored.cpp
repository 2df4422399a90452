#include "stored.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <utility>

#include "crdt/doc.hpp"
#include "crdt/update.hpp"
#include "storage/history.hpp"
#include "storage/sqlite_store.hpp"
#include "storage/store.hpp"
#include "times.hpp"

namespace palimpsest::bench {
namespace {

using storage::History;
using storage::Occasion;
using storage::Seq;

constexpr const char* kDocument = "history";
constexpr std::size_t kCommitUpdates = 64;
constexpr std::size_t kCheckpointUpdates = 8192;
constexpr std::size_t kMostBytes = std::size_t{48} << 20;
constexpr std::size_t kPage = 50;
constexpr int kRepetitions = 7;
constexpr Seq kTail = 4000;  // changes; less than what has another checkpoint made

class Stored {
 public:
  explicit Stored(const std::string& directory)
      : store_(storage::open_sqlite_store(directory, storage::Access::kReadWrite)),
        writer_(store_->writer()) {}

  // Keys some 100 ms apart, with pauses between sittings.
  void write(std::span<const Log::Entry> entries) {
    std::vector<storage::Append> batch;
    for (const Log::Entry& entry : entries) {
      doc_.apply(crdt::Update::decode(entry.update));
      at_ += std::chrono::milliseconds(20 + chance_() % 160);
      if (chance_() % 2000 == 0) at_ += std::chrono::minutes(2 + chance_() % 30);
      storage::Append append;
      append.document = kDocument;
      append.seq = ++seq_;
      append.at = at_;
      append.author = {entry.sender, "somebody"};
      append.connection = entry.sender;
      append.update = std::make_shared<const crdt::Bytes>(entry.update);
      batch.push_back(std::move(append));
      if (batch.size() == kCommitUpdates) writer_->append(std::exchange(batch, {}));
      if (seq_ % kCheckpointUpdates == 0) {
        writer_->append(std::exchange(batch, {}));
        pack(Occasion::kEditing);
      }
    }
    writer_->append(batch);
    pack(Occasion::kUnloading);
    writer_->settle();
  }
  // Answers its bytes.
  std::size_t keep() {
    const auto history =
        store_->reader()->prepare_history(kDocument, kMostBytes, Occasion::kUnloading);
    check(history.has_value(), "nothing to keep of the history");
    for (const storage::HistoryStep& step : steps_of(*history)) writer_->keep_history(step);
    writer_->settle();
    return history->bytes.size();
  }

  Times timeline() const {
    Times times;
    for (int i = 0; i < kRepetitions; ++i) {
      const auto reader = store_->reader();
      const auto page = times.take([&] {
        History history(kDocument);
        history.catch_up(*reader);
        return history.timeline(History::Group::kBurst, ~Seq{0}, kPage);
      });
      check(page.size() >= kPage, "the timeline");
    }
    return times;
  }
  Times text(const crdt::WovenText& expected) const {
    Times times;
    for (int i = 0; i < kRepetitions; ++i) {
      const auto reader = store_->reader();
      const Seq at = expected.last_seq() * static_cast<Seq>(i) / kRepetitions;
      const std::string then = times.take([&] {
        History history(kDocument);
        history.catch_up(*reader);
        return history.text(history.main_text()).text(at);
      });
      check(then == expected.text(at), "the text at a moment, from the store");
    }
    return times;
  }

 private:
  void pack(Occasion occasion) {
    writer_->write_checkpoint({kDocument, seq_, doc_.encode(), "", ""});
    const auto reader = store_->reader();
    while (const auto packed = reader->prepare_compaction(kDocument, occasion)) {
      if (!writer_->compact(*packed)) break;
    }
    writer_->maintain();
  }

  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Writer> writer_;
  crdt::Doc doc_;
  std::mt19937_64 chance_{5};
  storage::Time at_{std::chrono::milliseconds(1'790'000'000'000)};
  Seq seq_ = 0;
};

}  // namespace

std::string measure_stored(const std::string& directory, const Log& log,
                           const crdt::WovenText& text) {
  const std::span<const Log::Entry> all = log.entries;
  const std::size_t tail = all.size() > 2 * kTail ? kTail : 0;
  Stored stored(directory);
  stored.write(all.first(all.size() - tail));
  Times timeline_of_log = stored.timeline();
  const std::size_t kept_bytes = stored.keep();
  stored.timeline();  // a first time, so that the file is in memory
  Times timeline = stored.timeline();
  stored.write(all.last(tail));
  Times timeline_behind = stored.timeline();
  Times text_behind = stored.text(text);
  stored.keep();
  Times text_at = stored.text(text);
  std::string line = "{\"keptBytes\": " + std::to_string(kept_bytes);
  line += timeline_of_log.json("timelineOfLog") + timeline.json("timeline") +
          text_at.json("textAt") + timeline_behind.json("timelineBehind") +
          text_behind.json("textAtBehind");
  return line + "}";
}

}  // namespace palimpsest::bench
