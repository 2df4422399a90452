#include "room/edit.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "crdt/error.hpp"
#include "room/directory.hpp"
#include "room/post_result.hpp"
#include "room/room.hpp"

namespace palimpsest::server {
namespace {

namespace asio = boost::asio;

// The peer that brings one update and leaves when that is on disk.
//
// Home: the room's strand. Kept alive by itself until it has left.
class Editor final : public Peer, public std::enable_shared_from_this<Editor> {
 public:
  using Done = std::function<void(Edited)>;

  Editor(Lease room, Edit edit, Done done)
      : room_(std::move(room)), edit_(std::move(edit)), done_(std::move(done)) {}

  static void start(const std::shared_ptr<Editor>& self) {
    asio::post(self->room_->strand(), [self] {
      self->here_ = self;
      self->room_->join(*self);
    });
  }

  std::uint64_t connection() const override { return edit_.connection; }
  bool wants_own_updates() const override { return false; }
  crdt::ClientId client() const override {
    return edit_.authors.empty() ? 0 : edit_.authors.front().client;
  }
  std::string name_of(crdt::ClientId client) const override {
    for (const storage::Author& author : edit_.authors)
      if (author.client == client) return author.name;
    return {};
  }

  void opened() override {
    if (edit_.is_new_document && room_->applied_seq() > 0) {
      outcome_.is_taken = true;
      return leave();
    }
    try {
      room_->receive(*this, edit_.update);
      outcome_.seq = room_->applied_seq();
    } catch (const crdt::DecodeError&) {
      outcome_.refusal = Close{CloseReason::kBadMessage};
      leave();
    }
  }
  void deliver(const std::shared_ptr<const ReleasedUpdate>&) override {}
  void deliver_sync(const Frame&) override {}
  void deliver_awareness(const Frame&) override {}
  void acknowledge(Acknowledged) override { leave(); }
  void close(Close close) override {
    outcome_.refusal = close;
    leave();
  }
  void tick(Instant now) override {
    if (!since_) since_ = now;
    if (now - *since_ < kPatience) return;
    // It waits for content that the document lacks.
    outcome_.refusal = Close{CloseReason::kTryLater};
    leave();
  }

 private:
  // An edit is acknowledged as soon as it is on disk; on a full disk that may never be.
  static constexpr std::chrono::seconds kPatience{60};

  // A peer may not leave while the room calls it.
  void leave() {
    if (!here_) return;
    asio::post(room_->strand(), [self = std::exchange(here_, nullptr)] {
      self->room_->leave(*self);
      self->room_ = Lease();
      self->done_(self->outcome_);
    });
  }

  Lease room_;
  const Edit edit_;
  const Done done_;
  Edited outcome_;
  std::optional<Instant> since_;
  std::shared_ptr<Editor> here_;  // while it is in the room
};

}  // namespace

asio::awaitable<Edited> make_edit(Directory& directory, Edit edit) {
  Lease room = directory.open(edit.document);
  if (!room) co_return Edited{.refusal = Close{CloseReason::kRestart}};
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Edited)>(
      [](auto handler, Lease lease, Edit what) {
        Editor::start(std::make_shared<Editor>(std::move(lease), std::move(what),
                                               post_result(std::move(handler))));
      },
      asio::use_awaitable, std::move(room), std::move(edit));
}

}  // namespace palimpsest::server
