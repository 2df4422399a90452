#include "http/guard.hpp"

#include <algorithm>
#include <charconv>

namespace palimpsest::server::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Control characters that no head has; line ends are looked at apart.
bool is_forbidden_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\r' && c != '\n' && c != '\t') || byte == 0x7f;
}

// Of the bytes so far, whether each CR has its LF and each LF its CR. A CR that comes last may
// still get its LF.
bool has_stray_line_end(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) return true;
    if (bytes[i] == '\r' && i + 1 < bytes.size() && bytes[i + 1] != '\n') return true;
  }
  return false;
}

// Visible ASCII without what no URL has in raw form (RFC 3986 §2); '#' starts what a client keeps
// to itself, and a backslash is a slash to some readers.
bool is_target(std::string_view target) {
  const auto is_allowed = [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("\"#<>\\").find(c) == std::string_view::npos;
  };
  return !target.empty() && std::all_of(target.begin(), target.end(), is_allowed);
}

bool is_host(std::string_view host) {
  const auto is_allowed = [](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
           (c != '\0' && std::string_view("-._~:[]").find(c) != std::string_view::npos);
  };
  return !host.empty() && host.size() <= 261 && std::all_of(host.begin(), host.end(), is_allowed);
}

struct RequestLine {
  std::optional<Refusal> refusal;
  bool is_http_1_0 = false;
  bool is_upload = false;
};

RequestLine check_request_line(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || method_end == target_end)
    return {Refusal{400, "the request line needs a method, a target and a version"}};
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line.substr(target_end + 1);

  if (!is_token(method)) return {Refusal{400, "the method is not a token"}};
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7]))
    return {Refusal{400, "the version is malformed"}};
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return {Refusal{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"}};
  if (!is_target(target)) return {Refusal{400, "the target has characters that no URL has"}};
  // CONNECT names an authority and OPTIONS may ask about "*"; the router turns both away.
  if (target[0] != '/' && target != "*" && method != "CONNECT")
    return {Refusal{400, "the target must be a path"}};
  const bool is_upload = method == "POST" && target.substr(0, target.find('?')) == "/api/import";
  return {std::nullopt, version == "HTTP/1.0", is_upload};
}

// What the fields say about framing and routing, seen so far.
struct Fields {
  std::size_t count = 0;
  std::size_t hosts = 0;
  std::size_t content_lengths = 0;
  std::size_t transfer_encodings = 0;
  std::size_t content_length = 0;
};

std::optional<Refusal> check_content_length(std::string_view value, const GuardLimits& limits,
                                            Fields& seen) {
  if (++seen.content_lengths > 1) return Refusal{400, "more than one Content-Length"};
  if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit))
    return Refusal{400, "Content-Length is not a number"};
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), seen.content_length);
  if (error != std::errc() || seen.content_length > limits.body_bytes)
    return Refusal{413, "the body is larger than allowed"};
  return std::nullopt;
}

std::optional<Refusal> check_transfer_encoding(std::string_view value, Fields& seen) {
  if (++seen.transfer_encodings > 1) return Refusal{400, "more than one Transfer-Encoding"};
  if (equals_ignoring_case(value, "chunked")) return std::nullopt;
  if (value.empty() || value.find(',') != std::string_view::npos)
    return Refusal{400, "Transfer-Encoding is not exactly \"chunked\""};
  return Refusal{501, "the only Transfer-Encoding understood is \"chunked\""};
}

std::optional<Refusal> check_field(std::string_view line, const GuardLimits& limits, Fields& seen) {
  if (++seen.count > limits.fields) return Refusal{431, "too many header fields"};
  if (line[0] == ' ' || line[0] == '\t') return Refusal{400, "a header field is folded"};
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return Refusal{400, "a header field's name is malformed"};

  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim_whitespace(line.substr(colon + 1));
  if (equals_ignoring_case(name, "host")) {
    if (++seen.hosts > 1) return Refusal{400, "more than one Host"};
    if (!is_host(value)) return Refusal{400, "Host is malformed"};
  }
  if (equals_ignoring_case(name, "content-length"))
    return check_content_length(value, limits, seen);
  if (equals_ignoring_case(name, "transfer-encoding")) return check_transfer_encoding(value, seen);
  if (equals_ignoring_case(name, "expect")) return Refusal{417, "Expect is not supported"};
  return std::nullopt;
}

std::optional<Refusal> check_framing(const Fields& seen, bool is_http_1_0) {
  if (seen.hosts == 0 && !is_http_1_0) return Refusal{400, "Host is missing"};
  if (seen.transfer_encodings > 0 && seen.content_lengths > 0)
    return Refusal{400, "both Content-Length and Transfer-Encoding"};
  if (seen.transfer_encodings > 0 && is_http_1_0)
    return Refusal{400, "Transfer-Encoding in HTTP/1.0"};
  return std::nullopt;
}

HeadScan check_head(std::string_view head, GuardLimits limits) {
  std::size_t line_end = head.find(kLineEnd);
  const RequestLine request_line = check_request_line(head.substr(0, line_end));
  if (request_line.refusal) return {request_line.refusal};
  if (request_line.is_upload) limits.body_bytes = limits.upload_bytes;

  Fields seen;
  for (std::size_t start = line_end + 2; (line_end = head.find(kLineEnd, start)) != start;
       start = line_end + 2) {
    if (auto refusal = check_field(head.substr(start, line_end - start), limits, seen))
      return {refusal};
  }
  if (auto refusal = check_framing(seen, request_line.is_http_1_0)) return {refusal};
  return {std::nullopt, head.size(), seen.transfer_encodings > 0, seen.content_length,
          request_line.is_upload};
}

}  // namespace

HeadScan scan_head(std::string_view received, const GuardLimits& limits) {
  const std::size_t empty_line = received.find("\r\n\r\n");
  const bool is_complete = empty_line != std::string_view::npos;
  const std::string_view head = is_complete ? received.substr(0, empty_line + 4) : received;

  const std::string_view looked_at = head.substr(0, limits.head_bytes);
  if (looked_at.starts_with(kLineEnd)) return {Refusal{400, "the request line is empty"}};
  if (std::any_of(looked_at.begin(), looked_at.end(), is_forbidden_byte))
    return {Refusal{400, "a control character in the request's head"}};
  if (has_stray_line_end(looked_at))
    return {Refusal{400, "a line of the request's head does not end in CRLF"}};
  if (head.size() > limits.head_bytes) {
    const bool is_line_long = looked_at.find(kLineEnd) == std::string_view::npos;
    return {is_line_long ? Refusal{414, "the request line is too long"}
                         : Refusal{431, "the request's head is too large"}};
  }
  return is_complete ? check_head(head, limits) : HeadScan{};
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim_whitespace(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace palimpsest::server::http
