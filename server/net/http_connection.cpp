#include "net/http_connection.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <spdlog/logger.h>

#include "http/guard.hpp"
#include "http/problem.hpp"
#include "http/router.hpp"
#include "http/security.hpp"
#include "http/upgrade.hpp"
#include "net/websocket.hpp"
#include "transfer/temporary_file.hpp"

namespace palimpsest::server::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using tcp = asio::ip::tcp;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

// Holds a head of the largest size and what came with it; a chunk's line has to fit, too.
constexpr std::size_t kBufferBytes = std::size_t{16} << 10;
// Of a file that is sent.
constexpr std::size_t kFileBlockBytes = std::size_t{64} << 10;

using BodyParser = bhttp::request_parser<bhttp::string_body>;

using Transferred = std::tuple<ErrorCode, std::size_t>;

struct Received {
  http::Request request;
  http::HeadScan head;
  bool is_http_1_1 = true;
  bool keep_alive = true;
  bhttp::request<bhttp::empty_body> beast_head;  // for Beast's half of a WebSocket handshake
};
// The connection ended, or nobody asked for anything.
struct Ended {};
using ReadResult = std::variant<Received, http::Refusal, Ended>;

// Seconds are all that HTTP has: "Sat, 21 Nov 2026 09:00:00 GMT" (RFC 9110 §5.6.7).
std::string http_date() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

class HttpConnection {
 public:
  HttpConnection(Incoming connection, const Service& service)
      : socket_(std::move(connection.socket)),
        timer_(socket_.get_executor()),
        id_(connection.id),
        is_local_(connection.is_local),
        service_(service),
        limits_(service.limits),
        request_limits_(service.limits.request) {
    // Who owns the data owns the disk.
    if (is_local_) request_limits_.upload_bytes = std::numeric_limits<std::size_t>::max();
  }

  asio::awaitable<void> serve();
  void close() {
    ErrorCode ignored;
    socket_.close(ignored);
    timer_.cancel();
  }

 private:
  asio::awaitable<ReadResult> read_request(bool is_first);
  asio::awaitable<std::variant<http::HeadScan, http::Refusal, Ended>> read_head(bool is_first);
  asio::awaitable<std::optional<http::Refusal>> read_body();
  std::optional<http::Refusal> spool();
  asio::awaitable<bool> read_some();
  asio::awaitable<Transferred> in_time(asio::awaitable<Transferred> transfer);

  asio::awaitable<bool> answer(Received received);
  asio::awaitable<bool> write(http::Response response, bool is_head, bool keep_alive);
  asio::awaitable<bool> write_file(http::Response response, bool keep_alive);
  asio::awaitable<void> refuse(http::Refusal refusal);
  asio::awaitable<void> linger();

  asio::awaitable<void> upgrade(Received received);
  YWebsocket::Options socket_options(const http::Query& query) const;

  std::string_view received() const {
    return {static_cast<const char*>(buffer_.cdata().data()), buffer_.size()};
  }

  asio::generic::stream_protocol::socket socket_;
  asio::steady_timer timer_;  // when read_some() and write() give up
  const Connections::Id id_;
  const bool is_local_;
  const Service& service_;
  const Limits& limits_;
  http::GuardLimits request_limits_;
  beast::flat_buffer buffer_{kBufferBytes};
  std::optional<BodyParser> parser_;       // of the request being read
  std::shared_ptr<TemporaryFile> upload_;  // where its body goes, if that is no small one
  bool timed_out_ = false;
};

asio::awaitable<void> HttpConnection::serve() {
  std::size_t pipelined = 0;
  for (bool is_first = true;; is_first = false) {
    // Requests that came before the last one was answered.
    pipelined = buffer_.size() > 0 ? pipelined + 1 : 0;
    ReadResult result = co_await read_request(is_first);
    if (std::holds_alternative<Ended>(result)) co_return;
    if (const auto* refusal = std::get_if<http::Refusal>(&result)) {
      co_await refuse(*refusal);
      co_return;
    }
    Received& received = std::get<Received>(result);
    received.request.is_local = is_local_;
    if (http::asks_for_websocket(received.request)) {
      co_await upgrade(std::move(received));
      co_return;
    }
    if (pipelined + 1 >= limits_.pipelined_requests) received.keep_alive = false;
    if (!co_await answer(std::move(received))) co_return;
  }
}

