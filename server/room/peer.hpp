#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/update.hpp"
#include "room/clock.hpp"
#include "room/frame.hpp"

namespace palimpsest::server {

// Why a connection is ended by the server: every close code that there is.
enum class CloseReason {
  kGoingAway,           // 1001
  kUnsupportedData,     // 1003: a text frame
  kMessageTooBig,       // 1009
  kInternal,            // 1011: a bug of ours; the document is loaded anew
  kRestart,             // 1012
  kTryLater,            // 1013: more than this server takes now
  kSlowConsumer,        // 1013
  kBadMessage,          // 4400
  kGenerationChanged,   // 4409: the document was restored or made anew since the client's copy
  kDocumentFull,        // 4413
  kStorageUnavailable,  // 4503: cannot load or save; on a full disk only where too much waits
};

struct Close {
  CloseReason reason;
  // When the client should come back.
  std::optional<std::chrono::seconds> retry = std::nullopt;

  friend bool operator==(const Close&, const Close&) = default;
};

// RFC 6455 §7.4 and, from 4400 on, the application's own.
std::uint16_t close_code(CloseReason reason);
// What a log or a metric calls it.
std::string_view close_id(CloseReason reason);
// The reason of the close frame: `id` or `id; retry=SECONDS`.
std::string close_text(const Close& close);

// An update of the document that is on disk and may be seen.
struct ReleasedUpdate {
  Frame message;  // as a y-protocols message: 0, 2, varUint8Array update
  // What new content it carries, so that whoever drops it knows from where to ask again.
  std::vector<crdt::Update::Authored> authored;
};

// Of the updates that a peer sent, how many more are on disk and integrated.
struct Acknowledged {
  std::size_t updates = 0;
  std::size_t bytes = 0;
};

// What a room asks of a client. One protocol on one connection implements it.
//
// Home:     the room's strand.
// Lifetime: at least until Room::leave(), or close().
// Errors:   none of these may throw, and none may call Room::leave().
class Peer {
 public:
  virtual ~Peer() = default;

  // Unique within a run of the server, and not 0.
  virtual std::uint64_t connection() const = 0;
  // Whether its own updates are to come back to it once they are on disk.
  virtual bool wants_own_updates() const = 0;
  // The client that it speaks for from the start; 0: not known.
  virtual crdt::ClientId client() const { return 0; }
  // What the peer says a client is called, for one that does not say so itself in awareness.
  virtual std::string name_of(crdt::ClientId) const { return {}; }

  // The document is in memory: the peer may speak to the room from now on.
  virtual void opened() = 0;
  virtual void deliver(const std::shared_ptr<const ReleasedUpdate>& update) = 0;
  // The answer to Room::sync(): 0, 1, varUint8Array update.
  virtual void deliver_sync(const Frame& message) = 0;
  // 1, varUint8Array awareness update.
  virtual void deliver_awareness(const Frame& message) = 0;
  virtual void acknowledge(Acknowledged acknowledged) = 0;
  // Time passes, about once a second.
  virtual void tick(Instant now) = 0;
  // The room has forgotten the peer; what was delivered before is still to be sent.
  virtual void close(Close close) = 0;
};

}  // namespace palimpsest::server
