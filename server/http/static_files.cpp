#include "http/static_files.hpp"

#include <algorithm>

#include "http/problem.hpp"

namespace palimpsest::server::http {
namespace {

// Where the page wants the nonce under which its editor adds styles.
constexpr std::string_view kNoncePlaceholder = "__CSP_NONCE__";
constexpr std::string_view kPage = "index.html";

// If-None-Match := "*" | etag ("," etag)*; a weak mark makes no difference (RFC 9110 §13.1.2).
bool has_etag(const std::string* if_none_match, std::string_view etag) {
  if (!if_none_match) return false;
  return trim_whitespace(*if_none_match) == "*" || if_none_match->find(etag) != std::string::npos;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

}  // namespace

StaticFiles::StaticFiles(std::span<const Asset> assets, Random random)
    : assets_(assets), random_(std::move(random)) {}

const Asset* StaticFiles::asset(std::string_view path) const {
  const auto found = std::find_if(assets_.begin(), assets_.end(),
                                  [&](const Asset& asset) { return asset.path == path; });
  return found == assets_.end() ? nullptr : &*found;
}

std::optional<Response> StaticFiles::find(std::string_view path, const Request& request) const {
  const Asset* file = asset(path);
  if (!file) return std::nullopt;
  if (path == kPage) return page(request);

  Response response;
  response.set("ETag", std::string(file->etag));
  response.set("Cache-Control",
               file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (has_etag(request.find("if-none-match"), file->etag)) {
    response.status = 304;
    return response;
  }
  response.set("Content-Type", std::string(file->media_type));
  response.static_body = file->bytes;
  return response;
}

Response StaticFiles::page(const Request& request) const {
  const Asset* file = asset(kPage);
  if (!file) throw Problem(404, "this program was built without the web client");

  const std::string nonce = random_token(random_);
  const std::string* host = request.find("host");
  Response response;
  response.set("Content-Type", std::string(file->media_type));
  // Never from a cache: each response has a nonce of its own.
  response.set("Cache-Control", "no-store");
  response.set("Content-Security-Policy", page_policy(nonce, host ? *host : std::string()));
  response.body.assign(file->bytes.begin(), file->bytes.end());
  replace_all(response.body, kNoncePlaceholder, nonce);
  return response;
}

}  // namespace palimpsest::server::http
