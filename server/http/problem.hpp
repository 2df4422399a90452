#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "http/message.hpp"

namespace palimpsest::server::http {

// A refused request, thrown by whoever refuses and answered in one place as
// application/problem+json (RFC 9457). The detail is ours: input is never echoed.
class Problem : public std::runtime_error {
 public:
  Problem(unsigned status, const std::string& detail)
      : std::runtime_error(detail), status_(status) {}

  unsigned status() const noexcept { return status_; }
  // Fields that the status asks for: Allow with 405, Sec-WebSocket-Version with 426.
  Problem& with(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  Response response() const;

 private:
  unsigned status_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

// For who wants something written while the disk is full or does not answer. Nobody is kept waiting
// until it does: who asked can ask again.
Problem nothing_is_saved_now();

}  // namespace palimpsest::server::http
