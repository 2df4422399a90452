#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "http/message.hpp"
#include "http/security.hpp"
#include "http/target.hpp"

namespace palimpsest::storage {
class Store;
class Writer;
}  // namespace palimpsest::storage
namespace palimpsest::server {
class Clock;
class Directory;
class Journal;
}  // namespace palimpsest::server

namespace palimpsest::server::http {

// /api/documents: the documents there are, and names for new ones; what people set of them.
//
// Home:   any thread; what is read from disk is read on the executor for that, one at a time, and
//         the journal writes.
// Errors: Problem.
class Documents {
 public:
  struct Parts {
    Directory& directory;
    storage::Store& store;
    Journal& journal;
    const Clock& clock;
    boost::asio::any_io_executor reading;
    Random random;
  };
  explicit Documents(Parts parts);
  ~Documents();

  // ?query=WORDS&tag=TAG&starred=1&bin=1&sort=edited|created|title|deleted&limit=100&cursor=: who
  // is in them now, and where the next page begins.
  boost::asio::awaitable<Response> list(Query query);
  // A name that nobody can guess. The document itself comes to be with its first edit.
  boost::asio::awaitable<Response> create();
  boost::asio::awaitable<Response> get(std::string name);
  // {"title": text or null, "tags": [text], "starred": boolean}, each if it is to change.
  boost::asio::awaitable<Response> edit(std::string name, Request request);
  // Into the bin, and out of it.
  boost::asio::awaitable<Response> remove(std::string name);
  boost::asio::awaitable<Response> undelete(std::string name);

 private:
  class Shelf;

  boost::asio::awaitable<Response> answer(std::string name);
  // Named wherever one is handed to a coroutine: g++ 12 destroys a temporary one twice.
  using Change = std::function<bool(storage::Writer&)>;
  boost::asio::awaitable<void> write_about(Change change);

  Parts parts_;
  std::shared_ptr<Shelf> shelf_;
};

}  // namespace palimpsest::server::http
