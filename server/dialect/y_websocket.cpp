#include "dialect/y_websocket.hpp"

#include <algorithm>
#include <utility>

#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "crdt/sync.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::server {

namespace {

// The first number of a message (y-websocket.js), and two of our own.
enum MessageType : std::uint64_t {
  kSync = 0,
  kAwareness = 1,
  kQueryAwareness = 3,
  kAcknowledge = 8,
  kAgedUpdate = 9,
};

Frame acknowledgement(std::uint64_t count) {
  crdt::Writer writer;
  writer.write_var_uint(kAcknowledge);
  writer.write_var_uint(count);
  return Frame(std::move(writer).take());
}

Frame greeting(std::uint64_t generation) {
  crdt::Writer writer;
  writer.write_var_uint(kAcknowledge);
  writer.write_var_uint(0);
  writer.write_var_uint(generation);
  return Frame(std::move(writer).take());
}

// The smallest message that every client takes for a sign of life: no awareness state at all.
Frame sign_of_life() { return Frame({kAwareness, 1, 0}); }

// When an update was made that is `age` old. No clock of a client puts it before 1970.
storage::Time made_at(storage::Time now, std::uint64_t age_ms) {
  const auto since_epoch = static_cast<std::uint64_t>(now.time_since_epoch().count());
  return now - std::chrono::milliseconds(std::min(age_ms, since_epoch));
}

}  // namespace

YWebsocket::YWebsocket(Lease room, Transport& transport, Options options)
    : room_(std::move(room)),
      transport_(transport),
      options_(options),
      outbox_(options.outbox),
      last_sent_(room_->clock().now()) {}

YWebsocket::~YWebsocket() { closed(); }

void YWebsocket::open() {
  is_joined_ = true;
  room_->join(*this);
}

void YWebsocket::receive(crdt::ByteView frame) {
  if (!is_open_ || is_closing()) return;
  try {
    for (const Message& message : split(frame)) {
      if (!is_closing()) serve(message);
    }
  } catch (const crdt::DecodeError&) {
    end({CloseReason::kBadMessage});
  }
}

void YWebsocket::end(Close close) {
  if (is_closing()) return;
  close_ = close;
  closed();
  transport_.wake_writer();
}

void YWebsocket::closed() {
  if (std::exchange(is_joined_, false)) room_->leave(*this);
}

bool YWebsocket::wants_input() const {
  return is_open_ && !is_closing() && unacknowledged_bytes_ < options_.unacknowledged_bytes;
}

std::optional<std::variant<Frame, Close>> YWebsocket::next() {
  std::optional<Frame> frame = next_frame();
  if (!frame && outbox_.is_behind() && !is_closing()) {
    catch_up();
    frame = next_frame();
  }
  if (frame) {
    last_sent_ = room_->clock().now();
    return std::move(*frame);
  }
  if (is_closing() && !std::exchange(close_is_sent_, true)) return *close_;
  return std::nullopt;
}

// Acknowledgements first: they are small, and the client is waiting for them.
std::optional<Frame> YWebsocket::next_frame() {
  if (std::exchange(owes_greeting_, false)) return greeting(room_->generation());
  if (const std::uint64_t count = std::exchange(acknowledged_, 0)) return acknowledgement(count);
  return outbox_.pop();
}

void YWebsocket::catch_up() {
  const bool has_missed_updates = outbox_.has_missed_updates();
  const std::map<crdt::ClientId, crdt::Clock> missed_clocks = outbox_.missed_clocks();
  outbox_.caught_up();
  if (has_missed_updates) room_->catch_up(*this, missed_clocks);
  outbox_.push_awareness(room_->awareness_and_departures());
}

// --- What comes in. ---

