#include "http/router.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#include <spdlog/logger.h>

#include "http/problem.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;

// A GET route serves HEAD too: the connection leaves the body out.
bool serves(std::string_view route_method, std::string_view method) {
  return route_method == method || (route_method == "GET" && method == "HEAD");
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD"; }

// Whether the path has the pattern's form; "{name}" stands for one segment that is not empty. The
// segment's text is left in `name`, still encoded.
bool matches(std::string_view pattern, std::string_view path, std::string_view& name) {
  constexpr std::string_view kName = "{name}";
  const std::size_t place = pattern.find(kName);
  if (place == pattern.npos) return pattern == path;
  const std::string_view prefix = pattern.substr(0, place);
  const std::string_view suffix = pattern.substr(place + kName.size());
  if (path.size() <= prefix.size() + suffix.size() || !path.starts_with(prefix) ||
      !path.ends_with(suffix))
    return false;
  name = path.substr(prefix.size(), path.size() - prefix.size() - suffix.size());
  return name.find('/') == std::string_view::npos;
}

// The document that an encoded piece of a path names. Throws Problem.
std::string document_name(std::string_view encoded) {
  auto name = percent_decode(encoded);
  if (!name) throw Problem(400, "the path is not percent-encoded UTF-8");
  if (!is_document_name(*name))
    throw Problem(404, "a document's name has 1 to 255 bytes and no control characters");
  return std::move(*name);
}

Query query_of(std::string_view encoded) {
  auto query = parse_query(encoded);
  if (!query) throw Problem(400, "the query is not percent-encoded UTF-8");
  return std::move(*query);
}

Problem method_not_allowed(std::string allow) {
  Problem problem(405, "this is not answered to that method");
  problem.with("Allow", std::move(allow));
  return problem;
}

Response text_response(unsigned status, std::string body) {
  Response response;
  response.status = status;
  response.set("Content-Type", "text/plain; charset=utf-8");
  response.set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

}  // namespace

template <auto kPage>
asio::awaitable<Response> Router::history(Call call) const {
  return (parts_.history.*kPage)(std::move(call.name), std::move(call.query));
}

template <auto kWrite>
asio::awaitable<Response> Router::history_write(Call call) const {
  return (parts_.history_writes.*kWrite)(std::move(call.name), std::move(call.request));
}

const Router::Route Router::kRoutes[] = {
    {"GET", "/healthz", &Router::healthz},
    {"GET", "/readyz", &Router::readyz},
    {"GET", "/api/documents", &Router::list_documents},
    {"POST", "/api/documents", &Router::create_document},
    {"GET", "/api/documents/{name}", &Router::get_document},
    {"PATCH", "/api/documents/{name}", &Router::edit_document},
    {"DELETE", "/api/documents/{name}", &Router::remove_document},
    {"POST", "/api/documents/{name}/undelete", &Router::undelete_document},
    {"GET", "/api/search", &Router::search},
    {"GET", "/api/documents/{name}/history", &Router::history<&HistoryPages::timeline>},
    {"GET", "/api/documents/{name}/history/activity", &Router::history<&HistoryPages::activity>},
    {"GET", "/api/documents/{name}/history/weave", &Router::history<&HistoryPages::weave>},
    {"GET", "/api/documents/{name}/diff", &Router::history<&HistoryPages::diff>},
    {"GET", "/api/documents/{name}/blame", &Router::history<&HistoryPages::blame>},
    {"GET", "/api/documents/{name}/history/search", &Router::history<&HistoryPages::search>},
    {"GET", "/api/documents/{name}/content", &Router::history<&HistoryPages::content>},
    {"GET", "/api/documents/{name}/export", &Router::export_document},
    {"POST", "/api/import", &Router::import_documents},
    {"GET", "/api/documents/{name}/versions", &Router::versions},
    {"POST", "/api/documents/{name}/versions",
     &Router::history_write<&HistoryWrites::name_version>},
    {"POST", "/api/documents/{name}/restore", &Router::history_write<&HistoryWrites::restore>},
    {"POST", "/api/documents/{name}/fork", &Router::history_write<&HistoryWrites::fork>},
    {"GET", "/api/documents/{name}/purge", &Router::purges},
    {"POST", "/api/documents/{name}/purge", &Router::purge},
    {"POST", "/api/documents/{name}/thin", &Router::thin},
    {"GET", "/", &Router::page},
    {"GET", "/d/{name}", &Router::page},
    {"GET", "/sync/{name}", &Router::socket_only},
};

std::vector<std::pair<std::string_view, std::string_view>> Router::routes() {
  std::vector<std::pair<std::string_view, std::string_view>> routes;
  for (const Route& route : kRoutes) routes.emplace_back(route.method, route.pattern);
  return routes;
}

Router::Router(Parts parts) : parts_(std::move(parts)) {}

asio::awaitable<Response> Router::handle(Request request) const {
  try {
    co_return co_await dispatch(std::move(request));
  } catch (const Problem& problem) {
    co_return problem.response();
  } catch (const std::exception& error) {
    parts_.log->error("a request failed: {}", error.what());
  }
  co_return Problem(500, "the server could not do that; its log says why").response();
}

asio::awaitable<Response> Router::dispatch(Request request) const {
  const Target target = split_target(request.target);
  const bool is_api = target.path.starts_with("/api/");
  if (!request.is_local) {
    if (is_api || !is_safe(request.method)) check_host(request);
    if (!is_safe(request.method)) check_origin(request);
  }

  std::string allow;
  for (const Route& route : kRoutes) {
    std::string_view name;
    if (!matches(route.pattern, target.path, name)) continue;
    if (serves(route.method, request.method)) {
      Call call{.request = {}, .name = {}, .query = query_of(target.query)};
      if (!name.empty()) call.name = document_name(name);
      call.request = std::move(request);  // `target` and `name` point into it: not used below
      co_return co_await (this->*route.handler)(std::move(call));
    }
    allow += (allow.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == "GET") allow += ", HEAD";
  }
  if (!allow.empty()) throw method_not_allowed(std::move(allow));

  const std::string path(target.path);
  const auto file = parts_.files.find(path.empty() ? path : path.substr(1), request);
  if (!is_safe(request.method) && (file || !is_api)) throw method_not_allowed("GET, HEAD");
  if (!file) throw Problem(404, "there is nothing here");
  co_return *file;
}

void Router::check_origin(const Request& request) const {
  const std::string* host = request.find("host");
  if (!is_origin_allowed(request.find("origin"), host ? *host : std::string(), parts_.origins))
    throw Problem(403, "pages of this origin may not use this server; see --allow-origin");
}

void Router::check_host(const Request& request) const {
  const std::string* host = request.find("host");
  if (host && !is_host_expected(*host, parts_.origins))
    throw Problem(421, "this server does not go by that name; see --allow-origin");
}

SocketTarget Router::route_websocket(const Request& request) const {
  check_host(request);
  check_origin(request);
  const Target target = split_target(request.target);
  constexpr std::string_view kSync = "/sync/";
  const bool has_prefix = target.path.starts_with(kSync);
  return {document_name(target.path.substr(has_prefix ? kSync.size() : 1)), query_of(target.query)};
}

asio::awaitable<Response> Router::healthz(Call) const { co_return text_response(200, "ok\n"); }

asio::awaitable<Response> Router::readyz(Call) const {
  if (const char* reason = parts_.not_ready()) throw Problem(503, reason);
  co_return text_response(200, parts_.is_slow() ? "ready, but with slow storage\n" : "ready\n");
}

asio::awaitable<Response> Router::list_documents(Call call) const {
  co_return co_await parts_.documents.list(std::move(call.query));
}

asio::awaitable<Response> Router::create_document(Call) const { return parts_.documents.create(); }

asio::awaitable<Response> Router::get_document(Call call) const {
  co_return co_await parts_.documents.get(std::move(call.name));
}

asio::awaitable<Response> Router::edit_document(Call call) const {
  co_return co_await parts_.documents.edit(std::move(call.name), std::move(call.request));
}

asio::awaitable<Response> Router::remove_document(Call call) const {
  co_return co_await parts_.documents.remove(std::move(call.name));
}

asio::awaitable<Response> Router::undelete_document(Call call) const {
  co_return co_await parts_.documents.undelete(std::move(call.name));
}

asio::awaitable<Response> Router::search(Call call) const {
  co_return co_await parts_.search.search(std::move(call.query));
}

asio::awaitable<Response> Router::export_document(Call call) const {
  co_return co_await parts_.transfers.export_document(std::move(call.name));
}

asio::awaitable<Response> Router::import_documents(Call call) const {
  co_return co_await parts_.transfers.import_documents(std::move(call.request),
                                                       std::move(call.query));
}

asio::awaitable<Response> Router::versions(Call call) const {
  return parts_.history_writes.versions(std::move(call.name));
}

asio::awaitable<Response> Router::purge(Call call) const {
  return parts_.purges.purge(std::move(call.name), std::move(call.request));
}

asio::awaitable<Response> Router::purges(Call call) const {
  return parts_.purges.list(std::move(call.name));
}

asio::awaitable<Response> Router::thin(Call call) const {
  return parts_.thinnings.thin(std::move(call.name), std::move(call.request));
}

asio::awaitable<Response> Router::page(Call call) const {
  co_return parts_.files.page(call.request);
}

asio::awaitable<Response> Router::socket_only(Call) const {
  throw Problem(426, "this is where a WebSocket connects").with("Upgrade", "websocket");
  co_return Response();
}

}  // namespace palimpsest::server::http