// --- Reading ---

// One more piece from the socket, within the time that was set before. False: no more comes.
asio::awaitable<bool> HttpConnection::read_some() {
  const std::size_t room = std::min<std::size_t>(4096, buffer_.max_size() - buffer_.size());
  if (room == 0) co_return false;
  const auto [error, count] =
      co_await in_time(socket_.async_read_some(buffer_.prepare(room), use_tuple));
  buffer_.commit(count);
  timed_out_ = error == asio::error::timed_out;
  co_return !error;
}

// The transfer, unless the time that was set passes first.
asio::awaitable<Transferred> HttpConnection::in_time(asio::awaitable<Transferred> transfer) {
  using namespace asio::experimental::awaitable_operators;
  const auto first = co_await (std::move(transfer) || timer_.async_wait(use_tuple));
  if (first.index() == 0) co_return std::get<0>(first);
  co_return Transferred(asio::error::timed_out, 0);
}

asio::awaitable<std::variant<http::HeadScan, http::Refusal, Ended>> HttpConnection::read_head(
    bool is_first) {
  const bool may_idle = !is_first && buffer_.size() == 0;
  timer_.expires_after(may_idle ? limits_.idle_time : limits_.head_time);
  bool is_idle = may_idle;
  for (;;) {
    const http::HeadScan head = http::scan_head(received(), request_limits_);
    if (head.refusal) co_return *head.refusal;
    if (head.head_bytes > 0) co_return head;

    if (!co_await read_some()) {
      if (timed_out_ && !is_idle) co_return http::Refusal{408, "the request's head took too long"};
      co_return Ended{};
    }
    if (std::exchange(is_idle, false)) timer_.expires_after(limits_.head_time);
  }
}

// What the guard let pass, in Beast's words and ours.
Received convert(BodyParser& parser, const http::HeadScan& head) {
  Received received;
  auto& message = parser.get();
  received.head = head;
  received.is_http_1_1 = message.version() == 11;
  received.keep_alive = received.is_http_1_1 && message.keep_alive();
  received.request.method = std::string(message.method_string());
  received.request.target = std::string(message.target());
  for (const auto& field : message)
    received.request.fields.emplace_back(std::string(field.name_string()),
                                         std::string(field.value()));
  received.request.body = std::move(message.body());
  received.beast_head.base() = std::move(message.base());
  return received;
}

asio::awaitable<ReadResult> HttpConnection::read_request(bool is_first) {
  auto scanned = co_await read_head(is_first);
  if (std::holds_alternative<Ended>(scanned)) co_return Ended{};
  if (const auto* refusal = std::get_if<http::Refusal>(&scanned)) co_return *refusal;
  const http::HeadScan head = std::get<http::HeadScan>(scanned);

  BodyParser& parser = parser_.emplace();
  parser.eager(true);
  parser.header_limit(static_cast<std::uint32_t>(request_limits_.head_bytes));
  parser.body_limit(head.is_upload ? request_limits_.upload_bytes : request_limits_.body_bytes);
  ErrorCode error;
  parser.put(asio::buffer(received().data(), head.head_bytes), error);
  if (error && error != bhttp::error::need_more)
    co_return http::Refusal{400, "the request's head is malformed"};
  buffer_.consume(head.head_bytes);
  upload_.reset();
  if (head.is_upload) {
    upload_ = service_.uploads.open();
    if (!upload_) co_return http::Refusal{503, "too much is being imported; try again later"};
  }
  if (!parser.is_done())
    if (const auto refusal = co_await read_body()) co_return *refusal;
  Received received = convert(parser, head);
  received.request.upload = std::move(upload_);
  co_return received;
}

// What has come of an upload goes to its file.
std::optional<http::Refusal> HttpConnection::spool() {
  if (!upload_) return std::nullopt;
  std::string& body = parser_->get().body();
  try {
    upload_->write({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()});
  } catch (const std::filesystem::filesystem_error& error) {
    service_.log->error("an upload cannot be kept: {}", error.what());
    return http::Refusal{507, "there is no room for the body"};
  }
  body.clear();
  return std::nullopt;
}

