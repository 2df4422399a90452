#pragma once

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "http/message.hpp"
#include "http/security.hpp"
#include "http/target.hpp"

namespace palimpsest::storage {
class Store;
}
namespace palimpsest::server {
class Directory;
}

namespace palimpsest::server::http {

// /api/documents: the documents there are, and names for new ones.
//
// Home:   any thread; what is read from disk is read on the executor for that, one at a time.
// Errors: Problem.
class Documents {
 public:
  Documents(Directory& directory, storage::Store& store,
            const boost::asio::any_io_executor& reading, Random random);
  ~Documents();

  // ?limit=100&offset=0: the last edited first, and who is in them now.
  boost::asio::awaitable<Response> list(Query query);
  // A name that nobody can guess. The document itself comes to be with its first edit.
  boost::asio::awaitable<Response> create();
  boost::asio::awaitable<Response> get(std::string name);

 private:
  class Shelf;

  Directory& directory_;
  std::shared_ptr<Shelf> shelf_;
  Random random_;
};

}  // namespace palimpsest::server::http
