#include "http/security.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace palimpsest::server::http {

std::string random_token(const Random& random) {
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's
  std::array<unsigned char, 16> bytes{};
  random(bytes);

  std::string token;
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  for (const unsigned char byte : bytes) {
    bits = (bits << 8) | byte;
    for (bit_count += 8; bit_count >= 5; bit_count -= 5)
      token += kDigits[(bits >> (bit_count - 5)) & 31];
  }
  token += kDigits[(bits << (5 - bit_count)) & 31];
  return token;
}

std::string page_policy(std::string_view nonce, std::string_view host) {
  std::string connect = "'self'";
  if (!host.empty()) connect += " ws://" + std::string(host) + " wss://" + std::string(host);
  return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + std::string(nonce) +
         "'; img-src 'self' data:; font-src 'self'; connect-src " + connect +
         "; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
         "form-action 'none'";
}

void add_security_fields(Response& response) {
  constexpr std::string_view kPolicy = "Content-Security-Policy";
  const bool has_policy =
      std::any_of(response.fields.begin(), response.fields.end(),
                  [&](const auto& field) { return equals_ignoring_case(field.first, kPolicy); });
  if (!has_policy)
    response.set(std::string(kPolicy),
                 "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
}

}  // namespace palimpsest::server::http
