#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include <boost/container/small_vector.hpp>

#include "crdt/bytes.hpp"
#include "room/clock.hpp"
#include "room/directory.hpp"
#include "room/frame.hpp"
#include "room/outbox.hpp"
#include "room/peer.hpp"

namespace palimpsest::server {

// What a dialect needs of the connection below it. Called on the room's strand, and never to do
// anything at once: both only wake a coroutine.
class Transport {
 public:
  virtual ~Transport() = default;
  // YWebsocket::next() may have something to send.
  virtual void wake_writer() = 0;
  // YWebsocket::wants_input() may have become true.
  virtual void wake_reader() = 0;
};

// The y-websocket protocol (y-protocols PROTOCOL.md; y-websocket 1.5 to 3, @y/websocket) on one
// connection with one document: messages in, room calls out, and back.
//
//   frame   := message+
//   message := varUint(0) syncMessage                         both ways
//            | varUint(1) varUint8Array(awarenessUpdate)      both ways
//            | varUint(3)                                     client: send me all awareness states
//            | varUint(8) varUint(count)                      server, ?ack=1; see kCount
//            | varUint(9) varUint(ageMs) varUint8Array(update)  client, ?ack=1
//
// Each message that the server sends is a frame of its own: clients up to 3.x read only the first
// of a frame. At least every 15 s a client is sent a data frame, since it counts nothing else as a
// sign of life.
//
// The transport's reader:  while (…) { wait for wants_input(); read; receive(bytes); }
// The transport's writer:  while (…) { next(): a frame to send, a close to end with, or wait }
//
// Home:     the room's strand, all of it.
// Lifetime: the transport outlives it. Its destructor leaves the room.
class YWebsocket final : private Peer {
 public:
  enum class Acks {
    kNone,   // what stock clients expect
    kCount,  // ?ack=1: first 8, 0, generation; then 8, N: N more updates of this connection are on
             // disk, whether they added something or not
    kEcho,   // ?ack=echo: the author's own updates come back once on disk
  };

  struct Options {
    std::uint64_t connection = 0;  // unique within a run of the server, and not 0
    Acks acks = Acks::kNone;
    // ?generation=N: of the copy that the client has.
    std::optional<std::uint64_t> generation = std::nullopt;
    std::chrono::milliseconds keep_alive{14'000};
    // How long a peer that is behind may take nothing at all.
    std::chrono::milliseconds patience{10'000};
    // Of updates received but not on disk: more are not read until some are.
    std::size_t unacknowledged_bytes = std::size_t{4} << 20;
    Outbox::Limits outbox{};
  };

  YWebsocket(Lease room, Transport& transport, Options options);
  ~YWebsocket() override;
  YWebsocket(const YWebsocket&) = delete;
  YWebsocket& operator=(const YWebsocket&) = delete;

  // The connection stands. Call once, first. Input is wanted once the document is in memory.
  void open();
  // One WebSocket message. Bad ones end in a close, by way of next().
  void receive(crdt::ByteView message);
  // Ends the connection from this side, for what the transport finds wrong: text, size, time.
  void end(Close close);
  // The connection is over, for whatever reason. Nothing more is called back.
  void closed();

  // False while the document is being loaded, while the disk is too far behind, and from the close
  // on.
  bool wants_input() const;
  // What to send now; a Close is the last. nullopt: wait for wake_writer().
  std::optional<std::variant<Frame, Close>> next();

 private:
  struct Message {
    std::uint64_t type;
    std::uint64_t detail = 0;  // sync: its kind; 9: the age in milliseconds
    crdt::ByteView payload;
  };
  using Messages = boost::container::small_vector<Message, 4>;

  // Peer
  std::uint64_t connection() const override { return options_.connection; }
  bool wants_own_updates() const override { return options_.acks == Acks::kEcho; }
  void opened() override;
  void deliver(const std::shared_ptr<const ReleasedUpdate>& update) override;
  void deliver_sync(const Frame& message) override;
  void deliver_awareness(const Frame& message) override;
  void acknowledge(Acknowledged acknowledged) override;
  void tick(Instant now) override;
  void close(Close close) override;

  Messages split(crdt::ByteView frame) const;
  void serve(const Message& message);
  void serve_update(crdt::ByteView update, std::optional<storage::Time> made_at);
  std::optional<Frame> next_frame();
  void catch_up();
  void send(Frame message);
  void give_up(Close close);
  bool is_closing() const { return close_.has_value(); }

  Lease room_;
  Transport& transport_;
  const Options options_;

  Outbox outbox_;
  bool is_joined_ = false;
  bool is_open_ = false;  // the room has the document
  std::optional<Close> close_;
  bool close_is_sent_ = false;
  std::size_t unacknowledged_bytes_ = 0;
  bool owes_greeting_ = false;
  std::uint64_t acknowledged_ = 0;  // updates that the client has not been told of
  Instant last_sent_;
};

}  // namespace palimpsest::server
