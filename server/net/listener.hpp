#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/http_connection.hpp"

namespace palimpsest::server::net {

// The one port. Each connection that it accepts gets a strand of its own.
//
// Home:     the strand of the connections; constructor and port() excepted.
// Lifetime: longer than the coroutine that start() spawns: stop it and let it run out.
class Listener {
 public:
  // Binds; throws boost::system::system_error.
  Listener(boost::asio::io_context& io, const std::string& host, std::uint16_t port,
           const Service& service);

  // The port bound, also where 0 was asked for.
  std::uint16_t port() const;
  // Any thread.
  void start();
  void stop();

 private:
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> pause();
  void serve(boost::asio::ip::tcp::socket socket);

  boost::asio::io_context& io_;
  const Service& service_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace palimpsest::server::net
