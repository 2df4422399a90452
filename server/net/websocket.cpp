#include "net/websocket.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <variant>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "storage/failpoint.hpp"

namespace palimpsest::server::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable_t<Strand>());

// After a larger message the reader's buffer is given back: an idle connection holds little.
constexpr std::size_t kKeptBufferBytes = std::size_t{64} << 10;

// The frames of one system call, each with its header in front.
//
// frame := 0x82 (length7 | 126 u16_be(length) | 127 u64_be(length)) byte*     (RFC 6455 §5.2)
class Gather {
 public:
  bool is_full() const { return frame_count_ == kMaxFrames || bytes_ >= kEnoughBytes; }
  bool empty() const { return frame_count_ == 0; }

  void add(Frame frame) {
    bytes_ += frame.size();
    Header& header = headers_[frame_count_];
    buffers_[2 * frame_count_] = {header.data(), write_header(header, frame.size())};
    buffers_[2 * frame_count_ + 1] = {frame.bytes().data(), frame.size()};
    frames_[frame_count_++] = std::move(frame);
  }
  void clear() {
    for (std::size_t i = 0; i < frame_count_; ++i) frames_[i] = Frame();
    frame_count_ = 0;
    bytes_ = 0;
  }
  std::span<const asio::const_buffer> buffers() const {
    return std::span(buffers_).first(2 * frame_count_);
  }

 private:
  static constexpr std::size_t kMaxFrames = Wire::kMaxBuffers / 2;
  static constexpr std::size_t kEnoughBytes = std::size_t{256} << 10;
  using Header = std::array<unsigned char, 10>;

  // Answers the header's length.
  static std::size_t write_header(Header& header, std::size_t payload_bytes) {
    constexpr unsigned char kFinalBinary = 0x82;
    header[0] = kFinalBinary;
    if (payload_bytes < 126) {
      header[1] = static_cast<unsigned char>(payload_bytes);
      return 2;
    }
    const std::size_t length_bytes = payload_bytes < 65536 ? 2 : 8;
    header[1] = length_bytes == 2 ? 126 : 127;
    for (std::size_t i = 0; i < length_bytes; ++i)
      header[2 + i] = static_cast<unsigned char>(payload_bytes >> (8 * (length_bytes - 1 - i)));
    return 2 + length_bytes;
  }

  std::array<Frame, kMaxFrames> frames_;
  std::array<Header, kMaxFrames> headers_;
  std::array<asio::const_buffer, Wire::kMaxBuffers> buffers_;
  std::size_t frame_count_ = 0;
  std::size_t bytes_ = 0;
};

class Session final : public WebSocket,
                      private Transport,
                      public std::enable_shared_from_this<Session> {
 public:
  explicit Session(Parts parts)
      : stream_(std::move(parts.socket), std::move(parts.early), parts.limits.write_progress_time),
        handshake_(std::move(parts.handshake)),
        limits_(parts.limits),
        reader_wake_(stream_.get_executor()),
        writer_wake_(stream_.get_executor()),
        message_timer_(stream_.get_executor()),
        dialect_(std::move(parts.room), *this, parts.options) {}

  void abort() override {
    is_over_ = true;
    stream_.next_layer().close();
    reader_wake_.notify();
    writer_wake_.notify();
    message_timer_.cancel();
  }

 private:
  // However a coroutine ends, the other one does, too.
  struct LeaveAtEnd {
    explicit LeaveAtEnd(YWebsocket& dialect_) : dialect(dialect_) {}
    ~LeaveAtEnd() { dialect.closed(); }
    LeaveAtEnd(const LeaveAtEnd&) = delete;
    LeaveAtEnd& operator=(const LeaveAtEnd&) = delete;
    YWebsocket& dialect;
  };
  struct AbortAtEnd {
    explicit AbortAtEnd(Session& session_) : session(session_) {}
    ~AbortAtEnd() { session.abort(); }
    AbortAtEnd(const AbortAtEnd&) = delete;
    AbortAtEnd& operator=(const AbortAtEnd&) = delete;
    Session& session;
  };

  void wake_reader() override { reader_wake_.notify(); }
  void wake_writer() override { writer_wake_.notify(); }

  asio::awaitable<void, Strand> run() override;
  asio::awaitable<void, Strand> read();
  asio::awaitable<bool, Strand> read_message();
  void watch_message();
  void count_ping();
  asio::awaitable<void, Strand> write();
  std::optional<Close> gather();
  asio::awaitable<bool, Strand> send_gathered();
  asio::awaitable<void, Strand> close(Close close);
  void configure();
  void take_message();

  ws::stream<Wire> stream_;
  beast::http::request<beast::http::empty_body> handshake_;
  const Limits limits_;
  beast::flat_buffer input_;
  Gather output_;
  Wake reader_wake_;
  Wake writer_wake_;
  // Of the message that is being read, where it came in pieces.
  asio::steady_timer message_timer_;
  Instant message_started_;
  Instant ping_second_;
  std::size_t pings_ = 0;
  bool is_over_ = false;
  YWebsocket dialect_;
};

