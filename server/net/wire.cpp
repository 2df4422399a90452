#include "net/wire.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace palimpsest::server::net {
namespace {

namespace asio = boost::asio;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable_t<Strand>());

// What is left of the buffers after `written` bytes; the first may be a piece.
std::span<asio::const_buffer> skip(std::span<asio::const_buffer> buffers, std::size_t written) {
  while (!buffers.empty() && written >= buffers.front().size()) {
    written -= buffers.front().size();
    buffers = buffers.subspan(1);
  }
  if (!buffers.empty()) buffers.front() += written;
  return buffers;
}

// Holds a write's turn; the next in line is woken also when the coroutine is cancelled.
class Turn {
 public:
  Turn(bool& is_taken, Wake& next) : is_taken_(is_taken), next_(next) { is_taken_ = true; }
  ~Turn() {
    is_taken_ = false;
    next_.notify();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  bool& is_taken_;
  Wake& next_;
};

}  // namespace

Wire::State::State(Socket socket_, std::string early_, Limits::Duration progress_time_)
    : socket(std::move(socket_)),
      early(std::move(early_)),
      progress_time(progress_time_),
      progress(socket.get_executor()),
      turn(socket.get_executor()) {
  ErrorCode ignored;
  socket.non_blocking(true, ignored);
}

void Wire::close() {
  ErrorCode ignored;
  socket().close(ignored);
}

asio::awaitable<ErrorCode, Strand> Wire::write(std::span<const asio::const_buffer> buffers) {
  return write_whole(state_, buffers);
}

asio::awaitable<ErrorCode, Strand> Wire::write_whole(std::shared_ptr<State> state,
                                                     std::span<const asio::const_buffer> buffers) {
  while (state->is_writing) co_await state->turn.wait();
  const Turn turn(state->is_writing, state->turn);

  std::array<asio::const_buffer, kMaxBuffers> storage;
  const std::size_t count = std::min(buffers.size(), storage.size());
  std::copy_n(buffers.begin(), count, storage.begin());
  std::span<asio::const_buffer> rest = std::span(storage).first(count);
  ErrorCode error;
  // The socket mostly takes everything at once: neither a timer nor the reactor is needed then.
  while (!rest.empty() && !error) {
    rest = skip(rest, state->socket.write_some(rest, error));
    if (error == asio::error::would_block || error == asio::error::try_again)
      error = co_await wait_until_writable(state);
  }
  co_return error;
}

asio::awaitable<ErrorCode, Strand> Wire::wait_until_writable(std::shared_ptr<State> state) {
  using namespace asio::experimental::awaitable_operators;
  state->progress.expires_after(state->progress_time);
  const auto first = co_await (state->socket.async_wait(Socket::wait_write, use_tuple) ||
                               state->progress.async_wait(use_tuple));
  if (first.index() == 0) co_return std::get<0>(std::get<0>(first));
  ErrorCode ignored;
  state->socket.close(ignored);
  co_return asio::error::timed_out;
}

}  // namespace palimpsest::server::net
