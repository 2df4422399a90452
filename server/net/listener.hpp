#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include "net/http_connection.hpp"

namespace palimpsest::server::net {

// A door of the server: its port, or the socket in its data directory. Each connection that it
// accepts gets a strand of its own.
//
// Home:     the strand of the connections; constructor and port() excepted.
// Lifetime: longer than the coroutine that start() spawns: stop it and let it run out.
class Listener {
 public:
  // Binds; throws boost::system::system_error.
  Listener(boost::asio::io_context& io, const std::string& host, std::uint16_t port,
           const Service& service);
  // The socket in the data directory, which the caller has locked: only who runs the server can
  // connect, and may do everything. Throws boost::system::system_error.
  Listener(boost::asio::io_context& io, const std::filesystem::path& data, const Service& service);
  ~Listener();

  // The port bound, also where 0 was asked for.
  std::uint16_t port() const { return port_; }
  // Any thread.
  void start();
  void stop();

 private:
  using Protocol = boost::asio::generic::stream_protocol;

  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> pause();
  void serve(Protocol::socket socket);

  boost::asio::io_context& io_;
  const Service& service_;
  boost::asio::basic_socket_acceptor<Protocol> acceptor_;
  std::uint16_t port_ = 0;
  std::filesystem::path local_socket_;  // "" for the port
};

}  // namespace palimpsest::server::net
