#pragma once

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

namespace palimpsest::server {

class Directory;
class Room;

// Keeps the name of a document that is not there yet, or is to be gone, for as long as it lives:
// nobody can begin it meanwhile. Who had it open, or wants to, is told to come back, and finds what
// is stored by then. Movable, any thread.
class Claim {
 public:
  enum class Outcome {
    kHeld,
    kTaken,        // the document is there
    kNotInBin,     // of one that is to be gone
    kUnavailable,  // it cannot be loaded, somebody else holds it, or the server stops
  };

  Claim() : Claim(Outcome::kUnavailable) {}
  explicit Claim(Outcome outcome, std::shared_ptr<Room> room = nullptr)
      : outcome_(outcome), room_(std::move(room)) {}
  Claim(Claim&&) noexcept = default;
  Claim& operator=(Claim&& other) noexcept;
  ~Claim();

  Outcome outcome() const { return outcome_; }

 private:
  void release();

  Outcome outcome_;
  std::shared_ptr<Room> room_;  // where it is held
};

// Comes back to the caller's executor.
boost::asio::awaitable<Claim> claim_name(Directory& directory, std::string document);
// Of a document in the bin, once all of it is on disk; of a damaged one, too, whether it is in the
// bin or not.
boost::asio::awaitable<Claim> claim_in_bin(Directory& directory, std::string document);

}  // namespace palimpsest::server
