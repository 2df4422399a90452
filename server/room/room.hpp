#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
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
  storage::LostClocks lost;
  storage::Seq last_seq = 0;
  std::size_t encoded_bytes = 0;  // about; never less than Doc::encode() would give
  // What lies in the log after the last checkpoint.
  std::size_t tail_updates = 0;
  std::size_t tail_bytes = 0;
  bool is_in_bin = false;
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
// Who has a copy of an earlier generation is closed (4409) before anything is merged, and sees
// nothing of this one: such a peer shows by what it has (storage/lost_clocks.hpp), where it does
// not say so itself.
//
// Nothing leaves before it is on disk: an update is applied at once, but others see it, its author
// hears that it is saved, and answers contain it only when the journal has committed it. So a crash
// at any moment loses nothing that anybody was told or shown.
//
// While the disk is full nobody is closed: updates wait, and who asks for the document is answered
// from what is stored.
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
    crdt::Limits limits{};
    Presence::Limits presence{};
  };

  // Who has the rooms. Called on the room's strand.
  class Host {
   public:
    virtual ~Host() = default;
    // Lets go of a room that nobody uses. False: somebody holds it and may be about to join.
    virtual bool retire(Room& room) = 0;
    // Lets go of a room that is of no use any more: whoever comes next gets another.
    virtual void abandon(Room& room) = 0;
    virtual void publish(RoomStatus status) = 0;
    // Reads what is on disk once more, for stored_read().
    virtual void read_stored(Room& room) = 0;
    // A checkpoint is on disk: what lies before it in the log may be packed.
    virtual void checkpointed(const Room& room) = 0;
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
  // What is on disk, asked for since what is in memory is ahead of it; nothing: it can't be read.
  void stored_read(const std::optional<LoadedDocument>& stored);
  // About once a second: expiry, keep-alive, unloading.
  void tick();
  // The server stops. Nothing more is taken; when all is on disk and delivered the peers are told
  // to come back, and the room retires.
  void drain();
  // Into the bin: its peers are closed (4404), and so is who comes, until it is out again.
  void set_in_bin(bool is_in_bin);

  // --- What who stores the document as a whole, or takes it away, says (Claim). ---

  // Has nobody begin the document until let_go(): all peers are told to come back, and so is who
  // joins. False where it is there already, or the room is not open; nothing happens then.
  bool hold(const Peer& holder);
  enum class Held {
    kYes,
    kNotInBin,
    kNo,  // somebody else holds it, or it is on its way out of memory
  };
  // The same of a document in the bin, as soon as all of it is on disk, and of one that cannot be
  // loaded. `done` is called once, on the strand.
  void hold_in_bin(std::function<void(Held)> done);
  void let_go();

  // --- What a peer says. ---

  // Calls peer.opened() now or once the document is in memory, or peer.close(). After a close the
  // room has forgotten the peer.
  void join(Peer& peer);
  void leave(Peer& peer);
  // An update. Throws DecodeError.
  void receive(Peer& author, crdt::ByteView update,
               std::optional<storage::Time> made_at = std::nullopt);
  // A sync step 1: answers, through deliver_sync(), what lacks to `known`. Throws DecodeError.
  void sync(Peer& peer, crdt::ByteView known);
  // Updates that the peer was not sent, as one, through deliver(): all since the first clock of
  // each client that it missed, and all deletions.
  void catch_up(Peer& peer, const std::map<crdt::ClientId, crdt::Clock>& missed_clocks);
  // Throws DecodeError.
  void receive_awareness(Peer& sender, crdt::ByteView update);

  // --- What a peer may ask, once opened. ---

  std::uint64_t generation() const { return generation_; }
  // Sync step 1 of the server: 0, 0, varUint8Array state vector.
  Frame sync_step1() const;
  bool has_awareness() const { return !presence_.people().empty(); }
  // 1, varUint8Array: the states of all who are there.
  Frame awareness() const;
  // The same for a peer that may have missed that somebody left.
  Frame awareness_and_departures() const;

  storage::Seq applied_seq() const { return applied_seq_; }
  storage::Seq durable_seq() const { return durable_seq_; }
  std::size_t peer_count() const { return members_.size(); }
  const Clock& clock() const { return clock_; }

 private:
  enum class State {
    kLoading,
    kOpen,
    kDraining,  // the server stops
    kHeld,      // nobody may begin the document
    kBroken,    // after a bug: waits until what the journal has is written
    kGone,      // the host has let go of it
  };

  struct Member {
    Peer* peer = nullptr;
    crdt::ClientId wrote_as = 0;  // the client of the content that it sent last
    bool has_said_what_it_has = false;
    Acknowledged ready = {};  // while a commit is being handed out
  };

  // An update whose author is not told that it is saved, since a part of it waits for something
  // missing.
  struct Incomplete {
    std::uint64_t connection;
    std::shared_ptr<const crdt::Bytes> update;
    Acknowledged acknowledged;
  };

  // What leaves once `awaited` is on disk.
  struct Release {
    storage::Seq awaited = 0;
    std::uint64_t connection = 0;
    std::shared_ptr<const ReleasedUpdate> to_others;      // than that connection
    std::shared_ptr<const ReleasedUpdate> to_connection;  // an echo, or what it missed
    std::optional<Frame> answer;                          // to the connection's sync step 1 …
    crdt::Bytes known;                                    // … which said this
    Acknowledged acknowledged;                            // to the connection
  };

  struct Answer {
    crdt::Bytes known;
    Frame message;
  };

  // A checkpoint that the journal has.
  struct Checkpointing {
    storage::Seq seq;
    Summary summary;
  };

  // Journal::Client, on the journal's thread.
  void committed(storage::Seq seq) noexcept override;
  void checkpointed(storage::Seq seq) noexcept override;
  void failed() noexcept override;

  void on_committed(storage::Seq seq);
  void on_checkpointed(storage::Seq seq);
  void on_storage_failed();

  void take(Peer& author, const crdt::Update& update,
            const std::shared_ptr<const crdt::Bytes>& bytes, std::optional<storage::Time> made_at);
  void take_novel(Peer& author, const crdt::Update& update,
                  const std::shared_ptr<const crdt::Bytes>& bytes,
                  std::optional<storage::Time> made_at, Acknowledged acknowledged);
  void acknowledge_known(std::uint64_t connection, const std::shared_ptr<const crdt::Bytes>& bytes,
                         Acknowledged acknowledged);
  void log(const Peer& author, const crdt::Update& update, std::shared_ptr<const crdt::Bytes> bytes,
           std::optional<storage::Time> made_at);
  crdt::ClientId sender_of(const Peer& peer, std::span<const crdt::Update::Authored> authored);
  void name_authors(storage::Append& append, const Peer& peer,
                    std::span<const crdt::Update::Authored> authored, crdt::ClientId sender) const;
  std::string name_of(crdt::ClientId client, const Peer& sender) const;
  std::optional<CloseReason> refusal_of(const crdt::Update& update) const;
  bool is_full_for(const crdt::Update& update);
  bool may_see(const Member& member) const;
  void keep_incomplete(Peer& author, Incomplete incomplete);
  void acknowledge_completed();
  void drop_incomplete_of(std::uint64_t connection);

  void release_when_durable(Release release);
  void hand_out(const Release& release);
  static void acknowledge(Member& member);
  void send_awareness(std::span<const crdt::AwarenessState> states);
  Frame answer_to(crdt::ByteView known);
  void answer_from_disk_when_stalled();

  bool is_member(const Peer& peer) const;
  void close_peer(Peer& peer, Close close);
  void close_all(CloseReason reason);
  template <class Work>
  void guarded(Work work);
  void break_with(const char* cause);

  void advance_holding();
  void answer_holder(Held held);

  bool is_all_written() const;
  bool is_checkpoint_due() const;
  void checkpoint();
  void summarize_when_due();
  void publish_when_changed();
  // What can be done next on the way out of memory, if the room is on that way.
  void advance_unloading();
  void advance_draining();

  std::shared_ptr<Journal::Client> as_client();

  const std::string name_;
  const Strand strand_;
  Host& host_;
  Journal& journal_;
  const Clock& clock_;
  spdlog::logger& log_;
  const Options options_;

  State state_ = State::kLoading;
  bool drain_is_wanted_ = false;
  // As somebody said while the document was here or being loaded; else as it was stored.
  std::optional<bool> is_in_bin_;
  bool was_held_ = false;
  std::function<void(Held)> holder_;  // who waits in hold_in_bin()
  std::optional<crdt::Doc> doc_;      // in kOpen and kDraining
  std::uint64_t generation_ = 1;
  storage::LostClocks lost_;
  Presence presence_;
  std::map<std::uint64_t, Member> members_;  // by connection

  storage::Seq applied_seq_ = 0;
  storage::Seq durable_seq_ = 0;
  std::deque<Release> releases_;
  std::vector<Incomplete> incomplete_;
  std::size_t incomplete_bytes_ = 0;
  std::vector<Answer> answers_;  // encoded since the last change or tick
  bool is_reading_stored_ = false;

  std::size_t encoded_bytes_ = 0;             // of the document, at most
  std::optional<storage::Seq> measured_seq_;  // when that was exact
  std::size_t tail_updates_ = 0;              // since the last checkpoint, written or queued
  std::size_t tail_bytes_ = 0;
  std::optional<Checkpointing> checkpointing_;

  Instant idle_since_;
  std::optional<Summary> summary_;
  storage::Seq summary_seq_ = 0;  // of summary_, or of what is stored
  Instant summarized_at_;
  bool status_is_stale_ = true;  // what others were told
};

}  // namespace palimpsest::server
