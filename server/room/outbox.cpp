#include "room/outbox.hpp"

#include <algorithm>
#include <utility>

namespace palimpsest::server {

void Outbox::push_update(std::shared_ptr<const ReleasedUpdate> update) {
  const std::size_t bytes = update->message.size();
  if (!is_behind_ && passes_soft_limit(bytes)) drop_backlog();
  if (is_behind_) {
    note_missed(*update);
    return;
  }
  Frame message = update->message;
  enqueue({Kind::kUpdate, std::move(message), std::move(update)});
}

void Outbox::push_awareness(Frame message) {
  if (!is_behind_ && passes_soft_limit(message.size())) drop_backlog();
  if (!is_behind_) enqueue({Kind::kAwareness, std::move(message), nullptr});
}

bool Outbox::push_sync(Frame message) {
  if (passes_soft_limit(message.size())) drop_waiting_syncs();
  if (queued_bytes_ > limits_.hard_bytes) return false;
  enqueue({Kind::kSync, std::move(message), nullptr});
  return true;
}

bool Outbox::push(Frame message) {
  if (queued_bytes_ > limits_.hard_bytes) return false;
  enqueue({Kind::kOther, std::move(message), nullptr});
  return true;
}

std::optional<Frame> Outbox::pop() {
  if (queue_.empty()) return std::nullopt;
  Frame message = std::move(queue_.front().message);
  queue_.pop_front();
  queued_bytes_ -= message.size();
  return message;
}

void Outbox::clear() {
  queue_.clear();
  queued_bytes_ = 0;
  caught_up();
}

void Outbox::caught_up() {
  is_behind_ = false;
  has_missed_updates_ = false;
  missed_clocks_.clear();
}

// A single large frame is no backlog: the first answer to a peer that joins may be the whole
// document.
bool Outbox::passes_soft_limit(std::size_t more_bytes) const {
  return !queue_.empty() && queued_bytes_ + more_bytes > limits_.soft_bytes;
}

void Outbox::enqueue(Queued queued) {
  queued_bytes_ += queued.message.size();
  queue_.push_back(std::move(queued));
}

void Outbox::drop_backlog() {
  is_behind_ = true;
  std::deque<Queued> kept;
  for (Queued& queued : queue_) {
    const bool may_go = queued.kind == Kind::kUpdate || queued.kind == Kind::kAwareness;
    if (kept.empty() || !may_go) {
      kept.push_back(std::move(queued));
      continue;
    }
    queued_bytes_ -= queued.message.size();
    if (queued.update) note_missed(*queued.update);
  }
  queue_.swap(kept);
}

void Outbox::drop_waiting_syncs() {
  std::erase_if(queue_, [this](const Queued& queued) {
    const bool is_dropped = queued.kind == Kind::kSync;
    if (is_dropped) queued_bytes_ -= queued.message.size();
    return is_dropped;
  });
}

void Outbox::note_missed(const ReleasedUpdate& update) {
  has_missed_updates_ = true;
  for (const crdt::Update::Authored& range : update.authored) {
    const auto [known, is_new] = missed_clocks_.try_emplace(range.client, range.begin);
    if (!is_new) known->second = std::min(known->second, range.begin);
  }
}

}  // namespace palimpsest::server
