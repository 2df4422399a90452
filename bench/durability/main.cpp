// durability_bench: how many small updates a second come to disk, and what the disk and SQLite by
// themselves do.
//
// usage: durability_bench --store DIR [--seconds S] [--documents N] [--window K]
//   Two writers in each of N documents, as peers of rooms of the server without the sockets: each
//   update is decoded, merged, written and acknowledged, checkpoints and packed logs included. Each
//   writer has K updates under way. The stores are made in DIR, which must be new.
//        durability_bench --store DIR --fill N
//   Only makes a store of N documents of a few lines each, as a server leaves it.
//
// Prints one line of JSON: {"updatesPerSecond": acknowledged as durable, "updates": of all of it,
// "rawInsertsPerSecond": rows with the same bytes by one SQLite connection with the same settings,
// in transactions of "rawInsertsEach"}. What is stored is read again and compared; the exit status
// is 1 when it is wrong.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <spdlog/logger.h>
#include <sqlite3.h>

#include "../load/typing.hpp"
#include "../program.hpp"
#include "crdt/doc.hpp"
#include "room/directory.hpp"
#include "storage/sqlite_store.hpp"

namespace palimpsest::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr crdt::ClientId kFirstWriter = 0x4000'0000;
constexpr std::size_t kWriters = 2;  // of each document
constexpr std::size_t kRowsEach = 10'000;

struct Arguments {
  std::filesystem::path store;
  Seconds time{5};
  std::size_t documents = 100;
  std::size_t window = 512;
  std::size_t fill = 0;
};

Bytes typed(crdt::ClientId client, std::uint64_t clock) {
  Bytes message;
  write_typing(message, client, clock);
  ByteView frame = message;
  const ByteView update = read_message(frame).payload;
  return {update.begin(), update.end()};
}

// Types behind its own last character as fast as its updates are acknowledged.
class Writer final : public server::Peer, public std::enable_shared_from_this<Writer> {
 public:
  Writer(server::Lease room, crdt::ClientId id, std::size_t window,
         std::atomic<std::uint64_t>& acknowledged)
      : room_(std::move(room)), id_(id), window_(window), acknowledged_(acknowledged) {}

  void start() {
    on_strand([this] { room_->join(*this); });
  }
  // Nothing more is typed. Answers how much was, when all of it is acknowledged or the peer closed.
  std::future<std::uint64_t> stop() {
    std::future<std::uint64_t> typed = typed_.get_future();
    on_strand([this] {
      is_stopping_ = true;
      finish_when_done();
    });
    return typed;
  }
  void leave() {
    on_strand([this] {
      room_->leave(*this);
      room_ = {};
    });
  }

  std::uint64_t connection() const override { return id_; }
  bool wants_own_updates() const override { return false; }
  void opened() override {
    on_strand([this] { type(); });
  }
  void deliver(const std::shared_ptr<const server::ReleasedUpdate>&) override {}
  void deliver_sync(const server::Frame&) override {}
  void deliver_awareness(const server::Frame&) override {}
  void acknowledge(server::Acknowledged acknowledged) override {
    done_ += acknowledged.updates;
    acknowledged_ += acknowledged.updates;
    on_strand([this] {
      type();
      finish_when_done();
    });
  }
  void tick(server::Instant) override {}
  void close(server::Close) override { is_closed_ = true; }

 private:
  void on_strand(std::function<void()> work) {
    boost::asio::post(strand_, [self = shared_from_this(), work = std::move(work)] { work(); });
  }
  void type() {
    while (!is_stopping_ && !is_closed_ && clock_ - done_ < window_) {
      room_->receive(*this, typed(id_, clock_++), {});
    }
  }
  void finish_when_done() {
    if (!is_stopping_ || is_finished_ || (done_ < clock_ && !is_closed_)) return;
    is_finished_ = true;
    typed_.set_value(clock_);
  }

