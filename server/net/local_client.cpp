#include "net/local_client.hpp"

#include <limits>
#include <string>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>

#include "net/local_socket.hpp"

namespace palimpsest::server::net {
namespace {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;
using Socket = asio::local::stream_protocol::socket;

bool connect(Socket& socket, const std::filesystem::path& path) {
  if (!std::filesystem::is_socket(path)) return false;
  const LocalAddress address(path);
  boost::system::error_code error;
  socket.connect(address.endpoint(), error);
  // Left behind by a server that was killed.
  if (error == asio::error::connection_refused) return false;
  if (error) throw boost::system::system_error(error, path.string());
  return true;
}

}  // namespace

std::optional<http::Response> ask_local_server(const std::filesystem::path& data,
                                               const http::Request& request) {
  asio::io_context io;
  Socket socket(io);
  if (!connect(socket, local_socket(data))) return std::nullopt;

  bhttp::request<bhttp::string_body> message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.target);
  message.set(bhttp::field::host, "localhost");
  message.set(bhttp::field::connection, "close");
  for (const auto& [name, value] : request.fields) message.set(name, value);
  message.body() = request.body;
  message.prepare_payload();
  bhttp::write(socket, message);

  boost::beast::flat_buffer buffer;
  bhttp::response_parser<bhttp::string_body> parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  bhttp::read(socket, buffer, parser);
  http::Response response;
  response.status = parser.get().result_int();
  for (const auto& field : parser.get())
    response.set(std::string(field.name_string()), std::string(field.value()));
  response.body = std::move(parser.get().body());
  return response;
}

}  // namespace palimpsest::server::net
