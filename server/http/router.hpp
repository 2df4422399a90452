#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <spdlog/fwd.h>

#include "http/documents.hpp"
#include "http/history.hpp"
#include "http/history_writes.hpp"
#include "http/message.hpp"
#include "http/origin.hpp"
#include "http/purges.hpp"
#include "http/search.hpp"
#include "http/static_files.hpp"
#include "http/target.hpp"
#include "http/thinnings.hpp"
#include "http/transfers.hpp"

namespace palimpsest::server::http {

// What a WebSocket handshake asks for.
struct SocketTarget {
  std::string document;
  Query query;
};

// Path → handler. The one place where a Problem becomes a response, and where a request from a
// foreign page is turned away.
//
// Home: any thread.
class Router {
 public:
  struct Parts {
    Documents& documents;
    HistoryPages& history;
    Search& search;
    HistoryWrites& history_writes;
    Purges& purges;
    Thinnings& thinnings;
    Transfers& transfers;
    const StaticFiles& files;
    OriginPolicy origins;
    // nullptr when edits are taken and stored, else why not.
    std::function<const char*()> not_ready;
    // Whether they take long to be stored.
    std::function<bool()> is_slow;
    std::shared_ptr<spdlog::logger> log;
  };
  explicit Router(Parts parts);

  // Never throws.
  boost::asio::awaitable<Response> handle(Request request) const;

  // Method and path of what the API has, "{name}" standing for a document's: for who holds its
  // description to it.
  static std::vector<std::pair<std::string_view, std::string_view>> routes();

  // `/DOC` and `/sync/DOC`. The handshake itself has been checked. Throws Problem.
  SocketTarget route_websocket(const Request& request) const;

 private:
  struct Call {
    Request request;
    std::string name;  // of the document, where the path has one
    Query query;
  };
  using Handler = boost::asio::awaitable<Response> (Router::*)(Call) const;
  struct Route {
    std::string_view method;
    std::string_view pattern;
    Handler handler;
  };
  static const Route kRoutes[];

  boost::asio::awaitable<Response> dispatch(Request request) const;
  void check_origin(const Request& request) const;
  void check_host(const Request& request) const;

  boost::asio::awaitable<Response> healthz(Call call) const;
  boost::asio::awaitable<Response> readyz(Call call) const;
  boost::asio::awaitable<Response> list_documents(Call call) const;
  boost::asio::awaitable<Response> create_document(Call call) const;
  boost::asio::awaitable<Response> get_document(Call call) const;
  boost::asio::awaitable<Response> edit_document(Call call) const;
  boost::asio::awaitable<Response> remove_document(Call call) const;
  boost::asio::awaitable<Response> undelete_document(Call call) const;
  boost::asio::awaitable<Response> search(Call call) const;
  // One of HistoryPages.
  template <auto kPage>
  boost::asio::awaitable<Response> history(Call call) const;
  boost::asio::awaitable<Response> export_document(Call call) const;
  boost::asio::awaitable<Response> import_documents(Call call) const;
  // One of HistoryWrites.
  template <auto kWrite>
  boost::asio::awaitable<Response> history_write(Call call) const;
  boost::asio::awaitable<Response> purge(Call call) const;
  boost::asio::awaitable<Response> purges(Call call) const;
  boost::asio::awaitable<Response> thin(Call call) const;
  boost::asio::awaitable<Response> versions(Call call) const;
  boost::asio::awaitable<Response> page(Call call) const;
  boost::asio::awaitable<Response> socket_only(Call call) const;

  Parts parts_;
};

}  // namespace palimpsest::server::http
