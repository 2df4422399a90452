#pragma once

#include <filesystem>

#include <boost/asio/local/stream_protocol.hpp>

namespace palimpsest::server::net {

// DIR/palimpsest.sock, on which a running server answers who owns its data.
std::filesystem::path local_socket(const std::filesystem::path& data);

// The address of a socket, whose path may be longer than the system's 108 bytes: then it is named
// by a descriptor of its directory, which is open while this lives.
class LocalAddress {
 public:
  // Throws boost::system::system_error where the directory cannot be opened.
  explicit LocalAddress(const std::filesystem::path& socket);
  ~LocalAddress();
  LocalAddress(const LocalAddress&) = delete;
  LocalAddress& operator=(const LocalAddress&) = delete;

  const boost::asio::local::stream_protocol::endpoint& endpoint() const { return endpoint_; }

 private:
  int directory_ = -1;
  boost::asio::local::stream_protocol::endpoint endpoint_;
};

}  // namespace palimpsest::server::net
