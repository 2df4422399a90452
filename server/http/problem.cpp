#include "http/problem.hpp"

#include <nlohmann/json.hpp>

namespace palimpsest::server::http {

Response Problem::response() const {
  const nlohmann::ordered_json body = {{"type", "about:blank"},
                                       {"title", reason_phrase(status_)},
                                       {"status", status_},
                                       {"detail", what()}};
  Response response;
  response.status = status_;
  response.fields = fields_;
  response.set("Content-Type", "application/problem+json");
  response.set("Cache-Control", "no-store");
  response.body = body.dump() + "\n";
  return response;
}

Problem nothing_is_saved_now() {
  return {503, "nothing is saved now: the disk is full or does not answer"};
}

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 426:
      return "Upgrade Required";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace palimpsest::server::http
