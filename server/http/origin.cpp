#include "http/origin.hpp"

#include <algorithm>

#include "http/guard.hpp"

namespace palimpsest::server::http {
namespace {

// An IPv6 address keeps its brackets.
std::string_view without_port(std::string_view authority) {
  const std::size_t host_end =
      authority.starts_with('[') ? authority.find(']') + 1 : authority.find(':');
  return authority.substr(0, host_end);
}

struct ParsedOrigin {
  std::string_view host;
  std::string_view authority;
};

// origin := scheme "://" host (":" port)?
ParsedOrigin parse_origin(std::string_view origin) {
  const std::size_t scheme_end = origin.find("://");
  if (scheme_end == std::string_view::npos) return {};  // "null", or no origin at all
  const std::string_view scheme = origin.substr(0, scheme_end);
  if (scheme != "http" && scheme != "https") return {};
  const std::string_view authority = origin.substr(scheme_end + 3);
  return {without_port(authority), authority};
}

bool is_loopback_host(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" ||
         host == "[::1]";
}

bool is_address(std::string_view host) {
  return host.starts_with('[') || std::all_of(host.begin(), host.end(), [](char c) {
           return c == '.' || (c >= '0' && c <= '9');
         });
}

}  // namespace

bool is_origin_allowed(const std::string* origin, std::string_view host,
                       const OriginPolicy& policy) {
  if (!origin) return true;
  const auto is_same = [&](const std::string& allowed) {
    return equals_ignoring_case(allowed, *origin);
  };
  if (std::any_of(policy.allowed.begin(), policy.allowed.end(), is_same)) return true;

  const ParsedOrigin parsed = parse_origin(*origin);
  if (parsed.authority.empty()) return false;
  return equals_ignoring_case(parsed.authority, host) ||
         (policy.allow_loopback && is_loopback_host(parsed.host));
}

bool is_host_expected(std::string_view host, const OriginPolicy& policy) {
  if (!policy.allow_loopback) return true;
  const std::string_view name = without_port(host);
  if (is_address(name) || is_loopback_host(name) || name.find('.') == std::string_view::npos)
    return true;
  return std::any_of(policy.allowed.begin(), policy.allowed.end(), [&](const auto& allowed) {
    return equals_ignoring_case(parse_origin(allowed).host, name);
  });
}

}  // namespace palimpsest::server::http
