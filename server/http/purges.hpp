#pragma once

#include <cstddef>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json_fwd.hpp>

#include "crdt/delete_set.hpp"
#include "http/message.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::http {

struct HistoryTools;

// Taking something out of a history for good.
//
// A passage: deleted for all by an edit, then taken out of the log and of the checkpoint. A
// document as a whole, which has to be in the bin: with everything that is known of it. Then the
// database is written anew, so that it is in no byte of it, of its write-ahead log or of a backup
// made afterwards. That it was done, when and by whom, stays.
//
// Home:   any thread.
// Errors: Problem.
// Cost:   of a passage, reads the whole history, several times; and writes the store anew, for
// which
//         it needs as much room once more and during which edits wait.
class Purges {
 public:
  explicit Purges(const HistoryTools& tools) : tools_(tools) {}

  // POST {text} or {range: {index, length}, at?, root? | type?}, and {by?, reason?}. `text` goes
  // wherever it ever stood in a text, and with it every other value that contains it. Answers {seq,
  // units, entries, complete}; seq is null where nothing of it was still to be seen, units is 0
  // where there was nothing at all.
  //
  // POST {document: true, by?, reason?}: all of it. 409 unless it is in the bin. Answers {document:
  // true, entries}. The next document of that name is of the next generation.
  boost::asio::awaitable<Response> purge(std::string document, Request request);
  // GET: [{at, by, reason, units}], the latest first, with {document: true, entries} for a document
  // as a whole; also of one that is gone.
  boost::asio::awaitable<Response> list(std::string document);

 private:
  boost::asio::awaitable<Response> purge_passage(std::string document,
                                                 const nlohmann::ordered_json& body,
                                                 storage::Purge note);
  boost::asio::awaitable<Response> purge_document(std::string document, storage::Purge note);
  boost::asio::awaitable<void> remove(std::string document, storage::Purge& note);
  boost::asio::awaitable<std::size_t> rewrite(std::string document, crdt::DeleteSet gone,
                                              storage::Purge note);
  boost::asio::awaitable<void> scrub(const char* what);

  const HistoryTools& tools_;
};

}  // namespace palimpsest::server::http
