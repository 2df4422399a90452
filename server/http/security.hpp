#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace palimpsest::server::http {

// Fills the bytes with what nobody can guess. Any thread.
using Random = std::function<void(std::span<unsigned char>)>;

// 128 random bits as 26 letters and digits (base32 without what is easily confused): the name of a
// new document, a nonce.
std::string random_token(const Random& random);

// What a page of the web client may do. `host` is the Host field: Safari's 'self' has no WebSocket.
std::string page_policy(std::string_view nonce, std::string_view host);

// Adds what every response carries, and the strictest policy where none is given.
void add_security_fields(Response& response);

}  // namespace palimpsest::server::http
