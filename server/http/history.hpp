#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "http/message.hpp"
#include "http/target.hpp"

namespace palimpsest::storage {
class History;
}

namespace palimpsest::server::http {

class Histories;

// What a document's past says, from what is on disk: of a live document all that is committed.
//
// WHEN, in `at`, `from` and `to`: the number of a change, an RFC 3339 time, or v:NAME. Which text
// is asked about: `root=NAME` or, of one inside other types, `type=CLIENT:CLOCK`; else the main
// one.
//
// Home:   any thread.
// Errors: Problem.
class HistoryPages {
 public:
  explicit HistoryPages(Histories& histories);

  // ?group=burst|sitting&before=SEQ&limit=100: the last first. "thinned" says up to where the
  // history was thinned to bursts, when and by which rule; null where it was not.
  boost::asio::awaitable<Response> timeline(std::string document, Query query);
  // ?bucket=3600: by author and so many seconds.
  boost::asio::awaitable<Response> activity(std::string document, Query query);
  // Runs in JSON come in pages: &offset=0&limit=100000.

  // ?format=binary|json
  boost::asio::awaitable<Response> weave(std::string document, Query query);
  // ?from=WHEN&to=WHEN&format=json|text
  boost::asio::awaitable<Response> diff(std::string document, Query query);
  // ?at=WHEN
  boost::asio::awaitable<Response> blame(std::string document, Query query);
  // ?q=PHRASE&limit=100
  boost::asio::awaitable<Response> search(std::string document, Query query);
  // ?format=text|json|update&at=WHEN; JSON is of all roots where none is named. Which moment it is
  // of is in the field Palimpsest-Seq.
  boost::asio::awaitable<Response> content(std::string document, Query query);

 private:
  using Page = Response (*)(storage::History&, const Query&);

  boost::asio::awaitable<Response> ask(std::string document, Query query, Page page);

  Histories& histories_;
};

}  // namespace palimpsest::server::http
