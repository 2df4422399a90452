#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <spdlog/fwd.h>

#include "net/connections.hpp"
#include "net/limits.hpp"
#include "net/uploads.hpp"

namespace palimpsest::server {
class Directory;
namespace http {
class Router;
}
}  // namespace palimpsest::server

namespace palimpsest::server::net {

// What every connection is served with. Outlives them all.
struct Service {
  const http::Router& router;
  Directory& directory;
  Connections& connections;
  Uploads& uploads;
  Limits limits;
  std::shared_ptr<spdlog::logger> log;
};

// A connection as the listener hands it on, whatever it came by.
struct Incoming {
  boost::asio::generic::stream_protocol::socket socket;
  Connections::Id id = 0;
  bool is_local = false;  // by the socket in the data directory
};

// Serves the requests of one connection, one after the other, until it ends or becomes a
// WebSocket, which it then serves to its end.
//
// Each head passes the guard before Beast's parser sees a byte of it.
//
// Home: the strand of the socket, on which it is spawned.
boost::asio::awaitable<void> serve_http(Incoming connection, const Service& service);

}  // namespace palimpsest::server::net
