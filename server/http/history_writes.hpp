#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "http/message.hpp"

namespace palimpsest::server::http {

struct HistoryTools;

// What is done with a document's past: naming moments, bringing back, forking.
//
// What is brought back is an edit like any other: made in a replica that still has everything, it
// merges with what people are typing, and is in the history itself. Its author is a client of its
// own with the name that the request says ("by").
//
// WHEN, in a body: a number, or text as in a query.
//
// Home:   any thread.
// Errors: Problem.
class HistoryWrites {
 public:
  explicit HistoryWrites(const HistoryTools& tools) : tools_(tools) {}

  // GET: [{name, seq, at, namedAt, by}], the earliest moment first.
  boost::asio::awaitable<Response> versions(std::string document);
  // POST {name, at?, by?}: 201; 409 where the name is taken.
  boost::asio::awaitable<Response> name_version(std::string document, Request request);
  // POST {at, root? | type?, range?: {index, length}, by?}: what the document, one type or a range
  // of a text (in UTF-16 units of that moment) showed then. POST {from, to?, author?, by?}: takes
  // back what was done behind `from` up to `to`, by all or by one: a client id, or a name.
  // Answers {seq, client, deleted, restored, lost}; seq is null where nothing was to be done.
  boost::asio::awaitable<Response> restore(std::string document, Request request);
  // POST {at?, name?}: a new document with what this one showed then. 201; 409 where the name is
  // taken.
  boost::asio::awaitable<Response> fork(std::string document, Request request);

 private:
  const HistoryTools& tools_;
};

}  // namespace palimpsest::server::http