  server::Lease room_;
  const server::Strand strand_ = room_->strand();
  const crdt::ClientId id_;
  const std::size_t window_;
  std::atomic<std::uint64_t>& acknowledged_;
  std::uint64_t clock_ = 0;
  std::uint64_t done_ = 0;
  bool is_stopping_ = false;
  bool is_closed_ = false;
  bool is_finished_ = false;
  std::promise<std::uint64_t> typed_;
};

std::string document_name(std::size_t number) { return "document-" + std::to_string(number); }

// The server but for its sockets.
class Rooms {
 public:
  explicit Rooms(const std::filesystem::path& directory)
      : store_(storage::open_sqlite_store(directory, storage::Access::kReadWrite)) {
    journal_.start();
    thread_ = std::thread([this] { io_.run(); });
  }

  server::Directory& directory() { return directory_; }

  void stop() {
    std::promise<void> drained;
    directory_.drain([&] { drained.set_value(); });
    drained.get_future().wait();
    work_.reset();
    thread_.join();
    reading_.join();
    journal_.stop();
  }

 private:
  std::unique_ptr<storage::Store> store_;
  server::SystemClock clock_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  boost::asio::thread_pool reading_{2};
  server::Journal journal_{*store_, clock_, {}, {}};
  server::Directory directory_{io_,     reading_.get_executor(),
                               *store_, journal_,
                               clock_,  std::make_shared<spdlog::logger>("bench"),
                               {}};
  std::thread thread_;
};

void check_stored(const std::filesystem::path& directory, const std::vector<std::uint64_t>& typed) {
  const auto store = storage::open_sqlite_store(directory, storage::Access::kReadOnly);
  const auto reader = store->reader();
  for (std::size_t i = 0; i * kWriters < typed.size(); ++i) {
    const auto loaded = server::build_document(reader->load(document_name(i)));
    std::uint64_t expected = 0;
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      expected += typed[i * kWriters + writer];
    }
    if (loaded.doc.text("content").size() != expected || loaded.last_seq != expected) {
      throw std::runtime_error("wrong result: not all that was acknowledged is stored");
    }
  }
}

struct Durable {
  double per_second = 0;
  std::uint64_t updates = 0;
};

Durable measure_rooms(const std::filesystem::path& directory, const Arguments& arguments) {
  Rooms rooms(directory);
  std::atomic<std::uint64_t> acknowledged = 0;
  std::vector<std::shared_ptr<Writer>> writers;
  for (std::size_t i = 0; i < arguments.documents * kWriters; ++i) {
    writers.push_back(std::make_shared<Writer>(rooms.directory().open(document_name(i / kWriters)),
                                               kFirstWriter + i, arguments.window, acknowledged));
    writers.back()->start();
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));  // warm
  const std::uint64_t before = acknowledged;
  const auto begin = SteadyClock::now();
  while (SteadyClock::now() - begin < arguments.time) {
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    rooms.directory().tick();
  }
  const Durable durable{
      static_cast<double>(acknowledged - before) / Seconds(SteadyClock::now() - begin).count(), 0};
  std::vector<std::uint64_t> typed;
  Durable all = durable;
  for (const auto& writer : writers) {
    typed.push_back(writer->stop().get());
    all.updates += typed.back();
  }
  if (acknowledged != all.updates) throw std::runtime_error("wrong result: a writer was closed");
  for (const auto& writer : writers) writer->leave();
  rooms.stop();
  check_stored(directory, typed);
  return all;
}

// SQLite as it is, with a table as simple as can be.
class RawDatabase {
 public:
  explicit RawDatabase(const std::filesystem::path& file) {
    if (sqlite3_open(file.c_str(), &handle_) != SQLITE_OK) fail();
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("CREATE TABLE log (document INTEGER, seq INTEGER, bytes BLOB, "
        "PRIMARY KEY (document, seq)) WITHOUT ROWID");
    const char* insert = "INSERT INTO log VALUES (?1, ?2, ?3)";
    if (sqlite3_prepare_v2(handle_, insert, -1, &insert_, nullptr) != SQLITE_OK) fail();
  }
  ~RawDatabase() {
    sqlite3_finalize(insert_);
    sqlite3_close(handle_);
  }
  RawDatabase(const RawDatabase&) = delete;
  RawDatabase& operator=(const RawDatabase&) = delete;

