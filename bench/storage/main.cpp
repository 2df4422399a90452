// storage_bench: what the history of one prepared input takes on disk, and how fast it is read.
//
// usage: storage_bench INPUT --store DIR [--times FILE]
//   INPUT is a folder: see peers/input.mjs. The store is made in DIR, which must be new.
//   --times FILE  when each update came: u64 milliseconds, little-endian; else 120 ms apart
//
// Prints one line of JSON: {"updates", "rawBytes", "historyBytes", "packMilliseconds",
// "indexBytes", "indexMilliseconds": {"first", "again": of a change later}, "openTimes": [until the
// document is in memory again, ready to be served, …], "times": [of reading all of it, in
// milliseconds, …], "thinned": {"entries", "emptied", "bursts", "historyBytes",
// "prepareMilliseconds", "writeMilliseconds"}}, the last of all of it thinned to bursts. What is
// read is compared; the exit status is 1 when it is wrong.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <sqlite3.h>

#include "../crdt/input.hpp"
#include "../program.hpp"
#include "crdt/doc.hpp"
#include "storage/history.hpp"
#include "storage/retention.hpp"
#include "storage/sqlite_store.hpp"

namespace palimpsest::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kDocument = "document";
constexpr crdt::ClientId kAuthor = 1;
constexpr crdt::ClientId kWriter = 4'000'000'001;
constexpr std::size_t kMostIndexed = std::size_t{1} << 30;
constexpr std::size_t kCommitUpdates = 50;       // as some people at once would have them
constexpr std::size_t kCheckpointUpdates = 500;  // as the server makes them
constexpr std::size_t kReadings = 11;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::vector<storage::Time> times_of(const std::string& file, std::size_t updates) {
  std::vector<storage::Time> times;
  if (file.empty()) {
    constexpr std::chrono::milliseconds kStart{1'700'000'000'000};
    constexpr std::chrono::milliseconds kStep{120};
    for (std::size_t i = 0; i < updates; ++i) {
      times.emplace_back(kStart + kStep * static_cast<std::int64_t>(i));
    }
    return times;
  }
  std::ifstream in(file, std::ios::binary);
  std::int64_t time = 0;
  while (in.read(reinterpret_cast<char*>(&time), sizeof time)) {
    times.emplace_back(std::chrono::milliseconds(time));
  }
  if (times.size() != updates) throw std::runtime_error(file + ": not one time for each update");
  return times;
}

// A server's life with one document, all of it at once: what is written, checkpointed and packed
// when, is as there.
class History {
 public:
  History(const std::string& directory, const Input::Updates& updates,
          const std::vector<storage::Time>& times)
      : store_(storage::open_sqlite_store(directory, storage::Access::kReadWrite)),
        writer_(store_->writer()),
        reader_(store_->reader()),
        updates_(updates),
        times_(times) {}

  void write() {
    crdt::Doc doc;
    std::vector<storage::Append> batch;
    crdt::ClientId author = kAuthor;
    for (std::size_t i = 0; i < updates_.each.size(); ++i) {
      const crdt::Update update = crdt::Update::decode(updates_.each[i]);
      doc.apply(update);
      if (const auto content = update.authored(); !content.empty()) author = content[0].client;
      storage::Append append;
      append.document = kDocument;
      append.seq = i + 1;
      append.at = times_[i];
      append.author.client = author;
      append.connection = 1;
      append.update =
          std::make_shared<const crdt::Bytes>(updates_.each[i].begin(), updates_.each[i].end());
      batch.push_back(std::move(append));
      const bool is_last = i + 1 == updates_.each.size();
      if (batch.size() == kCommitUpdates || is_last) {
        writer_->append(std::exchange(batch, {}));
        writer_->maintain();
      }
      if ((i + 1) % kCheckpointUpdates == 0 || is_last) {
        writer_->write_checkpoint({kDocument, i + 1, doc.encode(), "", ""});
        pack(is_last ? storage::Occasion::kUnloading : storage::Occasion::kEditing);
      }
    }
    writer_->settle();
    state_ = doc.encode();
  }

  double read() {
    std::size_t next = 0;
    const auto begin = Clock::now();
    reader_->visit(kDocument, 1, updates_.each.size(), [&](const storage::EntryView& entry) {
      const crdt::ByteView expected = updates_.each[next];
      if (entry.update.size() != expected.size() ||
          std::memcmp(entry.update.data(), expected.data(), expected.size()) != 0 ||
          entry.at != times_[next]) {
        throw std::runtime_error("wrong result: an entry of the history");
      }
      ++next;
    });
    const double time = milliseconds_since(begin);
    if (next != updates_.each.size()) throw std::runtime_error("wrong result: entries are missing");
    return time;
  }

  // By a connection that has read nothing yet, and a document that nobody has.
  double open() {
    const auto reader = store_->reader();
    const auto begin = Clock::now();
    const auto stored = reader->load(kDocument);
    crdt::Doc doc = crdt::Doc::load(stored->state);
    for (const storage::LogEntry& entry : stored->tail) {
      doc.apply(crdt::Update::decode(entry.update));
    }
    const double time = milliseconds_since(begin);
    if (doc.encode() != state_) throw std::runtime_error("wrong result: another document");
    return time;
  }

  // Of reading all that the document said, and writing what the index lacks of it.
  double index() {
    const auto begin = Clock::now();
    const auto prepared = reader_->prepare_index(kDocument, kMostIndexed);
    if (!prepared) throw std::runtime_error("wrong result: there was nothing to index");
    for (const storage::IndexStep& step : prepared->steps) {
      if (writer_->index({&step, 1}) != 1) throw std::runtime_error("wrong result: not indexed");
      writer_->maintain();
    }
    const double time = milliseconds_since(begin);
    writer_->settle();
    return time;
  }

