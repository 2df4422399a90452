#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <spdlog/logger.h>

#include "crdt/reader.hpp"
#include "crdt/sync.hpp"
#include "dialect/y_websocket.hpp"
#include "room/directory.hpp"
#include "support.hpp"
#include "support/catch.hpp"

// The parts as the server runs them: rooms on several threads, a journal thread, threads that load.
// It shows what a thread sanitizer can see, and that nothing is lost between the homes.

using namespace palimpsest;
using server::Lease;
using server::YWebsocket;
using testing::sync_message;
using Kind = crdt::SyncMessage::Kind;

namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kDocuments = 6;
constexpr std::size_t kVisits = 12;  // to each document, several at a time
constexpr std::size_t kEditsPerVisit = 20;

struct Rig {
  Rig() {
    journal.start();
    for (std::size_t i = 0; i < kThreads; ++i) threads.emplace_back([this] { io.run(); });
  }

  // As the server stops.
  void stop() {
    std::promise<void> drained;
    directory.drain([&] { drained.set_value(); });
    drained.get_future().wait();
    work.reset();
    for (std::thread& thread : threads) thread.join();
    loading.join();
    journal.stop();
  }

  testing::MemoryStore store;
  server::SystemClock clock;
  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  boost::asio::thread_pool loading{2};
  server::Journal journal{store, clock, {}, {}};
  server::Directory directory{io,
                              loading.get_executor(),
                              store,
                              journal,
                              clock,
                              std::make_shared<spdlog::logger>("test"),
                              {.idle_before_unload = std::chrono::milliseconds(0)}};
  std::vector<std::thread> threads;
};

// Comes, writes, waits until all is acknowledged, and goes.
class Visitor final : public std::enable_shared_from_this<Visitor>, private server::Transport {
 public:
  Visitor(Lease room, crdt::ClientId id, std::atomic<std::size_t>& finished)
      : strand_(room->strand()), id_(id), finished_(finished) {
    dialect_.emplace(std::move(room), static_cast<server::Transport&>(*this),
                     YWebsocket::Options{.connection = id, .acks = YWebsocket::Acks::kCount});
  }

  void start() {
    post(strand_, [self = shared_from_this()] { self->dialect_->open(); });
  }

 private:
  void wake_reader() override {
    post(strand_, [self = shared_from_this()] { self->write_some(); });
  }
  void wake_writer() override {
    post(strand_, [self = shared_from_this()] { self->read_some(); });
  }

  void write_some() {
    if (!dialect_ || !dialect_->wants_input() || written_ == kEditsPerVisit) return;
    ++written_;
    dialect_->receive(sync_message(Kind::kUpdate, doc_.transact(id_, [](crdt::Transaction& t) {
      t.text_insert("content", 0, "x");
    })));
    wake_reader();
  }

  void read_some() {
    while (dialect_) {
      const auto next = dialect_->next();
      if (!next) return;
      const auto& frame = std::get<server::Frame>(*next);
      crdt::Reader reader(frame.bytes());
      if (reader.read_var_uint() == 8) acknowledged_ += reader.read_var_uint();
      if (acknowledged_ < kEditsPerVisit) continue;
      dialect_.reset();
      ++finished_;
    }
  }

  const server::Strand strand_;
  const crdt::ClientId id_;
  std::atomic<std::size_t>& finished_;
  crdt::Doc doc_;
  std::optional<YWebsocket> dialect_;
  std::size_t written_ = 0;
  std::size_t acknowledged_ = 0;
};

}  // namespace

TEST_CASE("on many threads, with documents that come and go, everything acknowledged is on disk",
          "[threads]") {
  Rig rig;
  std::atomic<std::size_t> finished = 0;
  std::vector<std::shared_ptr<Visitor>> visitors;
  for (std::size_t visit = 0; visit < kVisits; ++visit) {
    for (std::size_t document = 0; document < kDocuments; ++document) {
      Lease room = rig.directory.open("doc" + std::to_string(document));
      visitors.push_back(std::make_shared<Visitor>(std::move(room), visitors.size() + 1, finished));
      visitors.back()->start();
    }
    rig.directory.tick();
    // Every third visit waits until all have left, so that documents are unloaded in between.
    while (visit % 3 == 2 && finished < visitors.size()) std::this_thread::yield();
  }
  while (finished < visitors.size()) {
    rig.directory.tick();
    rig.directory.open_documents();
    std::this_thread::yield();
  }
  rig.stop();
  CHECK(rig.directory.room_count() == 0);
  for (std::size_t document = 0; document < kDocuments; ++document) {
    const auto stored = rig.store.reader()->load("doc" + std::to_string(document));
    REQUIRE(stored);
    CHECK(server::build_document(stored).doc.text("content").size() == kVisits * kEditsPerVisit);
  }
}