  void run(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }
  void insert(std::int64_t document, std::int64_t seq, const Bytes& bytes) {
    sqlite3_bind_int64(insert_, 1, document);
    sqlite3_bind_int64(insert_, 2, seq);
    sqlite3_bind_blob(insert_, 3, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
    if (sqlite3_step(insert_) != SQLITE_DONE) fail();
    sqlite3_reset(insert_);
  }

 private:
  [[noreturn]] void fail() { throw std::runtime_error(sqlite3_errmsg(handle_)); }

  sqlite3* handle_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

double measure_raw_inserts(const std::filesystem::path& file, const Arguments& arguments) {
  RawDatabase database(file);
  std::int64_t rows = 0;
  const auto begin = SteadyClock::now();
  while (SteadyClock::now() - begin < arguments.time) {
    database.run("BEGIN");
    for (std::size_t i = 0; i < kRowsEach; ++i, ++rows) {
      const auto document = rows % static_cast<std::int64_t>(arguments.documents);
      const Bytes update = typed(kFirstWriter + static_cast<crdt::ClientId>(document),
                                 static_cast<std::uint64_t>(rows));
      database.insert(document, rows, update);
    }
    database.run("COMMIT");
  }
  return static_cast<double>(rows) / Seconds(SteadyClock::now() - begin).count();
}

// A person's hundred keystrokes in each.
void fill(const Arguments& arguments) {
  constexpr std::uint64_t kKeys = 100;
  const auto store = storage::open_sqlite_store(arguments.store, storage::Access::kReadWrite);
  const auto writer = store->writer();
  for (std::size_t i = 0; i < arguments.fill; ++i) {
    crdt::Doc doc;
    std::vector<storage::Append> batch;
    for (std::uint64_t key = 0; key < kKeys; ++key) {
      const Bytes update = typed(kFirstWriter + i, key);
      doc.apply(crdt::Update::decode(update));
      storage::Append append;
      append.document = document_name(i);
      append.seq = key + 1;
      append.at = storage::Time(std::chrono::milliseconds(1'700'000'000'000 + 150 * key));
      append.author.client = kFirstWriter + i;
      append.connection = i + 1;
      append.update = std::make_shared<const crdt::Bytes>(update);
      batch.push_back(std::move(append));
    }
    writer->append(batch);
    writer->write_checkpoint({document_name(i), kKeys, doc.encode(), doc.text("content"), ""});
    writer->maintain();
  }
  writer->settle();
}

void measure(const Arguments& arguments) {
  if (arguments.fill > 0) return fill(arguments);
  std::filesystem::create_directory(arguments.store);
  const double raw = measure_raw_inserts(arguments.store / "raw.db", arguments);
  const Durable durable = measure_rooms(arguments.store / "rooms", arguments);
  std::printf(
      "{\"updatesPerSecond\": %.0f, \"updates\": %llu, \"rawInsertsPerSecond\": %.0f, "
      "\"rawInsertsEach\": %zu}\n",
      durable.per_second, static_cast<unsigned long long>(durable.updates), raw, kRowsEach);
}

}  // namespace
}  // namespace palimpsest::bench

int main(int argc, char** argv) {
  using palimpsest::bench::Seconds;
  CLI::App program("How many small updates a second come to disk", "durability_bench");
  palimpsest::bench::Arguments arguments;
  program.add_option("--store", arguments.store)->required();
  program.add_option_function<double>("--seconds",
                                      [&](double seconds) { arguments.time = Seconds(seconds); });
  program.add_option("--documents", arguments.documents)->check(CLI::Range(1, 100'000));
  program.add_option("--window", arguments.window)->check(CLI::Range(1, 1'000'000));
  program.add_option("--fill", arguments.fill);
  return palimpsest::bench::run_program(program, argc, argv,
                                        [&] { palimpsest::bench::measure(arguments); });
}