  // One more change: somebody writes a word at the end.
  void write_on() {
    crdt::Doc doc = crdt::Doc::load(reader_->load(kDocument)->state);
    storage::Append append;
    append.document = kDocument;
    append.seq = updates_.each.size() + 1;
    append.at = times_.back();
    append.author.client = kAuthor;
    append.connection = 1;
    const std::string root = doc.root_names().at(0);
    append.update = std::make_shared<const crdt::Bytes>(doc.transact(
        kWriter, [&](crdt::Transaction& t) { t.text_insert(root, 0, "palimpsest "); }));
    writer_->append({&append, 1});
  }

  struct Thinned {
    storage::Thinning thinning;
    double prepare_milliseconds = 0;
    double write_milliseconds = 0;
  };
  // All that is behind the checkpoint, as if it were old.
  Thinned thin() {
    Thinned thinned;
    auto begin = Clock::now();
    storage::History history(kDocument);
    history.catch_up(*reader_);
    auto thinning = prepare_thinning(history, *reader_, {times_.back() + std::chrono::hours(1), 0});
    thinned.prepare_milliseconds = milliseconds_since(begin);
    if (!thinning) throw std::runtime_error("wrong result: there was nothing to thin");
    begin = Clock::now();
    if (!writer_->rewrite(thinning->rewrite, thinning->note))
      throw std::runtime_error("wrong result: not thinned");
    thinned.write_milliseconds = milliseconds_since(begin);
    writer_->settle();
    thinned.thinning = std::move(*thinning);
    return thinned;
  }

  double pack_milliseconds() const { return pack_milliseconds_; }

 private:
  void pack(storage::Occasion occasion) {
    const auto begin = Clock::now();
    const auto packed = reader_->prepare_compaction(kDocument, occasion);
    if (packed) writer_->compact(*packed);
    pack_milliseconds_ += milliseconds_since(begin);
  }

  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Writer> writer_;
  std::unique_ptr<storage::Reader> reader_;
  const Input::Updates& updates_;
  const std::vector<storage::Time>& times_;
  crdt::Bytes state_;
  double pack_milliseconds_ = 0;
};

constexpr const char* kHistoryTables = "name IN ('log', 'segments')";
constexpr const char* kIndexTables = "(name GLOB 'index_*' OR name = 'indexed')";

// The pages of tables, where there is anything in them. The history is what is in its tables; the
// checkpoint is none of it.
std::int64_t bytes_of(const std::string& directory, const std::string& tables) {
  sqlite3* handle = nullptr;
  const std::string file = directory + "/palimpsest.db";
  std::int64_t bytes = -1;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(handle,
                         ("SELECT sum(pgsize) FROM dbstat WHERE aggregate = TRUE "
                          "AND payload > 0 AND " +
                          tables)
                             .c_str(),
                         -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    bytes = sqlite3_column_int64(statement, 0);
  }
  const std::string cause = sqlite3_errmsg(handle);
  sqlite3_finalize(statement);
  sqlite3_close(handle);
  if (bytes < 0) throw std::runtime_error(file + ": " + cause);
  return bytes;
}

void measure(const std::string& folder, const std::string& directory, const std::string& times) {
  const Input input(folder, Kind::kText);
  const Input::Updates updates = input.updates();
  const std::vector<storage::Time> came_at = times_of(times, updates.each.size());
  History history(directory, updates, came_at);
  history.write();
  const auto history_bytes = static_cast<long long>(bytes_of(directory, kHistoryTables));
  std::printf(
      "{\"updates\": %zu, \"rawBytes\": %zu, \"historyBytes\": %lld, "
      "\"packMilliseconds\": %.1f, \"times\": [",
      updates.each.size(), updates.stream.size(), history_bytes, history.pack_milliseconds());
  history.read();
  for (std::size_t i = 0; i < kReadings; ++i) std::printf(i ? ", %.3f" : "%.3f", history.read());
  std::printf("], \"openTimes\": [");
  for (std::size_t i = 0; i < kReadings; ++i) std::printf(i ? ", %.3f" : "%.3f", history.open());
  const double first = history.index();  // of all the words, before any is thinned away
  const auto index_bytes = static_cast<long long>(bytes_of(directory, kIndexTables));
  history.write_on();
  const double again = history.index();
  std::printf(
      "], \"indexBytes\": %lld, \"indexMilliseconds\": {\"first\": %.1f, \"again\": %.1f}, ",
      index_bytes, first, again);
  const History::Thinned thinned = history.thin();
  std::printf(
      "\"thinned\": {\"entries\": %zu, \"emptied\": %zu, \"bursts\": %zu, \"historyBytes\": %lld, "
      "\"prepareMilliseconds\": %.1f, \"writeMilliseconds\": %.1f}}\n",
      thinned.thinning.entries, thinned.thinning.emptied, thinned.thinning.bursts,
      static_cast<long long>(bytes_of(directory, kHistoryTables)), thinned.prepare_milliseconds,
      thinned.write_milliseconds);
}

}  // namespace
}  // namespace palimpsest::bench

int main(int argc, char** argv) {
  CLI::App program("What a history takes on disk", "storage_bench");
  std::string folder;
  std::string directory;
  std::string times;
  program.add_option("INPUT", folder)->required();
  program.add_option("--store", directory)->required();
  program.add_option("--times", times);
  return palimpsest::bench::run_program(
      program, argc, argv, [&] { palimpsest::bench::measure(folder, directory, times); });
}
