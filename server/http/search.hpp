#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "http/message.hpp"
#include "http/target.hpp"

namespace palimpsest::storage {
class Store;
}
namespace palimpsest::server {
class Directory;
}

namespace palimpsest::server::http {

// /api/search: over all documents that are not in the bin.
//
// Home:   any thread; read and computed on the executor for that, one search at a time.
// Errors: Problem.
class Search {
 public:
  Search(Directory& directory, storage::Store& store, const boost::asio::any_io_executor& reading);
  ~Search();

  // ?q=TEXT&in=now: documents that say it, with pieces of what they say.
  // ?q=TEXT&in=past&from=TIME&until=TIME&who=NAME: documents that ever said it, and when it stood
  // there, who wrote and who removed it. The index knows which words there were; each document's
  // history says where. So a page may have fewer documents than it may, or none, and the next more.
  // Both: &limit=&cursor=.
  boost::asio::awaitable<Response> search(Query query);

 private:
  class Shelf;

  std::shared_ptr<Shelf> shelf_;
};

}  // namespace palimpsest::server::http
