#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app.hpp"
#include "crdt/bytes.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {

// A whole server in this process, on a free port, with a new store.
class TestServer {
 public:
  explicit TestServer(server::net::Limits limits = {});
  // Stops it.
  ~TestServer();

  std::uint16_t port() const { return app_->port(); }
  server::App& app() { return *app_; }
  const std::filesystem::path& data() const { return directory_.path(); }

 private:
  TempDirectory directory_;
  std::optional<server::App> app_;
};

// A blocking socket that sends what it is told, right or wrong. Whatever takes longer than a few
// seconds throws.
class RawClient {
 public:
  // A small receive buffer is full soon when nobody reads. 0: what the system gives.
  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes);
  void finish_sending();
  // Exactly that many bytes; fewer when the server has closed.
  std::string read(std::size_t count);
  // Up to and with `end`; what there was when the server has closed.
  std::string read_until(std::string_view end);
  std::string read_to_end();
  // The server has closed, and there is nothing left to read.
  bool is_closed();

 private:
  bool fill();

  int socket_;
  std::string unread_;
};

struct RawResponse {
  unsigned status = 0;
  std::string head;
  std::string body;

  // "" where there is none.
  std::string field(std::string_view name) const;
};
RawResponse read_response(RawClient& client, bool has_body = true);
// On a connection of its own.
RawResponse ask(std::uint16_t port, std::string_view request);

// A WebSocket frame as it travels, and the means to make wrong ones.
struct RawFrame {
  unsigned opcode = 2;
  std::string payload = {};
  bool is_final = true;
  unsigned reserved = 0;  // RSV1 is 4, RSV2 2, RSV3 1
  bool is_masked = true;
  // For lengths that are not the payload's, and longer than they need to be.
  std::optional<std::uint64_t> claimed_length = std::nullopt;
  unsigned length_bytes = 0;  // 0: as few as will do; 2 or 8

  std::string encode() const;
  // Of a close frame; 1005 when it names none.
  unsigned close_code() const;
  std::string close_reason() const;
};

std::string handshake(std::string_view target, std::string_view more_fields = "");

// The socket after a handshake that must go well.
class RawWebSocket {
 public:
  explicit RawWebSocket(std::uint16_t port, std::string_view target = "/doc",
                        std::string_view more_fields = "", int receive_buffer_bytes = 0);

  RawClient& socket() { return client_; }
  void send(const RawFrame& frame) { client_.send(frame.encode()); }
  // nullopt when the server has closed the connection.
  std::optional<RawFrame> read();
  // The next frame with that opcode; others are passed over.
  std::optional<RawFrame> read(unsigned opcode);
  // Sends, and reads on to the close frame that follows: its code, or 0 when there was none.
  unsigned close_code_after(const std::string& bytes);

 private:
  RawClient client_;
};

// y-protocols: an update as a client sends it.
std::string update_message(const crdt::Bytes& update);

}  // namespace palimpsest::testing
