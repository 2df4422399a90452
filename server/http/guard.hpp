#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace palimpsest::server::http {

// What a request may weigh before anybody looks at what it says.
struct GuardLimits {
  std::size_t head_bytes = std::size_t{8} << 10;
  std::size_t fields = 100;
  std::size_t body_bytes = std::size_t{256} << 10;
  std::size_t upload_bytes = std::size_t{64} << 20;  // of what goes into a file: POST /api/import
};

// Why the guard turns a request away. The connection ends after the answer: where one request is
// in doubt, so is the place where the next one starts.
struct Refusal {
  unsigned status;
  std::string_view detail;  // for a person; static, never a piece of the input
};

struct HeadScan {
  std::optional<Refusal> refusal = std::nullopt;
  // Length of the head, its empty line included; 0 while more bytes are needed.
  std::size_t head_bytes = 0;
  // What the head says about its body.
  bool chunked = false;
  std::size_t content_length = 0;
  bool is_upload = false;
};

// Judges the head of an HTTP/1.1 request from the bytes received so far, in front of any parser
// that is kinder. Two readers that disagree about where a request ends are a way to smuggle one
// past the first, so that every form which RFC 9112 leaves to the recipient is refused here.
//
// head := method SP target SP version CRLF (name ":" OWS value OWS CRLF)* CRLF
//
// Refuses as soon as it is certain, also before the head is complete.
// Cost: O(bytes received); nothing is copied.
HeadScan scan_head(std::string_view received, const GuardLimits& limits);

// A field's name or a method (RFC 9110 §5.6.2).
bool is_token(std::string_view text);
// ASCII only, as all of HTTP's own words are.
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim_whitespace(std::string_view text);

}  // namespace palimpsest::server::http
