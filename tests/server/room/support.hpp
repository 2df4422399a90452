#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <spdlog/fwd.h>

#include "crdt/awareness.hpp"
#include "crdt/doc.hpp"
#include "crdt/sync.hpp"
#include "dialect/y_websocket.hpp"
#include "room/clock.hpp"
#include "room/directory.hpp"
#include "room/journal.hpp"
#include "support/faulty_store.hpp"
#include "support/memory_store.hpp"

namespace palimpsest::testing {

// Time that stands still until it is told to pass.
class FakeClock final : public server::Clock {
 public:
  server::Instant now() const override { return server::Instant(elapsed_); }
  storage::Time wall() const override {
    return storage::Time(std::chrono::hours(24 * 365 * 50)) + elapsed_ + jumped_;
  }
  void advance(std::chrono::milliseconds time) { elapsed_ += time; }
  // Somebody sets the wall clock.
  void jump(std::chrono::milliseconds time) { jumped_ += time; }

 private:
  std::chrono::milliseconds elapsed_{std::chrono::hours(1)};
  std::chrono::milliseconds jumped_{0};
};

// Rooms, journal and store of one server, without threads: nothing happens but in run(), nothing is
// written but in commit(), and time passes only in pass().
class Server {
 public:
  explicit Server(server::Room::Options options = {});
  // Over what another server has left on disk.
  Server(storage::Store& disk, server::Room::Options options,
         server::Journal::Options journal = {});
  ~Server();

  // Everything that is ready to run runs.
  void run();
  // What is queued for the disk gets there, and everything that follows happens.
  void commit();
  // Second for second; what is queued for the disk stays there.
  void pass(std::chrono::seconds time);

  // The text of the root `content`, as a server that starts now would read it.
  std::string stored_text(std::string_view document);
  std::vector<storage::LogEntry> stored_log(std::string_view document);

  server::Directory& directory() { return *directory_; }
  server::Journal& journal() { return *journal_; }
  FaultyStore& store() { return store_; }
  FakeClock& clock() { return clock_; }
  std::uint64_t next_connection() { return ++last_connection_; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  MemoryStore own_disk_;
  FakeClock clock_;
  FaultyStore store_;
  boost::asio::io_context io_;
  std::vector<std::string> failures_;
  std::uint64_t last_connection_ = 0;
  std::unique_ptr<server::Journal> journal_;
  std::unique_ptr<server::Directory> directory_;
};

// A y-websocket client with a document of its own, and the connection below it. It reads what it is
// sent when the test says so.
class Client final : private server::Transport {
 public:
  Client(Server& server, std::string document, crdt::ClientId id);
  ~Client() override;

  // Opens the connection, sends what a stock client sends first, and reads the answers.
  void connect(server::YWebsocket::Options options = {});
  // Only opens it.
  void open(server::YWebsocket::Options options = {});
  void disconnect();
  bool is_connected() const { return connection_ != nullptr; }

  // Edits its own copy, and tells the server when connected.
  void insert(std::size_t index_utf16, std::string_view text);
  void append(std::string_view text) { insert(length(), text); }
  void erase(std::size_t index_utf16, std::size_t length_utf16);
  std::string text() const { return doc_.text("content"); }
  std::size_t length() const;
  crdt::Doc& doc() { return doc_; }

  void say(std::string json) { say(id_, ++awareness_clock_, std::move(json)); }
  void say(crdt::ClientId id, std::uint64_t clock, std::string json);
  void send(crdt::ByteView frame);
  void send_sync(crdt::SyncMessage::Kind kind, crdt::ByteView payload);
  void send_step1();

  // Takes all that the server has for it.
  void read();
  // Takes one frame, without looking at it; false when there is none.
  bool take_frame();

  // --- What it has been sent. ---
  std::vector<crdt::Bytes> frames;        // all of them
  std::size_t updates = 0;                // sync updates
  std::size_t answers = 0;                // sync step 2
  std::size_t asked = 0;                  // sync step 1, which it has answered
  std::size_t acknowledged = 0;           // by message 8
  std::optional<std::uint64_t> greeting;  // generation in the first message 8
  std::map<crdt::ClientId, crdt::AwarenessState> states;
  std::optional<server::Close> closed;

  server::YWebsocket& connection() { return *connection_; }
  std::uint64_t connection_number() const { return number_; }
  crdt::ClientId id() const { return id_; }

 private:
  void wake_writer() override {}
  void wake_reader() override {}
  void handle(crdt::ByteView frame);
  void handle_sync(const crdt::SyncMessage& message);
  void tell(const crdt::Bytes& update);

  Server& server_;
  const std::string document_;
  const crdt::ClientId id_;
  crdt::Doc doc_;
  std::uint64_t awareness_clock_ = 0;
  std::uint64_t number_ = 0;
  std::unique_ptr<server::YWebsocket> connection_;
};

// The bytes that a stock client would send.
crdt::Bytes sync_message(crdt::SyncMessage::Kind kind, crdt::ByteView payload);
crdt::Bytes awareness_message(crdt::ClientId id, std::uint64_t clock, std::string json);

// Lets clients and server exchange until nobody has anything left to say, or can.
void settle(Server& server, std::vector<Client*> clients);

}  // namespace palimpsest::testing
