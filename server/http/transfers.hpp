#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "http/message.hpp"
#include "http/security.hpp"
#include "http/target.hpp"

namespace palimpsest::storage {
class Store;
struct WholeDocument;
}  // namespace palimpsest::storage
namespace palimpsest::server {
class Directory;
class Journal;
}  // namespace palimpsest::server

namespace palimpsest::server::http {

// Whole documents with their history, out and in: …/export and /api/import.
//
// Home:   any thread; files are read and written on the executor for that, which replays what comes
//         in.
// Errors: Problem: 400 for a file that cannot be used, 409 where a name is taken.
class Transfers {
 public:
  struct Parts {
    Directory& directory;
    Journal& journal;
    storage::Store& store;
    boost::asio::any_io_executor reading;
    std::filesystem::path data;  // where files of a moment are kept
    Random random;
  };
  explicit Transfers(Parts parts);

  // A file as storage/export_file.hpp has it, of what is on disk.
  boost::asio::awaitable<Response> export_document(std::string name);
  // ?name=NAME&format=auto|palimpsest|text|markdown|yjs|hocuspocus&document=NAME&v2=1, the file as
  // the body. All documents in it are stored, or none.
  boost::asio::awaitable<Response> import_documents(Request request, Query query);

 private:
  boost::asio::awaitable<void> store(
      std::shared_ptr<std::vector<storage::WholeDocument>> documents);

  const Parts parts_;
};

}  // namespace palimpsest::server::http