void Session::configure() {
  stream_.set_option(ws::stream_base::timeout{.handshake_timeout = limits_.close_handshake_time,
                                              .idle_timeout = 2 * limits_.ping_interval,
                                              .keep_alive_pings = true});
  stream_.read_message_max(limits_.message_bytes);
  stream_.auto_fragment(false);
  stream_.control_callback([this](ws::frame_type kind, beast::string_view) {
    if (kind != ws::frame_type::close) count_ping();
  });
}

void Session::count_ping() {
  const Instant now = std::chrono::steady_clock::now();
  if (now - ping_second_ >= std::chrono::seconds(1)) {
    ping_second_ = now;
    pings_ = 0;
  }
  if (++pings_ > limits_.pings_per_second) dialect_.end({CloseReason::kTryLater});
}

asio::awaitable<void, Strand> Session::run() {
  using namespace asio::experimental::awaitable_operators;
  const LeaveAtEnd leave(dialect_);
  configure();
  const auto [error] = co_await stream_.async_accept(handshake_, use_tuple);
  if (error) co_return;
  dialect_.open();
  co_await (read() || write());
}

asio::awaitable<void, Strand> Session::read() {
  const AbortAtEnd end(*this);
  while (!is_over_) {
    if (!dialect_.wants_input()) {
      co_await reader_wake_.wait();
      continue;
    }
    if (!co_await read_message()) co_return;
    take_message();
  }
}

// False when the connection is over: Beast has sent the close frame that belongs to the error.
asio::awaitable<bool, Strand> Session::read_message() {
  for (bool is_watched = false;; is_watched = true) {
    const auto [error, bytes] = co_await stream_.async_read_some(input_, 0, use_tuple);
    if (error || stream_.is_message_done()) {
      if (is_watched) message_timer_.cancel();
      co_return !error;
    }
    if (is_watched) continue;
    message_started_ = std::chrono::steady_clock::now();
    message_timer_.expires_after(limits_.message_time);
    watch_message();
  }
}

// A message that never ends would hold its memory for ever.
void Session::watch_message() {
  message_timer_.async_wait([this, alive = weak_from_this()](ErrorCode error) {
    const auto self = alive.lock();
    if (error || !self) return;
    const auto late = std::chrono::steady_clock::now() - message_started_ - limits_.message_time;
    if (late < Instant::duration::zero()) return;  // that was for an earlier message
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(late).count() + 1;
    if (input_.size() < static_cast<std::size_t>(seconds) * limits_.message_bytes_per_second)
      return abort();
    message_timer_.expires_after(std::chrono::seconds(1));
    watch_message();
  });
}

void Session::take_message() {
  if (stream_.got_text()) {
    dialect_.end({CloseReason::kUnsupportedData});
  } else {
    const auto message = input_.cdata();
    dialect_.receive({static_cast<const std::uint8_t*>(message.data()), message.size()});
  }
  input_.consume(input_.size());
  if (input_.capacity() > kKeptBufferBytes) input_.shrink_to_fit();
}

asio::awaitable<void, Strand> Session::write() {
  const AbortAtEnd end(*this);
  while (!is_over_) {
    const std::optional<Close> last = gather();
    if (output_.empty() && !last) {
      co_await writer_wake_.wait();
      continue;
    }
    if (!co_await send_gathered()) co_return;
    if (!last) continue;
    co_await close(*last);
    co_return;
  }
}

// Takes what the dialect has to send, as much as goes into one system call. Answers the close that
// comes after it, if that is next.
std::optional<Close> Session::gather() {
  while (!output_.is_full()) {
    auto next = dialect_.next();
    if (!next) return std::nullopt;
    if (const Close* close = std::get_if<Close>(&*next)) return *close;
    output_.add(std::get<Frame>(std::move(*next)));
  }
  return std::nullopt;
}

// False when the connection is over.
asio::awaitable<bool, Strand> Session::send_gathered() {
  if (output_.empty()) co_return true;
  // After a close frame nothing else may be sent (RFC 6455 §5.5.1), and Beast may have sent one.
  if (!stream_.is_open()) co_return false;
  const ErrorCode error = co_await stream_.next_layer().write(output_.buffers());
  output_.clear();
  // An author has heard that it is saved, where others have yet to see it, or the other way round.
  PALIMPSEST_FAILPOINT("after-ack-before-broadcast");
  co_return !error;
}

asio::awaitable<void, Strand> Session::close(Close close) {
  const ws::close_reason reason(static_cast<ws::close_code>(close_code(close.reason)),
                                close_text(close));
  co_await stream_.async_close(reason, use_tuple);
}

}  // namespace

std::shared_ptr<WebSocket> WebSocket::make(Parts parts) {
  return std::make_shared<Session>(std::move(parts));
}

asio::awaitable<void, Strand> WebSocket::serve(std::shared_ptr<WebSocket> self) {
  co_await self->run();
}

}  // namespace palimpsest::server::net
