#include "net/listener.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/logger.h>

#include "net/local_socket.hpp"
#include "net/rethrow.hpp"

namespace palimpsest::server::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

Listener::Listener(asio::io_context& io, const std::string& host, std::uint16_t port,
                   const Service& service)
    : io_(io), service_(service), acceptor_(service.connections.strand()) {
  const tcp::endpoint wanted(asio::ip::make_address(host), port);
  acceptor_.open(wanted.protocol());
  acceptor_.set_option(asio::socket_base::reuse_address(true));
  acceptor_.bind(wanted);
  tcp::endpoint bound = wanted;  // of the same family
  const Protocol::endpoint local = acceptor_.local_endpoint();
  std::memcpy(bound.data(), local.data(), std::min(bound.capacity(), local.size()));
  port_ = bound.port();
  acceptor_.listen(asio::socket_base::max_listen_connections);
}

// Nobody can connect before listen(), and so not before the permissions are right. What an earlier
// server left behind is in the way and of no use.
Listener::Listener(asio::io_context& io, const std::filesystem::path& data, const Service& service)
    : io_(io),
      service_(service),
      acceptor_(service.connections.strand()),
      local_socket_(local_socket(data)) {
  std::filesystem::remove(local_socket_);
  const LocalAddress address(local_socket_);
  acceptor_.open(asio::local::stream_protocol());
  acceptor_.bind(address.endpoint());
  using std::filesystem::perms;
  std::filesystem::permissions(local_socket_, perms::owner_read | perms::owner_write);
  acceptor_.listen(asio::socket_base::max_listen_connections);
}

Listener::~Listener() {
  std::error_code ignored;
  if (!local_socket_.empty()) std::filesystem::remove(local_socket_, ignored);
}

void Listener::start() { asio::co_spawn(service_.connections.strand(), accept(), rethrow); }

void Listener::stop() {
  asio::dispatch(service_.connections.strand(), [this] {
    ErrorCode ignored;
    acceptor_.close(ignored);
  });
}

asio::awaitable<void> Listener::accept() {
  bool is_short = false;
  while (acceptor_.is_open()) {
    if (service_.connections.count() >= service_.limits.connections) {
      if (!std::exchange(is_short, true))
        service_.log->warn("more connections than {} have to wait", service_.limits.connections);
      co_await pause();
      continue;
    }
    const asio::any_io_executor own_strand = asio::make_strand(io_);
    auto [error, socket] = co_await acceptor_.async_accept(own_strand, use_tuple);
    if (!error) {
      serve(std::move(socket));
      is_short = false;
    } else if (error != asio::error::connection_aborted && acceptor_.is_open()) {
      // Mostly out of descriptors. Without a pause the same error would come back at once.
      if (!std::exchange(is_short, true))
        service_.log->warn("no connection can be accepted just now: {}", error.message());
      co_await pause();
    }
  }
}

// Until some connection may have ended.
asio::awaitable<void> Listener::pause() {
  asio::steady_timer timer(acceptor_.get_executor(), std::chrono::milliseconds(50));
  co_await timer.async_wait(use_tuple);
}

void Listener::serve(Protocol::socket socket) {
  ErrorCode ignored;
  const bool is_local = !local_socket_.empty();
  if (!is_local) socket.set_option(tcp::no_delay(true), ignored);
  const Connections::Id id = service_.connections.next_id();
  const auto executor = socket.get_executor();
  const auto on_end = [&service = service_, id](const std::exception_ptr& failure) {
    service.connections.remove(id);
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      service.log->error("a connection ended in a bug: {}", error.what());
    }
  };
  asio::co_spawn(executor, serve_http({std::move(socket), id, is_local}, service_), on_end);
}

}  // namespace palimpsest::server::net