// Chunk extensions and trailers are refused: nobody uses them but to smuggle.
asio::awaitable<std::optional<http::Refusal>> HttpConnection::read_body() {
  BodyParser& parser = *parser_;
  auto refuse_extension = [](std::uint64_t, beast::string_view extension, ErrorCode& error) {
    if (!extension.empty()) error = bhttp::error::bad_chunk_extension;
  };
  parser.on_chunk_header(refuse_extension);
  const auto count_fields = [&parser] {
    return std::distance(parser.get().begin(), parser.get().end());
  };
  const auto head_fields = count_fields();
  const auto started = std::chrono::steady_clock::now();
  std::size_t taken = 0;

  while (!parser.is_done()) {
    if (buffer_.size() > 0) {
      ErrorCode error;
      const std::size_t used = parser.put(buffer_.cdata(), error);
      buffer_.consume(used);
      taken += used;
      if (error == bhttp::error::body_limit)
        co_return http::Refusal{413, "the body is larger than allowed"};
      if (error && error != bhttp::error::need_more)
        co_return http::Refusal{400, "the body's chunks are malformed"};
      if (const auto refusal = spool()) co_return *refusal;
      if (!error || used > 0) continue;
    }
    timer_.expires_at(started + limits_.head_time +
                      std::chrono::seconds(taken / limits_.body_bytes_per_second));
    if (!co_await read_some()) {
      if (timed_out_) co_return http::Refusal{408, "the body came too slowly"};
      co_return http::Refusal{400, "the body is incomplete"};
    }
  }
  if (count_fields() != head_fields)
    co_return http::Refusal{400, "fields after the body are not taken"};
  co_return std::nullopt;
}

// --- Answering ---

// False when the connection is not to be used any further.
asio::awaitable<bool> HttpConnection::answer(Received received) {
  const bool is_head = received.request.method == "HEAD";
  http::Response response = co_await service_.router.handle(received.request);
  service_.log->debug("{} {} {}", received.request.method,
                      http::split_target(received.request.target).path, response.status);
  const bool keep_alive = received.keep_alive && !response.close;
  const bool is_sent = co_await write(std::move(response), is_head, keep_alive);
  if (is_sent && !keep_alive) co_await linger();
  co_return is_sent&& keep_alive;
}

