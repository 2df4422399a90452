#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include "net/connections.hpp"
#include "net/limits.hpp"
#include "net/wake.hpp"

namespace palimpsest::server::net {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Strand>;
using ErrorCode = boost::system::error_code;

// The socket below a WebSocket. Beast reads through it and writes its control frames; we write the
// data frames, many in one system call. So each write goes out whole before the next one starts,
// whoever asks for it.
//
// Home:   the strand of the socket. Beast's writes may outlive its stream: all share one state.
// Errors: by ErrorCode; a peer that takes nothing for the time given has its socket closed.
class Wire {
 public:
  using executor_type = Strand;

  // `early`: what was read from the socket before, beyond the handshake.
  Wire(Socket socket, std::string early, Limits::Duration progress_time)
      : state_(std::make_shared<State>(std::move(socket), std::move(early), progress_time)) {}

  executor_type get_executor() noexcept { return socket().get_executor(); }
  Socket& socket() { return state_->socket; }
  void close();

  // Writes all of the buffers, of which there are at most kMaxBuffers.
  static constexpr std::size_t kMaxBuffers = 64;
  boost::asio::awaitable<ErrorCode, Strand> write(
      std::span<const boost::asio::const_buffer> buffers);

  // --- What Beast asks of the stream below it: AsyncStream. ---

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(
        [state = state_.get()](auto handler, const Buffers& into) {
          if (state->early.empty()) return state->socket.async_read_some(into, std::move(handler));
          const auto early = boost::asio::buffer(state->early);
          const std::size_t count = boost::asio::buffer_copy(into, early);
          state->early.erase(0, count);
          complete(std::move(handler), state->socket.get_executor(), ErrorCode(), count);
        },
        token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(
        [state = state_](auto handler, const Buffers& from) {
          boost::asio::co_spawn(state->socket.get_executor(),
                                write_for_beast(state, from, std::move(handler)),
                                boost::asio::detached);
        },
        token, buffers);
  }

 private:
  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Strand>;

  struct State {
    State(Socket socket_, std::string early_, Limits::Duration progress_time_);

    Socket socket;
    std::string early;
    const Limits::Duration progress_time;
    Timer progress;
    bool is_writing = false;
    Wake turn;
  };

  static boost::asio::awaitable<ErrorCode, Strand> write_whole(
      std::shared_ptr<State> state, std::span<const boost::asio::const_buffer> buffers);
  static boost::asio::awaitable<ErrorCode, Strand> wait_until_writable(
      std::shared_ptr<State> state);

  template <class Handler>
  static void complete(Handler handler, const Strand& strand, ErrorCode error, std::size_t count) {
    const auto executor = boost::asio::get_associated_executor(handler, strand);
    boost::asio::post(executor, [handler = std::move(handler), error, count]() mutable {
      std::move(handler)(error, count);
    });
  }

  template <class Buffers, class Handler>
  static boost::asio::awaitable<void, Strand> write_for_beast(std::shared_ptr<State> state,
                                                              Buffers buffers, Handler handler) {
    std::array<boost::asio::const_buffer, kMaxBuffers> flat;
    std::size_t count = 0;
    std::size_t size = 0;
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         at != boost::asio::buffer_sequence_end(buffers) && count < flat.size(); ++at) {
      flat[count] = *at;
      size += flat[count++].size();
    }
    const ErrorCode error = co_await write_whole(state, std::span(flat).first(count));
    complete(std::move(handler), state->socket.get_executor(), error, error ? 0 : size);
  }

  std::shared_ptr<State> state_;
};

// Beast finds these by their names when a WebSocket ends.
template <class Handler>
void async_teardown(boost::beast::role_type role, Wire& wire, Handler&& handler) {
  using boost::beast::websocket::async_teardown;
  async_teardown(role, wire.socket(), std::forward<Handler>(handler));
}
inline void teardown(boost::beast::role_type role, Wire& wire, ErrorCode& error) {
  using boost::beast::websocket::teardown;
  teardown(role, wire.socket(), error);
}
inline void beast_close_socket(Wire& wire) { wire.close(); }

}  // namespace palimpsest::server::net
