#include "web_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace palimpsest::bench {
namespace {

constexpr int kContinuation = 0;
constexpr int kBinary = 2;
constexpr int kClose = 8;
constexpr int kPing = 9;
constexpr int kPong = 10;

constexpr std::size_t kReadBytes = std::size_t{256} << 10;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

int connect_to(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("socket");
  const timeval patience{10, 0};
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
      setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int reason = errno;
    ::close(descriptor);
    errno = reason;
    fail("port " + std::to_string(port));
  }
  return descriptor;
}

}  // namespace

WebSocket::WebSocket(std::uint16_t port, const std::string& path) : socket_(connect_to(port)) {
  try {
    upgrade(path);
  } catch (...) {
    ::close(socket_);
    throw;
  }
}

WebSocket::~WebSocket() {
  if (socket_ >= 0) ::close(socket_);
}

WebSocket::WebSocket(WebSocket&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      output_(std::move(other.output_)),
      rest_(std::move(other.rest_)),
      fragments_(std::move(other.fragments_)) {}

void WebSocket::upgrade(const std::string& path) {
  const std::string request = "GET " + path +
                              " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
  if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    fail("upgrade");
  }
  std::string answer;
  std::size_t end = std::string::npos;
  while ((end = answer.find("\r\n\r\n")) == std::string::npos) {
    char buffer[4096];
    const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) fail("upgrade");
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  if (!answer.starts_with("HTTP/1.1 101")) {
    throw std::runtime_error("upgrade: " + answer.substr(0, answer.find("\r\n")));
  }
  rest_.assign(answer.begin() + static_cast<std::ptrdiff_t>(end) + 4, answer.end());
  if (::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK) != 0) fail("fcntl");
}

void WebSocket::send(ByteView payload) { send_frame(kBinary, payload); }

void WebSocket::send_frame(int opcode, ByteView payload) {
  output_.push_back(static_cast<std::uint8_t>(0x80 | opcode));
  if (payload.size() < 126) {
    output_.push_back(static_cast<std::uint8_t>(0x80 | payload.size()));
  } else if (payload.size() < 65536) {
    output_.insert(output_.end(), {0x80 | 126, static_cast<std::uint8_t>(payload.size() >> 8),
                                   static_cast<std::uint8_t>(payload.size())});
  } else {
    throw std::runtime_error("a message larger than any that typing makes");
  }
  output_.insert(output_.end(), 4, 0);  // the mask: a client must have one, of whatever value
  output_.insert(output_.end(), payload.begin(), payload.end());
}

bool WebSocket::flush() {
  std::size_t sent = 0;
  while (sent < output_.size()) {
    const ssize_t count =
        ::send(socket_, output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno != EAGAIN) fail("send");
      break;
    }
    sent += static_cast<std::size_t>(count);
  }
  output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(sent));
  return output_.empty();
}

// frame := byte{fin, opcode} byte{mask, length} [u16 | u64 length] payload    (RFC 6455 §5.2)
// Answers false when the bytes end before the frame does.
bool WebSocket::parse(ByteView bytes, Frame& frame) {
  if (bytes.size() < 2) return false;
  frame.is_last = (bytes[0] & 0x80) != 0;
  frame.opcode = bytes[0] & 0x0F;
  std::uint64_t length = bytes[1] & 0x7F;
  std::size_t header = 2;
  if (length >= 126) {
    const std::size_t width = length == 126 ? 2 : 8;
    header += width;
    if (bytes.size() < header) return false;
    length = 0;
    for (std::size_t i = 2; i < header; ++i) length = length << 8 | bytes[i];
  }
  if (bytes.size() - header < length) return false;
  frame.payload = bytes.subspan(header, length);
  frame.size = header + length;
  return true;
}

void WebSocket::take_frame(const Frame& frame, const std::function<void(ByteView)>& take) {
  switch (frame.opcode) {
    case kContinuation:
    case kBinary:
      if (frame.is_last && fragments_.empty()) return take(frame.payload);
      fragments_.insert(fragments_.end(), frame.payload.begin(), frame.payload.end());
      if (frame.is_last) take(std::exchange(fragments_, {}));
      return;
    case kPing:
      return send_frame(kPong, frame.payload);
    case kPong:
      return;
    case kClose:
      throw std::runtime_error(
          "the server closed: " +
          (frame.payload.size() < 2
               ? "without a reason"
               : std::to_string(frame.payload[0] << 8 | frame.payload[1]) + " " +
                     std::string(frame.payload.begin() + 2, frame.payload.end())));
    default:
      throw std::runtime_error("a frame of kind " + std::to_string(frame.opcode));
  }
}

void WebSocket::receive(const std::function<void(ByteView)>& take) {
  // One buffer for all connections, since only what is left over belongs to one.
  static thread_local Bytes buffer;
  const std::size_t kept = rest_.size();
  if (buffer.size() < kept + kReadBytes) buffer.resize(kept + kReadBytes);
  std::copy(rest_.begin(), rest_.end(), buffer.begin());
  rest_.clear();

  const ssize_t count = ::recv(socket_, buffer.data() + kept, buffer.size() - kept, 0);
  if (count == 0) throw std::runtime_error("the server closed the connection");
  if (count < 0 && errno != EAGAIN) fail("recv");

  ByteView bytes = ByteView(buffer).first(kept + static_cast<std::size_t>(count > 0 ? count : 0));
  Frame frame;
  while (parse(bytes, frame)) {
    take_frame(frame, take);
    bytes = bytes.subspan(frame.size);
  }
  rest_.assign(bytes.begin(), bytes.end());
}

}  // namespace palimpsest::bench
