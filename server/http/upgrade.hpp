#pragma once

#include "http/message.hpp"

namespace palimpsest::server::http {

// Whether the request wants to become a WebSocket, well-formed or not.
bool asks_for_websocket(const Request& request);

// Holds a handshake to RFC 6455 §4.2.1, each field exactly once. Throws Problem: 400, and 426 for
// a version other than 13. `head` is what the guard said of the request.
void check_websocket_handshake(const Request& request, bool is_http_1_1, const HeadScan& head);

}  // namespace palimpsest::server::http
