#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "crdt/id.hpp"
#include "log/shape.hpp"

namespace palimpsest::storage::log {

// What comes next in a log, guessed from what came before in the same segment. Who writes the
// segment and who reads it make the same guesses, and only what differs is stored.
//
// Cost: O(1) per block; memory for each place at which writing began or ended.
class Guesses {
 public:
  // The clients, in the order in which they were introduced.
  const std::vector<crdt::ClientId>& clients() const { return clients_; }
  std::uint64_t index_of(crdt::ClientId client) const {
    if (last_index_ < clients_.size() && clients_[last_index_] == client) return last_index_;
    const auto found = indices_.find(client);
    return found == indices_.end() ? clients_.size() : last_index_ = found->second;
  }
  void introduce(crdt::ClientId client) {
    indices_.emplace(client, clients_.size());
    clients_.push_back(client);
    clocks_.push_back(0);
  }

  // Where a client's next block begins.
  crdt::Clock next_clock(std::uint64_t client_index) const { return clocks_[client_index]; }
  void reached(std::uint64_t client_index, crdt::Clock clock) { clocks_[client_index] = clock; }

  // The right neighbour of a unit: what was written behind it, or had been there before that. Where
  // nothing is known, the next one of the same client.
  std::optional<crdt::Id> right_of(crdt::Id id) const {
    if (id == end_) return right_of_end_;
    const auto found = right_of_.find(id);
    return found == right_of_.end() ? crdt::Id{id.client, id.clock + 1} : found->second;
  }
  // Where a client's next block was put: behind its last one, that is, typing goes on. Or over what
  // stands right of the last block, which an editor had put there to close a bracket; into such a
  // pair; behind what was deleted; back where writing was interrupted.
  static constexpr std::uint64_t kOriginGuesses = 5;
  std::optional<crdt::Id> origin(std::uint64_t guess, crdt::Id of) const {
    switch (guess) {
      case 0:
        return before(of);
      case 1:
        return right_of(end_);
      case 2:
        return before(end_);
      case 3:
        return last_deleted();
      default:
        return interrupted_;
    }
  }
  // The last unit that was written.
  crdt::Id end() const { return end_; }
  // One more was written behind it, with the same right neighbour: wrote(), in short.
  void wrote_on() {
    origin_ = end_;
    ++end_.clock;
  }
  // A block was written, whose units are first … first + units - 1.
  void wrote(std::optional<crdt::Id> origin, std::optional<crdt::Id> right, crdt::Id first,
             std::uint64_t units);

  // The next deletion of so many units: before the last one, behind it; at the end of what was
  // written last, before it, where it took the place of something, or behind it.
  static constexpr std::uint64_t kDeletionGuesses = 5;
  std::optional<crdt::Id> deletion(std::uint64_t guess, std::uint64_t units) const {
    switch (guess) {
      case 0:
        return back(deleted_, units);
      case 1:
        return right_of(last_deleted());
      case 2:
        return back({end_.client, end_.clock + 1}, units);
      case 3:
        return origin_ ? back({origin_->client, origin_->clock + 1}, units) : std::nullopt;
      default:
        return right_of(end_);
    }
  }
  void deleted(crdt::Id first, std::uint64_t units) {
    deleted_ = near_ = first;
    deleted_units_ = units;
  }

  // A place that was jumped to: the next one is often near.
  crdt::Id near() const { return near_; }
  void jumped(crdt::Id id) { near_ = id; }

 private:
  static std::optional<crdt::Id> back(crdt::Id id, std::uint64_t units) {
    if (id.clock < units) return std::nullopt;
    return crdt::Id{id.client, id.clock - units};
  }
  static std::optional<crdt::Id> before(crdt::Id id) { return back(id, 1); }

  crdt::Id last_deleted() const { return {deleted_.client, deleted_.clock + deleted_units_ - 1}; }

  struct Hash {
    std::size_t operator()(crdt::Id id) const noexcept {
      return (id.client * 0x9E3779B97F4A7C15U + id.clock) * 0x9E3779B97F4A7C15U >> 7;
    }
  };

  std::vector<crdt::ClientId> clients_;
  std::vector<crdt::Clock> clocks_;
  std::unordered_map<crdt::ClientId, std::uint64_t> indices_;
  mutable std::uint64_t last_index_ = 0;

  std::unordered_map<crdt::Id, std::optional<crdt::Id>, Hash> right_of_;
  crdt::Id end_{~std::uint64_t{0}, 0};  // the last unit that was written; its neighbour is apart
  std::optional<crdt::Id> right_of_end_;
  std::optional<crdt::Id> origin_;       // of what was written last
  std::optional<crdt::Id> interrupted_;  // the last unit before writing went on elsewhere

  crdt::Id deleted_{};
  std::uint64_t deleted_units_ = 0;
  crdt::Id near_{};
};

inline void Guesses::wrote(std::optional<crdt::Id> origin, std::optional<crdt::Id> right,
                           crdt::Id first, std::uint64_t units) {
  const bool goes_on =
      origin == end_ && first.client == end_.client && first.clock == end_.clock + 1;
  if (!goes_on) {  // else the guess for `end_` is right without being noted
    right_of_[end_] = right_of_end_;
    interrupted_ = end_;
    if (origin) right_of_[*origin] = first;
  }
  end_ = {first.client, first.clock + units - 1};
  right_of_end_ = right;
  origin_ = origin;
}

}  // namespace palimpsest::storage::log
