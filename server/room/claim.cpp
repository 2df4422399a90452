#include "room/claim.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "room/directory.hpp"
#include "room/post_result.hpp"
#include "room/room.hpp"

namespace palimpsest::server {
namespace {

namespace asio = boost::asio;

// Far above what connections are numbered with.
std::uint64_t next_connection() {
  static std::atomic<std::uint64_t> next{std::uint64_t{1} << 62};
  return next++;
}

// The peer that waits for a document to be loaded, and then holds the room.
//
// Home: the room's strand. Kept alive by itself until it is done.
class Claimant final : public Peer, public std::enable_shared_from_this<Claimant> {
 public:
  using Done = std::function<void(Claim::Outcome, std::shared_ptr<Room>)>;

  Claimant(Lease room, Done done)
      : room_(std::move(room)), connection_(next_connection()), done_(std::move(done)) {}

  static void start(const std::shared_ptr<Claimant>& self) {
    asio::post(self->room_->strand(), [self] {
      self->here_ = self;
      self->room_->join(*self);
    });
  }

  std::uint64_t connection() const override { return connection_; }
  bool wants_own_updates() const override { return false; }
  // The room is in the middle of speaking to its peers.
  void opened() override {
    asio::post(room_->strand(), [self = here_] { self->hold(); });
  }
  void deliver(const std::shared_ptr<const ReleasedUpdate>&) override {}
  void deliver_sync(const Frame&) override {}
  void deliver_awareness(const Frame&) override {}
  void acknowledge(Acknowledged) override {}
  void tick(Instant) override {}
  void close(Close) override {
    asio::post(room_->strand(),
               [self = here_] { self->finish(Claim::Outcome::kUnavailable, nullptr); });
  }

 private:
  void hold() {
    if (!here_) return;  // closed meanwhile
    if (room_->hold(*this)) return finish(Claim::Outcome::kHeld, room_->shared_from_this());
    room_->leave(*this);
    finish(Claim::Outcome::kTaken, nullptr);
  }

  void finish(Claim::Outcome outcome, std::shared_ptr<Room> room) {
    const std::shared_ptr<Claimant> self = std::exchange(here_, nullptr);
    if (!self) return;
    room_ = Lease();
    done_(outcome, std::move(room));
  }

  Lease room_;
  const std::uint64_t connection_;
  const Done done_;
  std::shared_ptr<Claimant> here_;
};

Claim::Outcome outcome_of(Room::Held held) {
  switch (held) {
    case Room::Held::kYes:
      return Claim::Outcome::kHeld;
    case Room::Held::kNotInBin:
      return Claim::Outcome::kNotInBin;
    case Room::Held::kNo:
      break;
  }
  return Claim::Outcome::kUnavailable;
}

// The room keeps what it is given until it answers, and so the lease.
void hold_in_bin(const std::shared_ptr<const Lease>& room, const std::function<void(Claim)>& done) {
  const auto answer = [room, done](Room::Held held) {
    const bool is_held = held == Room::Held::kYes;
    done(Claim(outcome_of(held), is_held ? (*room)->shared_from_this() : nullptr));
  };
  asio::post((*room)->strand(), [room, answer] { (*room)->hold_in_bin(answer); });
}

}  // namespace

Claim& Claim::operator=(Claim&& other) noexcept {
  release();
  outcome_ = other.outcome_;
  room_ = std::exchange(other.room_, nullptr);
  return *this;
}

Claim::~Claim() { release(); }

void Claim::release() {
  if (!room_) return;
  const Strand strand = room_->strand();
  asio::post(strand, [room = std::exchange(room_, nullptr)] { room->let_go(); });
}

asio::awaitable<Claim> claim_name(Directory& directory, std::string document) {
  Lease room = directory.open(document);
  if (!room) co_return Claim(Claim::Outcome::kUnavailable);
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Claim)>(
      [](auto handler, Lease lease) {
        Claimant::start(std::make_shared<Claimant>(
            std::move(lease), [done = post_result(std::move(handler))](Claim::Outcome outcome,
                                                                       std::shared_ptr<Room> held) {
              done(Claim(outcome, std::move(held)));
            }));
      },
      asio::use_awaitable, std::move(room));
}

asio::awaitable<Claim> claim_in_bin(Directory& directory, std::string document) {
  Lease room = directory.open(document);
  if (!room) co_return Claim(Claim::Outcome::kUnavailable);
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Claim)>(
      [](auto handler, Lease lease) {
        hold_in_bin(std::make_shared<const Lease>(std::move(lease)),
                    post_result(std::move(handler)));
      },
      asio::use_awaitable, std::move(room));
}

}  // namespace palimpsest::server
