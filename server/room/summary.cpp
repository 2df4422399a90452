#include "room/summary.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "room/plain_text.hpp"

namespace palimpsest::server {

namespace {

constexpr std::size_t kTitleCodePoints = 120;
constexpr std::size_t kExcerptCodePoints = 200;
// Enough of a text for a title and an excerpt, four bytes each character, marks and blank lines.
constexpr std::size_t kExcerptSourceBytes = 4096;

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

std::string_view without_leading(std::string_view text, std::string_view characters) {
  const std::size_t first = text.find_first_not_of(characters);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// The start of a line, whole characters only, so that a text of one endless line costs little.
std::string_view start_of(std::string_view line) {
  if (line.size() <= kExcerptSourceBytes) return line;
  std::size_t end = kExcerptSourceBytes;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
  return line.substr(0, end);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// CommonMark §4.2: one to six #, then white space or the end.
bool is_heading(std::string_view line) {
  line = without_leading(line, " ");
  const std::size_t marks = std::min(line.find_first_not_of('#'), line.size());
  return marks >= 1 && marks <= 6 && (marks == line.size() || line[marks] == ' ');
}

bool is_fence(std::string_view line) {
  line = without_leading(line, " ");
  return line.starts_with("```") || line.starts_with("~~~");
}

// What stands before the words of a block: heading, quote, list item, task, rule.
std::string_view without_block_marks(std::string_view line) {
  while (true) {
    line = without_leading(line, " \t\r>");
    const std::size_t hashes = std::min(line.find_first_not_of('#'), line.size());
    if (is_heading(line)) {
      line.remove_prefix(hashes);
    } else if (line.starts_with("- ") || line.starts_with("* ") || line.starts_with("+ ")) {
      line.remove_prefix(2);
    } else if (line.starts_with("[ ] ") || line.starts_with("[x] ") || line.starts_with("[X] ")) {
      line.remove_prefix(4);
    } else {
      break;
    }
  }
  std::size_t digits = 0;
  while (digits < line.size() && digits < 9 && is_digit(line[digits])) ++digits;
  if (digits > 0 && line.substr(digits).starts_with(". ")) line.remove_prefix(digits + 2);
  const bool is_rule = line.size() >= 3 && line.find_first_not_of("-*_= \t\r") == line.npos;
  return is_rule ? std::string_view() : line;
}

// [words](address) and ![words](address): where the words end, if `text` begins with that.
struct Link {
  std::string_view words;
  std::size_t length;
};
std::optional<Link> link_at_front(std::string_view text) {
  const std::size_t open = text.starts_with("![") ? 2 : 1;
  if (!text.starts_with("[") && open == 1) return std::nullopt;
  const std::size_t middle = text.find("](");
  if (middle == text.npos) return std::nullopt;
  const std::size_t close = text.find(')', middle);
  if (close == text.npos) return std::nullopt;
  return Link{text.substr(open, middle - open), close + 1};
}

bool is_word_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Emphasis, code and strike-through marks go; a _ inside a word is part of a name.
std::string without_inline_marks(std::string_view line) {
  std::string words;
  char before = ' ';
  for (std::size_t at = 0; at < line.size();) {
    const std::string_view rest = line.substr(at);
    if (const std::optional<Link> link = link_at_front(rest)) {
      words += link->words;
      at += link->length;
      before = ')';
      continue;
    }
    const char c = rest.front();
    const char after = rest.size() > 1 ? rest[1] : ' ';
    const bool is_escape = c == '\\' && rest.size() > 1 && !is_word_character(after);
    const bool is_mark = c == '`' || (c == '*' && !(before == ' ' && after == ' ')) ||
                         (c == '~' && (before == '~' || after == '~')) ||
                         (c == '_' && !(is_word_character(before) && is_word_character(after)));
    if (is_escape) words += after;
    if (!is_escape && !is_mark) words += c;
    before = c;
    at += is_escape ? 2 : 1;
  }
  return words;
}

std::string words_of(std::string_view line, std::size_t max_code_points) {
  line = without_block_marks(line);
  const bool closes_heading = line.ends_with('#');
  if (closes_heading) line = line.substr(0, line.find_last_not_of("# ") + 1);
  return plain_text(without_inline_marks(line), max_code_points);
}

// The text from the first heading on, headings in code blocks not counted.
std::optional<std::string_view> from_first_heading(std::string_view text) {
  bool is_in_code = false;
  while (!text.empty()) {
    const std::string_view here = text;
    const std::string_view line = take_line(text);
    if (is_fence(line)) is_in_code = !is_in_code;
    if (!is_in_code && is_heading(line) && !words_of(line, 1).empty()) return here;
  }
  return std::nullopt;
}

}  // namespace

Summary summarize(std::string_view text) {
  Summary summary;
  std::string_view rest = from_first_heading(text).value_or(text);
  while (summary.title.empty() && !rest.empty()) {
    const std::string_view line = take_line(rest);
    if (!is_fence(line)) summary.title = words_of(start_of(line), kTitleCodePoints);
  }
  std::string words;
  while (words.size() < kExcerptSourceBytes && !rest.empty()) {
    const std::string_view line = take_line(rest);
    if (is_fence(line)) continue;
    words += words_of(start_of(line), kExcerptCodePoints);
    words += ' ';
  }
  summary.excerpt = plain_text(words, kExcerptCodePoints);
  return summary;
}

}  // namespace palimpsest::server
