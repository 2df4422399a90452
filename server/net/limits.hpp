#pragma once

#include <chrono>
#include <cstddef>

#include "http/guard.hpp"

namespace palimpsest::server::net {

// How much, and for how long. Tests shorten the times.
struct Limits {
  using Duration = std::chrono::milliseconds;

  http::GuardLimits request = {};
  Duration head_time{10'000};
  Duration idle_time{60'000};            // between two requests on one connection
  Duration write_progress_time{15'000};  // for the peer to take anything at all
  std::size_t body_bytes_per_second = 1024;
  std::size_t pipelined_requests = 16;

  std::size_t message_bytes = std::size_t{16} << 20;
  Duration ping_interval{25'000};  // a peer that answers none of two is dead
  Duration close_handshake_time{5'000};
  // For a message that comes in pieces, and how much of it must come in each second after that.
  Duration message_time{30'000};
  std::size_t message_bytes_per_second = std::size_t{16} << 10;
  // They carry nothing, and each takes a turn on the room's strand.
  std::size_t pings_per_second = 100;

  std::size_t connections = 10'000;
};

}  // namespace palimpsest::server::net
