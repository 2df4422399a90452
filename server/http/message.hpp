#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/guard.hpp"

namespace palimpsest::server {
class TemporaryFile;
}

namespace palimpsest::server::http {

// One request, whole: its head has passed the guard and its body is here.
struct Request {
  std::string method;
  std::string target;  // as it came: path and query
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::shared_ptr<const TemporaryFile> upload;  // in place of a body, where that may be large
  // By the socket in the data directory, and so by who owns the data.
  bool is_local = false;

  // The field's value, or null. Names are compared without case; of several the first.
  const std::string* find(std::string_view name) const {
    for (const auto& [field, value] : fields)
      if (equals_ignoring_case(field, name)) return &value;
    return nullptr;
  }
};

// One response. The body is its own, or bytes that outlive everybody (the embedded client), or a
// file.
struct Response {
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::span<const unsigned char> static_body;
  std::shared_ptr<const TemporaryFile> file;
  // Nothing more can be read from this connection.
  bool close = false;

  void set(std::string name, std::string value) {
    fields.emplace_back(std::move(name), std::move(value));
  }
};

// The words that go with a status in the status line and in a problem's title.
std::string_view reason_phrase(unsigned status);

}  // namespace palimpsest::server::http
