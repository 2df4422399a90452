#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/connections.hpp"

namespace palimpsest::server::net {

// How one coroutine waits for another part of the same strand. A call that comes while nobody
// waits is kept, and several are one.
//
// Home: the strand given. One waiter at a time.
class Wake {
 public:
  explicit Wake(const Strand& strand) : channel_(strand, 1) {}

  // The waiter goes on later, not within this call.
  void notify() { channel_.try_send(boost::system::error_code()); }

  boost::asio::awaitable<void, Strand> wait() {
    co_await channel_.async_receive(boost::asio::as_tuple(boost::asio::use_awaitable_t<Strand>()));
  }

 private:
  boost::asio::experimental::channel<Strand, void(boost::system::error_code)> channel_;
};

}  // namespace palimpsest::server::net
