#pragma once

#include <cstddef>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "crdt/delete_set.hpp"
#include "http/message.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::http {

struct HistoryTools;

// Taking a passage out of a document's history for good: deleted for all by an edit, then taken out
// of the log and of the checkpoint, then the database written anew, so that it is in no byte of it,
// of its write-ahead log or of a backup made afterwards. That it was done, when and by whom, stays.
//
// Home:   any thread.
// Errors: Problem.
// Cost:   reads the whole history, several times; and writes the store anew, for which it needs as
//         much room once more and during which edits wait.
class Purges {
 public:
  explicit Purges(const HistoryTools& tools) : tools_(tools) {}

  // POST {text} or {range: {index, length}, at?, root? | type?}, and {by?, reason?}. `text` goes
  // wherever it ever stood in a text, and with it every other value that contains it. Answers {seq,
  // units, entries, complete}; seq is null where nothing of it was still to be seen, units is 0
  // where there was nothing at all.
  boost::asio::awaitable<Response> purge(std::string document, Request request);
  // GET: [{at, by, reason, units}], the latest first.
  boost::asio::awaitable<Response> list(std::string document);

 private:
  boost::asio::awaitable<std::size_t> rewrite(std::string document, crdt::DeleteSet gone,
                                              storage::Purge note);
  boost::asio::awaitable<bool> scrub();

  const HistoryTools& tools_;
};

}  // namespace palimpsest::server::http