asio::awaitable<bool> HttpConnection::write(http::Response response, bool is_head,
                                            bool keep_alive) {
  http::add_security_fields(response);
  if (response.file && !is_head) co_return co_await write_file(std::move(response), keep_alive);
  const std::span<const unsigned char> body =
      response.body.empty()
          ? response.static_body
          : std::span(reinterpret_cast<const unsigned char*>(response.body.data()),
                      response.body.size());

  bhttp::response<bhttp::span_body<const unsigned char>> message;
  message.version(11);
  message.result(response.status);
  message.reason(std::string(http::reason_phrase(response.status)));
  for (const auto& [name, value] : response.fields) message.insert(name, value);
  message.set(bhttp::field::date, http_date());
  const std::uint64_t size = response.file ? response.file->size() : body.size();
  if (response.status != 204 && response.status != 304) message.content_length(size);
  if (!is_head) message.body() = {body.data(), body.size()};
  if (!keep_alive) message.set(bhttp::field::connection, "close");

  bhttp::response_serializer<bhttp::span_body<const unsigned char>> serializer(message);
  while (!serializer.is_done()) {
    timer_.expires_after(limits_.write_progress_time);
    const auto [error, count] =
        co_await in_time(bhttp::async_write_some(socket_, serializer, use_tuple));
    if (error) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> HttpConnection::write_file(http::Response response, bool keep_alive) {
  bhttp::response<bhttp::buffer_body> message;
  message.version(11);
  message.result(response.status);
  message.reason(std::string(http::reason_phrase(response.status)));
  for (const auto& [name, value] : response.fields) message.insert(name, value);
  message.set(bhttp::field::date, http_date());
  message.content_length(response.file->size());
  if (!keep_alive) message.set(bhttp::field::connection, "close");

  std::vector<std::uint8_t> block(kFileBlockBytes);
  bhttp::response_serializer<bhttp::buffer_body> serializer(message);
  std::uint64_t offset = 0;
  bool is_block_sent = true;
  while (!serializer.is_done()) {
    if (is_block_sent) {
      const std::size_t count = response.file->read(offset, block);
      if (count == 0) co_return false;  // somebody has cut it
      offset += count;
      message.body() = {block.data(), count, offset < response.file->size()};
    }
    timer_.expires_after(limits_.write_progress_time);
    const auto [error, count] =
        co_await in_time(bhttp::async_write_some(socket_, serializer, use_tuple));
    is_block_sent = error == bhttp::error::need_buffer;
    if (error && !is_block_sent) co_return false;
  }
  co_return true;
}

asio::awaitable<void> HttpConnection::refuse(http::Refusal refusal) {
  http::Problem problem(refusal.status, std::string(refusal.detail));
  if (co_await write(problem.response(), false, false)) co_await linger();
}

// Reads what the peer was still sending, for a moment: closing a socket with unread bytes resets
// it, and the peer may never see the answer.
asio::awaitable<void> HttpConnection::linger() {
  ErrorCode ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  timer_.expires_after(std::chrono::seconds(1));
  for (std::size_t drained = 0; drained < (std::size_t{1} << 20); drained += buffer_.size()) {
    buffer_.clear();
    if (!co_await read_some()) break;
  }
}

// --- Becoming a WebSocket ---

YWebsocket::Options HttpConnection::socket_options(const http::Query& query) const {
  YWebsocket::Options options;
  options.connection = id_;
  if (const std::string* ack = http::find_parameter(query, "ack")) {
    if (*ack == "1") options.acks = YWebsocket::Acks::kCount;
    if (*ack == "echo") options.acks = YWebsocket::Acks::kEcho;
  }
  if (const std::string* generation = http::find_parameter(query, "generation")) {
    std::uint64_t number = 0;
    const char* end = generation->data() + generation->size();
    const auto [stop, error] = std::from_chars(generation->data(), end, number);
    if (error != std::errc() || stop != end)
      throw http::Problem(400, "generation must be a number");
    options.generation = number;
  }
  return options;
}

asio::awaitable<void> HttpConnection::upgrade(Received received) {
  std::optional<http::Response> refusal;
  http::SocketTarget target;
  YWebsocket::Options options;
  Lease room;
  try {
    if (is_local_) throw http::Problem(501, "WebSockets are served on the port");
    http::check_websocket_handshake(received.request, received.is_http_1_1, received.head);
    target = service_.router.route_websocket(received.request);
    options = socket_options(target.query);
    room = service_.directory.open(target.document);
    if (!room) throw http::Problem(503, "the server is stopping");
  } catch (const http::Problem& problem) {
    refusal = problem.response();
  }
  if (refusal) {
    if (co_await write(std::move(*refusal), false, false)) co_await linger();
    co_return;
  }

  // The socket moves to the room's strand, where everything that its messages touch is at home.
  const Strand strand = room->strand();
  ErrorCode error;
  const bool is_v6 = socket_.local_endpoint(error).protocol().family() == AF_INET6;
  const auto handle = socket_.release(error);
  if (error) co_return;
  auto session = WebSocket::make({.socket = Socket(strand, is_v6 ? tcp::v6() : tcp::v4(), handle),
                                  .early = std::string(this->received()),
                                  .handshake = std::move(received.beast_head),
                                  .room = std::move(room),
                                  .options = options,
                                  .limits = limits_});
  service_.connections.add(id_, [strand, weak = std::weak_ptr(session)] {
    asio::post(strand, [weak] {
      if (const auto alive = weak.lock()) alive->abort();
    });
  });
  const Connections::Session counted(service_.connections);
  co_await asio::co_spawn(strand, WebSocket::serve(std::move(session)), asio::use_awaitable);
}

asio::awaitable<void> serve_shared(std::shared_ptr<HttpConnection> connection) {
  co_await connection->serve();
}

}  // namespace

asio::awaitable<void> serve_http(Incoming incoming, const Service& service) {
  const auto executor = incoming.socket.get_executor();
  const Connections::Id id = incoming.id;
  auto connection = std::make_shared<HttpConnection>(std::move(incoming), service);
  service.connections.add(id, [executor, weak = std::weak_ptr(connection)] {
    asio::post(executor, [weak] {
      if (const auto alive = weak.lock()) alive->close();
    });
  });
  return serve_shared(std::move(connection));
}

}  // namespace palimpsest::server::net
