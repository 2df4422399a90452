#include "room/plain_text.hpp"

#include <cstdint>

namespace palimpsest::server {

namespace {

// The bytes of the character at the front of well-formed UTF-8 (RFC 3629 §3).
std::size_t length_of_first(std::string_view utf8) {
  const auto lead = static_cast<std::uint8_t>(utf8.front());
  if (lead < 0x80) return 1;
  if (lead < 0xE0) return 2;
  return lead < 0xF0 ? 3 : 4;
}

char32_t code_point_of(std::string_view character) {
  const auto lead = static_cast<std::uint8_t>(character.front());
  if (character.size() == 1) return lead;
  char32_t code_point = lead & (0xFF >> (character.size() + 1));
  for (const char c : character.substr(1)) {
    code_point = code_point << 6 | (static_cast<std::uint8_t>(c) & 0x3F);
  }
  return code_point;
}

bool is_space(char32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x3000;
}

bool is_unfit(char32_t c) {
  const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool is_directional = c == 0x061C || c == 0x200E || c == 0x200F ||
                              (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  const bool is_invisible = c == 0x200B || c == 0x2060 || c == 0xFEFF;
  return is_control || is_directional || is_invisible;
}

}  // namespace

std::string plain_text(std::string_view utf8, std::size_t max_code_points) {
  std::string plain;
  std::size_t count = 0;
  bool owes_space = false;
  while (!utf8.empty()) {
    const std::string_view character = utf8.substr(0, length_of_first(utf8));
    utf8.remove_prefix(character.size());
    const char32_t code_point = code_point_of(character);
    if (is_space(code_point)) {
      owes_space = !plain.empty();
      continue;
    }
    if (is_unfit(code_point)) continue;
    if (count + (owes_space ? 2 : 1) > max_code_points) break;
    if (owes_space) plain += ' ';
    plain += character;
    count += owes_space ? 2 : 1;
    owes_space = false;
  }
  return plain;
}

std::optional<std::string> line_of(std::string_view utf8, std::size_t max_code_points) {
  std::string line = plain_text(utf8, max_code_points + 1);
  if (line.empty() || plain_text(line, max_code_points) != line) return std::nullopt;
  return line;
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : many);
}

}  // namespace palimpsest::server
