#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace palimpsest::server::http {

// Which pages of other sites may talk to this server (reliability rules U8, U12, S6). A browser
// names the page's origin; tools name none, and there is no cookie that could speak for a user.
struct OriginPolicy {
  std::vector<std::string> allowed;  // "https://wiki.example.org"
  // Listening on loopback only, so a page from this machine may connect: how editors are developed.
  bool allow_loopback = false;
};

// `origin` is the Origin field or null; `host` the Host field, what the page would be served from.
bool is_origin_allowed(const std::string* origin, std::string_view host,
                       const OriginPolicy& policy);

// Whether `host` can be what a page from here was served as. A server on loopback is reached by an
// address, a name without dots or one under .localhost, or the name of an allowed origin; with any
// other name a foreign site has pointed its own domain at this machine (DNS rebinding), and its
// pages would pass for ours.
bool is_host_expected(std::string_view host, const OriginPolicy& policy);

}  // namespace palimpsest::server::http
