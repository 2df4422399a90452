#pragma once

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include "dialect/y_websocket.hpp"
#include "net/limits.hpp"
#include "net/wire.hpp"

namespace palimpsest::server::net {

// One WebSocket: bytes between its socket and a dialect.
//
// A reader and a writer run on the room's strand, so that a message reaches the document without
// a hop. The reader takes the next message only when the dialect wants it: TCP holds back a peer
// that is too fast. The writer sends all frames that are queued in one system call.
//
// Home:     the room's strand, constructor and destructor excepted.
// Lifetime: shared by its coroutine and whoever may have to close it.
class WebSocket {
 public:
  struct Parts {
    Socket socket;      // its executor is the room's strand
    std::string early;  // what came in the same segment as the handshake, after it
    boost::beast::http::request<boost::beast::http::empty_body> handshake;
    Lease room;
    YWebsocket::Options options;
    Limits limits;
  };

  static std::shared_ptr<WebSocket> make(Parts parts);
  virtual ~WebSocket() = default;

  // Answers the handshake and serves until either side ends it. The document is left then.
  static boost::asio::awaitable<void, Strand> serve(std::shared_ptr<WebSocket> self);
  // Ends it without a word.
  virtual void abort() = 0;

 protected:
  virtual boost::asio::awaitable<void, Strand> run() = 0;
};

}  // namespace palimpsest::server::net
