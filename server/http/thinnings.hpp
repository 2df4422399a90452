#pragma once

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <spdlog/fwd.h>

#include "http/message.hpp"

namespace palimpsest::server::http {

struct HistoryTools;

// Thinning a document's history to bursts by request (storage/retention.hpp), once, whatever rule
// it has. What was done is said in the log, as of what is done by a rule.
//
// Home:   any thread.
// Errors: Problem.
// Cost:   reads the whole history, several times.
class Thinnings {
 public:
  Thinnings(const HistoryTools& tools, std::shared_ptr<spdlog::logger> log);

  // POST {olderThanDays, dryRun?}. Answers {days, until, entries, emptied, bursts, bytesBefore,
  // bytesAfter, done}: what was thinned, or would be; until is null where there was nothing.
  boost::asio::awaitable<Response> thin(std::string document, Request request);

 private:
  const HistoryTools& tools_;
  const std::shared_ptr<spdlog::logger> log_;
};

}  // namespace palimpsest::server::http
