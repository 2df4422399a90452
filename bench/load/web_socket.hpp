#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "typing.hpp"

namespace palimpsest::bench {

// The client's end of a WebSocket (RFC 6455), as thin as it can be: a load generator has to cost
// less than what it measures, so it masks with zeros, gathers what it sends in a turn into one
// write, and hands out payloads where they were read.
//
// Lifetime: closes its socket.
// Errors:   std::runtime_error, for whatever goes wrong, and when the server ends the connection.
class WebSocket {
 public:
  // Connects to 127.0.0.1 and waits for the upgrade; the socket does not block afterwards.
  WebSocket(std::uint16_t port, const std::string& path);
  ~WebSocket();
  WebSocket(WebSocket&& other) noexcept;
  WebSocket& operator=(WebSocket&&) = delete;

  int descriptor() const { return socket_; }

  // Adds a binary message to what flush() sends.
  void send(ByteView payload);
  bool has_output() const { return !output_.empty(); }
  // Answers whether all is sent; otherwise to be called again once the socket takes more.
  bool flush();

  // Reads what has arrived, once, and calls `take` with each message in it. A ping is answered:
  // there is something to flush then.
  void receive(const std::function<void(ByteView)>& take);

 private:
  struct Frame {
    bool is_last = true;
    int opcode = 0;
    ByteView payload;
    std::size_t size = 0;  // with its header
  };
  static bool parse(ByteView bytes, Frame& frame);
  void take_frame(const Frame& frame, const std::function<void(ByteView)>& take);
  void send_frame(int opcode, ByteView payload);
  void upgrade(const std::string& path);

  int socket_;
  Bytes output_;
  Bytes rest_;       // of what was read, the beginning of a frame
  Bytes fragments_;  // of a message that came in several frames
};

}  // namespace palimpsest::bench
