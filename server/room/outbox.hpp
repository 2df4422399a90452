#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "crdt/id.hpp"
#include "crdt/update.hpp"
#include "room/clock.hpp"
#include "room/frame.hpp"
#include "room/peer.hpp"

namespace palimpsest::server {

// One peer's outgoing frames, in order, within a byte budget.
//
// A peer that reads too slowly has its queued updates and awareness dropped when they pass the
// soft limit, and nothing of that kind is queued again until it has taken what is left. It is
// behind then: its owner asks the room for one difference from missed_clocks() on, and for the
// awareness states, in place of all that was dropped. So a backlog is never endless and never has a
// gap. The frame that is next stays, so that every round sends something.
//
// Invariant: what is queued stays within the hard limit, one frame of any size excepted.
// Home:      the owning session's strand; not thread-safe.
// Units:     bytes of message payload, before WebSocket framing (RFC 6455 §5.2).
// Errors:    none; push() answers false when a frame does not fit.
// Cost:      O(1) per frame; frames are shared, never copied.
class Outbox {
 public:
  struct Limits {
    std::size_t soft_bytes = std::size_t{1} << 20;
    std::size_t hard_bytes = std::size_t{4} << 20;
  };

  Outbox() : Outbox(Limits{}) {}
  explicit Outbox(Limits limits) : limits_(limits) {}

  void push_update(std::shared_ptr<const ReleasedUpdate> update);
  void push_awareness(Frame message);
  // The answer to a sync step 1. A newer one replaces those that wait, once past the soft limit:
  // it is computed from a state vector at least as new.
  [[nodiscard]] bool push_sync(Frame message);
  // Whatever must not be dropped. False: the hard limit is passed.
  [[nodiscard]] bool push(Frame message);

  // The next frame to send.
  std::optional<Frame> pop();
  bool empty() const { return queue_.empty(); }
  std::size_t queued_bytes() const { return queued_bytes_; }
  void clear();

  // Something was dropped that the peer still has to hear of: awareness, and maybe updates.
  bool is_behind() const { return is_behind_; }
  bool has_missed_updates() const { return has_missed_updates_; }
  // Of the updates dropped: client → first clock that the peer was not sent.
  const std::map<crdt::ClientId, crdt::Clock>& missed_clocks() const { return missed_clocks_; }
  // The owner asks for all that was dropped.
  void caught_up();

 private:
  enum class Kind { kUpdate, kAwareness, kSync, kOther };
  struct Queued {
    Kind kind;
    Frame message;
    std::shared_ptr<const ReleasedUpdate> update;  // of a kUpdate
  };

  bool passes_soft_limit(std::size_t more_bytes) const;
  void enqueue(Queued queued);
  void drop_backlog();
  void drop_waiting_syncs();
  void note_missed(const ReleasedUpdate& update);

  Limits limits_;
  std::deque<Queued> queue_;
  std::size_t queued_bytes_ = 0;
  bool is_behind_ = false;
  bool has_missed_updates_ = false;
  std::map<crdt::ClientId, crdt::Clock> missed_clocks_;
};

}  // namespace palimpsest::server
