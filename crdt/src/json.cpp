#include "json.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "crdt/utf8.hpp"

namespace palimpsest::crdt::internal {
namespace {

// Recursive descent; depth is bounded by Any::kMaxDepth.
class Parser {
 public:
  Parser(std::string_view json, std::size_t base_offset) : json_(json), base_(base_offset) {}

  // Null `out` checks only.
  void parse_document(Any* out) {
    parse_value(out, 0);
    skip_space();
    if (at_ != json_.size()) fail("characters after the JSON value");
  }

 private:
  [[noreturn]] void fail(const char* cause) const { throw DecodeError(base_ + at_, cause); }

  char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }

  void skip_space() {
    while (at_ < json_.size() &&
           (json_[at_] == ' ' || json_[at_] == '\t' || json_[at_] == '\n' || json_[at_] == '\r')) {
      ++at_;
    }
  }

  void expect(std::string_view word) {
    if (json_.substr(at_, word.size()) != word) fail("not JSON");
    at_ += word.size();
  }

  void parse_value(Any* out, std::size_t depth) {
    if (depth > Any::kMaxDepth) fail("JSON nested too deep");
    skip_space();
    switch (peek()) {
      case '{':
        return parse_object(out, depth);
      case '[':
        return parse_array(out, depth);
      case '"':
        return parse_string_value(out);
      case 't':
        return parse_word("true", Any(true), out);
      case 'f':
        return parse_word("false", Any(false), out);
      case 'n':
        return parse_word("null", Any(Any::Null{}), out);
      default:
        return parse_number(out);
    }
  }

  void parse_word(std::string_view word, Any value, Any* out) {
    expect(word);
    if (out != nullptr) *out = std::move(value);
  }

  void parse_string_value(Any* out) {
    std::string text;
    parse_string(out != nullptr ? &text : nullptr);
    if (out != nullptr) *out = Any(std::move(text));
  }

  void parse_object(Any* out, std::size_t depth) {
    Any::Object members;
    expect("{");
    skip_space();
    if (peek() == '}') {
      ++at_;
    } else {
      while (true) {
        std::string key;
        skip_space();
        parse_string(out != nullptr ? &key : nullptr);
        skip_space();
        expect(":");
        Any value;
        parse_value(out != nullptr ? &value : nullptr, depth + 1);
        if (out != nullptr) set_member(members, std::move(key), std::move(value));
        skip_space();
        if (peek() == '}') break;
        expect(",");
      }
      ++at_;
    }
    if (out != nullptr) *out = Any(std::move(members));
  }

  // Of a repeated key the last value counts, at the place of the first.
  static void set_member(Any::Object& members, std::string key, Any value) {
    for (auto& [name, old] : members) {
      if (name == key) {
        old = std::move(value);
        return;
      }
    }
    members.emplace_back(std::move(key), std::move(value));
  }

  void parse_array(Any* out, std::size_t depth) {
    Any::Array elements;
    expect("[");
    skip_space();
    if (peek() == ']') {
      ++at_;
    } else {
      while (true) {
        Any value;
        parse_value(out != nullptr ? &value : nullptr, depth + 1);
        if (out != nullptr) elements.push_back(std::move(value));
        skip_space();
        if (peek() == ']') break;
        expect(",");
      }
      ++at_;
    }
    if (out != nullptr) *out = Any(std::move(elements));
  }

  std::size_t skip_digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ - start;
  }

  void parse_number(Any* out) {
    const std::size_t start = at_;
    if (peek() == '-') ++at_;
    const bool leading_zero = peek() == '0';
    const std::size_t digits = skip_digits();
    if (digits == 0 || (leading_zero && digits > 1)) fail("not JSON");
    if (peek() == '.') {
      ++at_;
      if (skip_digits() == 0) fail("not JSON");
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (skip_digits() == 0) fail("not JSON");
    }
    if (out == nullptr) return;
    double number = 0;
    const auto [end, error] = std::from_chars(json_.data() + start, json_.data() + at_, number);
    if (error == std::errc::result_out_of_range) {
      // As JavaScript: too large is infinite, too small is zero.
      number = std::strtod(std::string(json_.substr(start, at_ - start)).c_str(), nullptr);
    }
    *out = Any(number);
  }

  std::uint32_t parse_hex4() {
    if (json_.size() - at_ < 4) fail("not JSON");
    std::uint32_t unit = 0;
    const char* const first = json_.data() + at_;
    const auto [end, error] = std::from_chars(first, first + 4, unit, 16);
    if (error != std::errc() || end != first + 4) fail("not JSON");
    at_ += 4;
    return unit;
  }

