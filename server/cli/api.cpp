#include "cli/api.hpp"

#include <algorithm>
#include <utility>

#include <boost/system/system_error.hpp>
#include <nlohmann/json.hpp>

#include "app.hpp"
#include "cli/files.hpp"
#include "http/target.hpp"
#include "net/local_client.hpp"
#include "net/local_socket.hpp"

namespace palimpsest::server::cli {
namespace {

using Json = nlohmann::ordered_json;

http::Response ask_own_server(Config config, http::Request request) {
  config.log_level = std::max(config.log_level, LogLevel::kWarning);
  App app(config, {}, App::Doors::kNone);
  app.start();
  http::Response response = app.ask(std::move(request));
  app.stop();
  const int status = app.wait();
  if (status != 0) throw ConfigError("the store in " + config.data.string() + " has failed");
  return response;
}

// What a problem says (RFC 9457), or the body as it is.
std::string detail_of(const http::Response& response) {
  const Json problem = Json::parse(response.body, nullptr, false);
  if (problem.is_object() && problem.contains("detail") && problem["detail"].is_string())
    return problem["detail"].get<std::string>();
  return "status " + std::to_string(response.status);
}

}  // namespace

http::Response call_api(const Config& config, http::Request request) {
  try {
    if (auto response = net::ask_local_server(config.data, request)) return std::move(*response);
  } catch (const boost::system::system_error& error) {
    throw ConfigError(net::local_socket(config.data).string() +
                      ": the server does not answer: " + error.code().message());
  }
  return ask_own_server(config, std::move(request));
}

Json call_api(const Config& config, std::string method, std::string target, const Json& body) {
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (!body.is_null()) {
    request.fields.emplace_back("Content-Type", "application/json");
    request.body = body.dump();
  }
  const http::Response response = call_api(config, std::move(request));
  if (response.status >= 500) throw ConfigError(detail_of(response));
  if (response.status >= 400) throw InputError(detail_of(response));
  return Json::parse(response.body.empty() ? "null" : response.body);
}

std::string document_target(const std::string& name, const std::string& rest) {
  return "/api/documents/" + http::percent_encode(name) + rest;
}

}  // namespace palimpsest::server::cli
