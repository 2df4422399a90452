#include "raw_client.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crdt/writer.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

constexpr int kPatienceMs = 15'000;

server::Config test_config(const std::filesystem::path& data) {
  server::Config config;
  config.listen.port = 0;
  config.data = data;
  config.threads = 2;
  config.log_level = server::LogLevel::kError;
  return config;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string big_endian(std::uint64_t number, unsigned bytes) {
  std::string result;
  for (unsigned i = bytes; i-- > 0;) result += static_cast<char>(number >> (8 * i));
  return result;
}

std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = (number << 8) | static_cast<unsigned char>(c);
  return number;
}

}  // namespace

TestServer::TestServer(server::net::Limits limits) {
  app_.emplace(test_config(directory_.path()), limits);
  app_->start();
}

TestServer::~TestServer() {
  app_->stop();
  app_->wait();
}

RawClient::RawClient(std::uint16_t port, int receive_buffer_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  if (receive_buffer_bytes > 0)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
}

RawClient::~RawClient() { ::close(socket_); }

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;  // the server does not want the rest, which is for it to say
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void RawClient::finish_sending() { ::shutdown(socket_, SHUT_WR); }

// False when the server has closed.
bool RawClient::fill() {
  pollfd waiting{socket_, POLLIN, 0};
  if (::poll(&waiting, 1, kPatienceMs) <= 0) throw std::runtime_error("the server says nothing");
  char bytes[65536];
  const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  unread_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

std::string RawClient::read(std::size_t count) {
  while (unread_.size() < count && fill()) {
  }
  const std::string result = unread_.substr(0, count);
  unread_.erase(0, result.size());
  return result;
}

std::string RawClient::read_until(std::string_view end) {
  std::size_t at;
  while ((at = unread_.find(end)) == std::string::npos && fill()) {
  }
  return read(at == std::string::npos ? unread_.size() : at + end.size());
}

std::string RawClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(unread_, {});
}

bool RawClient::is_closed() { return unread_.empty() && !fill(); }

std::string RawResponse::field(std::string_view name) const {
  const std::size_t at = lower(head).find("\r\n" + lower(name) + ": ");
  if (at == std::string::npos) return "";
  const std::size_t start = at + name.size() + 4;
  return head.substr(start, head.find("\r\n", start) - start);
}

RawResponse read_response(RawClient& client, bool has_body) {
  RawResponse response;
  response.head = client.read_until("\r\n\r\n");
  if (response.head.size() < 12) return response;
  response.status = static_cast<unsigned>(std::stoul(response.head.substr(9, 3)));
  const std::string length = response.field("content-length");
  if (has_body && !length.empty()) response.body = client.read(std::stoul(length));
  return response;
}

RawResponse ask(std::uint16_t port, std::string_view request) {
  RawClient client(port);
  client.send(request);
  return read_response(client);
}

std::string RawFrame::encode() const {
  const std::uint64_t length = claimed_length.value_or(payload.size());
  unsigned bytes = length_bytes;
  if (bytes == 0 && length > 125) bytes = length > 65535 ? 8 : 2;
  const unsigned length7 = bytes == 0 ? static_cast<unsigned>(length) : bytes == 2 ? 126 : 127;

  std::string frame;
  frame += static_cast<char>((is_final ? 0x80u : 0u) | (reserved << 4) | opcode);
  frame += static_cast<char>((is_masked ? 0x80u : 0u) | length7);
  frame += big_endian(length, bytes);
  const std::string mask = is_masked ? "\x11\x22\x33\x44" : "";
  frame += mask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += is_masked ? static_cast<char>(payload[i] ^ mask[i % 4]) : payload[i];
  return frame;
}

unsigned RawFrame::close_code() const {
  return payload.size() < 2 ? 1005 : static_cast<unsigned>(from_big_endian(payload.substr(0, 2)));
}

std::string RawFrame::close_reason() const { return payload.size() < 2 ? "" : payload.substr(2); }

std::string handshake(std::string_view target, std::string_view more_fields) {
  return "GET " + std::string(target) +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         std::string(more_fields) + "\r\n";
}

RawWebSocket::RawWebSocket(std::uint16_t port, std::string_view target,
                           std::string_view more_fields, int receive_buffer_bytes)
    : client_(port, receive_buffer_bytes) {
  client_.send(handshake(target, more_fields));
  const RawResponse response = read_response(client_);
  INFO(response.head);
  REQUIRE(response.status == 101);
  // RFC 6455 §1.3 gives this answer for this key.
  REQUIRE(response.field("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

std::optional<RawFrame> RawWebSocket::read() {
  const std::string start = client_.read(2);
  if (start.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(start[0]);
  const auto second = static_cast<unsigned char>(start[1]);
  RawFrame frame;
  frame.is_final = (first & 0x80) != 0;
  frame.reserved = (first >> 4) & 7;
  frame.opcode = first & 15;
  frame.is_masked = (second & 0x80) != 0;
  std::uint64_t length = second & 127;
  if (length == 126) length = from_big_endian(client_.read(2));
  if (length == 127) length = from_big_endian(client_.read(8));
  frame.payload = client_.read(length);
  return frame;
}

std::optional<RawFrame> RawWebSocket::read(unsigned opcode) {
  std::optional<RawFrame> frame;
  do frame = read();
  while (frame && frame->opcode != opcode);
  return frame;
}

unsigned RawWebSocket::close_code_after(const std::string& bytes) {
  client_.send(bytes);
  constexpr unsigned kClose = 8;
  const auto frame = read(kClose);
  return frame ? frame->close_code() : 0;
}

std::string update_message(const crdt::Bytes& update) {
  crdt::Writer writer;
  writer.write_var_uint(0);
  writer.write_var_uint(2);
  writer.write_var_bytes(update);
  const crdt::ByteView bytes = writer.view();
  return {bytes.begin(), bytes.end()};
}

}  // namespace palimpsest::testing