  // A lone surrogate has no UTF-8 form: it becomes U+FFFD, as in JavaScript's TextEncoder.
  char32_t parse_unicode_escape() {
    const std::uint32_t unit = parse_hex4();
    if (unit < 0xD800 || unit > 0xDFFF) return unit;
    if (unit <= 0xDBFF && json_.substr(at_, 2) == "\\u") {
      const std::size_t back = at_;
      at_ += 2;
      const std::uint32_t low = parse_hex4();
      if (low >= 0xDC00 && low <= 0xDFFF) {
        return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
      }
      at_ = back;
    }
    return 0xFFFD;
  }

  void parse_string(std::string* out) {
    expect("\"");
    while (true) {
      if (at_ == json_.size()) fail("JSON ends inside a string");
      const char c = json_[at_++];
      if (c == '"') return;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a JSON string");
      if (c != '\\') {
        if (out != nullptr) out->push_back(c);
        continue;
      }
      const char32_t code_point = parse_escape();
      if (out != nullptr) append_utf8(*out, code_point);
    }
  }

  char32_t parse_escape() {
    if (at_ == json_.size()) fail("JSON ends inside a string");
    switch (json_[at_++]) {
      case '"':
        return '"';
      case '\\':
        return '\\';
      case '/':
        return '/';
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u':
        return parse_unicode_escape();
      default:
        fail("an unknown escape in a JSON string");
    }
  }

  std::string_view json_;
  std::size_t base_;
  std::size_t at_ = 0;
};

// The value of an object member that JSON.stringify leaves out.
bool is_omitted(const Any& value) { return value.get_if<Any::Undefined>() != nullptr; }

struct JsonAppender {
  std::string& out;

  void operator()(Any::Undefined) { out += "null"; }
  void operator()(Any::Null) { out += "null"; }
  void operator()(bool boolean) { out += boolean ? "true" : "false"; }
  void operator()(double number) {
    if (std::isfinite(number)) {
      append_number(out, number);
    } else {
      out += "null";
    }
  }
  void operator()(Any::BigInt number) { out += std::to_string(number.value); }
  void operator()(const std::string& text) { append_json_string(out, text); }
  void operator()(const Bytes& bytes) {
    out += '{';
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (i != 0) out += ',';
      out += '"' + std::to_string(i) + "\":" + std::to_string(bytes[i]);
    }
    out += '}';
  }
  void operator()(const Any::Array& elements) {
    out += '[';
    bool first = true;
    for (const Any& element : elements) {
      if (!first) out += ',';
      first = false;
      append_json(out, element);
    }
    out += ']';
  }
  void operator()(const Any::Object& members) {
    out += '{';
    bool first = true;
    for (const auto& [key, value] : members) {
      if (is_omitted(value)) continue;
      if (!first) out += ',';
      first = false;
      append_json_string(out, key);
      out += ':';
      append_json(out, value);
    }
    out += '}';
  }
  void operator()(const Any::SubDocument&) { out += "{}"; }
};

}  // namespace

Any parse_json(std::string_view json, std::size_t base_offset) {
  Any value;
  Parser(json, base_offset).parse_document(&value);
  return value;
}

void check_json(std::string_view json, std::size_t base_offset) {
  Parser(json, base_offset).parse_document(nullptr);
}

void append_json(std::string& out, const Any& value) {
  std::visit(JsonAppender{out}, value.value());
}

void append_json_string(std::string& out, std::string_view utf8) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20) {
          out += "\\u00";
          out += kHex[byte >> 4];
          out += kHex[byte & 0xF];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_number(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "NaN";
    return;
  }
  if (number < 0) out += '-';
  number = std::fabs(number);
  if (std::isinf(number)) {
    out += "Infinity";
    return;
  }
  if (number == 0) {
    out += '0';
    return;
  }
  // d.ddde±xx with the fewest digits that read back as the same number.
  std::array<char, 40> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                          std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  int exponent = 0;
  const char* const digits_of_exponent = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, end, exponent);
  std::string digits(1, text[0]);
  if (e > 1) digits += text.substr(2, e - 2);

  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  if (point > 21 || point < -5) {
    out += digits[0];
    if (count > 1) out += '.' + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  } else if (point >= count) {
    out += digits + std::string(static_cast<std::size_t>(point - count), '0');
  } else if (point > 0) {
    out += digits.substr(0, static_cast<std::size_t>(point)) + '.' +
           digits.substr(static_cast<std::size_t>(point));
  } else {
    out += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  }
}

}  // namespace palimpsest::crdt::internal
