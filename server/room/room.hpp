#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <spdlog/fwd.h>

#include "crdt/bytes.hpp"
#include "crdt/doc.hpp"
#include "crdt/id.hpp"
#include "room/clock.hpp"
#include "room/frame.hpp"
#include "room/journal.hpp"
#include "room/peer.hpp"
#include "room/presence.hpp"
#include "room/summary.hpp"
#include "storage/store.hpp"

namespace palimpsest::server {

using Strand = boost::asio::strand<boost::asio::io_context::executor_type>;

// A document as it comes from the store, built on a reader's thread.
struct LoadedDocument {
  crdt::Doc doc;
  std::uint64_t generation = 1;
  storage::Seq last_seq = 0;
  std::size_t encoded_bytes = 0;  // about; never less than Doc::encode() would give
  // What lies in the log after the last checkpoint.
  std::size_t tail_updates = 0;
  std::size_t tail_bytes = 0;
};
// Throws crdt::DecodeError or crdt::Bug: what is stored is not what was written.
LoadedDocument build_document(std::optional<storage::StoredDocument> stored);

// What others may know of an open document without being on its strand.
struct RoomStatus {
  std::string document;
  std::vector<Person> people;   // who said so in their awareness, one entry per client id
  std::size_t connections = 0;  // that have the document open, whether they say who they are or not
  storage::Seq last_seq = 0;    // on disk
  std::optional<Summary> summary;  // newer than the stored one, where it is known
};

// One open document and its peers.
//
// Nothing leaves before it is on disk: an update is applied at once, but others see it, its author
// hears that it is saved, and answers contain it only when the journal has committed it. So a crash
// at any moment loses nothing that anybody was told or shown.
//
// Invariant: durable_seq() <= applied_seq(); the release queue is in order of the seq awaited.
// Home:      its strand, but for strand() and name().
// Errors:    receive(): DecodeError, with nothing changed. A bug inside closes this room's peers
//            (1011) and has the document loaded anew; other rooms never notice.
class Room final : public std::enable_shared_from_this<Room>, private Journal::Client {
 public:
  struct Options {
    std::chrono::milliseconds idle_before_unload{60'000};
    std::size_t checkpoint_updates = 500;
    std::size_t checkpoint_bytes = std::size_t{1} << 20;
    std::size_t document_bytes = std::size_t{16} << 20;
    // Of updates that wait for something missing, kept to be acknowledged later.
    std::size_t unacknowledged_bytes = std::size_t{2} << 20;
    std::size_t unacknowledged_updates = 10'000;
    std::chrono::milliseconds summary_interval{5'000};
    crdt::Limits limits;
    Presence::Limits presence;
  };

  // Who has the rooms. Called on the room's strand.
  class Host {
   public:
    virtual ~Host() = default;
    // The room has nothing left to do. False: somebody is about to join, carry on.
    virtual bool retire(Room& room) = 0;
    virtual void publish(RoomStatus status) = 0;
  };

  Room(std::string name, Strand strand, Host& host, Journal& journal, const Clock& clock,
       spdlog::logger& log, const Options& options);
  ~Room() override;

  const std::string& name() const { return name_; }
  const Strand& strand() const { return strand_; }

  // --- What the directory says. ---

  void loaded(LoadedDocument document);
  // There is no document in memory: everybody who waits, or comes, is closed (4503).
  void load_failed();
  // About once a second: expiry, keep-alive, unloading.
  void tick();
  // The server stops. Nothing more is taken; when all is on disk and delivered the peers are told
  // to come back, and the room retires.
  void drain();

  // --- What a peer says. ---

  // Calls peer.opened() now or once the document is in memory, or peer.close().
  void join(Peer& peer);
  void leave(Peer& peer);
  // An update. Throws DecodeError.
  void receive(Peer& author, crdt::ByteView update,
               std::optional<storage::Time> made_at = std::nullopt);
  // A sync step 1: answers, through deliver_sync(), what lacks to `known`. Throws DecodeError.
  void sync(Peer& peer, crdt::ByteView known);
  // What a slow peer missed, one difference and all awareness states. `missing`: client → first
  // clock that it was not sent.
  void catch_up(Peer& peer, const std::map<crdt::ClientId, crdt::Clock>& missing);
  // Throws DecodeError.
  void receive_awareness(Peer& sender, crdt::ByteView update);

  // --- What a peer may ask, once opened. ---

  std::uint64_t generation() const { return generation_; }
  // Sync step 1 of the server: 0, 0, varUint8Array state vector.
  Frame sync_step1() const;
  // 1, varUint8Array: the states of all who are there; nullopt when nobody is.
  std::optional<Frame> awareness() const;

  storage::Seq applied_seq() const { return applied_seq_; }
  storage::Seq durable_seq() const { return durable_seq_; }
  std::size_t peer_count() const { return members_.size(); }
  const Clock& clock() const { return clock_; }

 private:
  enum class State {
    kLoading,
    kOpen,
    kDraining,  // the server stops
    kBroken,    // after a bug, or when the journal failed: waits to be gone
    kGone,
  };

  struct Member {
    Peer* peer;
    std::size_t unacknowledged_updates = 0;
  };

  // An update that its author is not told of yet, since a part of it waits for something missing.
  struct Incomplete {
    std::uint64_t connection;
    std::shared_ptr<const crdt::Bytes> update;
  };

  // What leaves once `awaited` is on disk.
  struct Release {
    storage::Seq awaited;
    std::uint64_t connection = 0;                  // author of the update, or who asked
    std::shared_ptr<const ReleasedUpdate> update;  // to all but the author
    std::optional<Frame> answer;                   // to who asked
    Acknowledged acknowledged;                     // to the author
  };

  struct Answer {
    crdt::Bytes known;
    Frame message;
  };

  // Journal::Client, on the journal's thread.
  void committed(storage::Seq seq) noexcept override;
  void checkpointed(storage::Seq seq) noexcept override;
  void failed() noexcept override;

  void on_committed(storage::Seq seq);
  void on_checkpointed(storage::Seq seq);
  void on_storage_failed();

  void take(Peer& author, const crdt::Update& update, crdt::ByteView bytes,
            std::optional<storage::Time> made_at);
  void log(Peer& author, const crdt::Update& update, std::shared_ptr<const crdt::Bytes> bytes,
           std::optional<storage::Time> made_at);
  storage::Author author_of(const Peer& peer, const crdt::Update& update) const;
  std::optional<Close> refuse(const crdt::Update& update);
  bool is_full(const crdt::Update& update);
  void keep_incomplete(Peer& author, std::shared_ptr<const crdt::Bytes> bytes);
  void acknowledge_completed();

  void release_when_durable(Release release);
  void release_durable();
  void send_awareness(const std::vector<crdt::AwarenessState>& states);
  Frame answer(crdt::ByteView known);
  Peer* peer_of(std::uint64_t connection) const;
  void close_all(CloseReason reason);
  void break_with(const char* cause);

  void checkpoint();
  bool is_checkpoint_due() const;
  void retire_when_idle();
  void retire_when_drained();
  void publish();

  const std::string name_;
  const Strand strand_;
  Host& host_;
  Journal& journal_;
  const Clock& clock_;
  spdlog::logger& log_;
  const Options options_;

  State state_ = State::kLoading;
  bool load_has_failed_ = false;
  bool drain_wanted_ = false;
  std::optional<crdt::Doc> doc_;
  std::uint64_t generation_ = 1;
  Presence presence_;
  std::map<std::uint64_t, Member> members_;  // by connection

  storage::Seq applied_seq_ = 0;
  storage::Seq durable_seq_ = 0;
  std::deque<Release> releases_;
  std::deque<Incomplete> incomplete_;
  std::size_t incomplete_bytes_ = 0;

  std::size_t encoded_bytes_ = 0;
  std::optional<storage::Seq> measured_at_;  // when encoded_bytes_ was last exact

  storage::Seq checkpoint_seq_ = 0;            // queued or written
  std::optional<storage::Seq> checkpointing_;  // queued
  std::size_t tail_updates_ = 0;
  std::size_t tail_bytes_ = 0;

  std::vector<Answer> answers_;  // encoded since the last change
  Instant idle_since_;
  Instant summarized_at_;
  std::optional<Summary> summary_;
  storage::Seq summary_seq_ = 0;
};

}  // namespace palimpsest::server