// The whole frame is looked at before any of it is served, so that one which ends in garbage
// changes nothing.
YWebsocket::Messages YWebsocket::split(crdt::ByteView frame) const {
  crdt::Reader reader(frame);
  Messages messages;
  do {
    const std::size_t start = reader.position();
    Message message{reader.read_var_uint(), 0, {}};
    if (message.type == kSync) {
      const crdt::SyncMessage sync = crdt::SyncMessage::read(reader);
      message.detail = static_cast<std::uint64_t>(sync.kind);
      message.payload = sync.payload;
    } else if (message.type == kAwareness) {
      message.payload = reader.read_var_bytes();
    } else if (message.type == kAgedUpdate && options_.acks == Acks::kCount) {
      message.detail = reader.read_var_uint();
      message.payload = reader.read_var_bytes();
    } else if (message.type != kQueryAwareness) {
      reader.fail_at(start, "no such type of message");
    }
    messages.push_back(message);
  } while (!reader.at_end());
  return messages;
}

void YWebsocket::serve(const Message& message) {
  switch (message.type) {
    case kSync:
      if (message.detail == static_cast<std::uint64_t>(crdt::SyncMessage::Kind::kStep1)) {
        return room_->sync(*this, message.payload);
      }
      return serve_update(message.payload, std::nullopt);
    case kAwareness:
      return room_->receive_awareness(*this, message.payload);
    case kAgedUpdate:
      return serve_update(message.payload, made_at(room_->clock().wall(), message.detail));
    default:  // kQueryAwareness
      return send(room_->awareness());
  }
}

// It counts as unacknowledged before the room can answer.
void YWebsocket::serve_update(crdt::ByteView update, std::optional<storage::Time> made) {
  unacknowledged_bytes_ += update.size();
  room_->receive(*this, update, made);
}

// --- What goes out. ---

void YWebsocket::opened() {
  is_open_ = true;
  if (options_.generation && *options_.generation != room_->generation()) {
    return give_up({CloseReason::kGenerationChanged});
  }
  owes_greeting_ = options_.acks == Acks::kCount;
  send(room_->sync_step1());
  if (room_->has_awareness()) send(room_->awareness());
  transport_.wake_reader();
}

void YWebsocket::deliver(const std::shared_ptr<const ReleasedUpdate>& update) {
  if (is_closing()) return;
  outbox_.push_update(update);
  transport_.wake_writer();
}

void YWebsocket::deliver_sync(const Frame& message) {
  if (is_closing()) return;
  if (!outbox_.push_sync(message)) return give_up({CloseReason::kSlowConsumer});
  transport_.wake_writer();
}

void YWebsocket::deliver_awareness(const Frame& message) {
  if (is_closing()) return;
  outbox_.push_awareness(message);
  transport_.wake_writer();
}

void YWebsocket::acknowledge(Acknowledged acknowledged) {
  unacknowledged_bytes_ -= acknowledged.bytes;
  transport_.wake_reader();
  if (options_.acks != Acks::kCount) return;
  acknowledged_ += acknowledged.updates;
  transport_.wake_writer();
}

void YWebsocket::tick(Instant now) {
  if (is_closing()) return;
  if (outbox_.is_behind() && now - last_sent_ >= options_.patience) {
    return give_up({CloseReason::kSlowConsumer});
  }
  if (outbox_.empty() && now - last_sent_ >= options_.keep_alive) send(sign_of_life());
}

void YWebsocket::close(Close close) {
  is_joined_ = false;
  if (is_closing()) return;
  close_ = close;
  transport_.wake_writer();
}

void YWebsocket::send(Frame message) {
  if (!outbox_.push(std::move(message))) return give_up({CloseReason::kSlowConsumer});
  transport_.wake_writer();
}

// The room is in the middle of speaking to its peers, so it is left later, with the connection. A
// peer that does not read is not sent what waits for it.
void YWebsocket::give_up(Close close) {
  if (is_closing()) return;
  if (close.reason == CloseReason::kSlowConsumer) outbox_.clear();
  close_ = close;
  transport_.wake_writer();
}

}  // namespace palimpsest::server
