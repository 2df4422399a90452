#include "storage/time.hpp"

#include <cstddef>

namespace palimpsest::storage {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string digits(std::int64_t value, std::size_t width) {
  std::string text = std::to_string(value);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

// Reads a text from its front; once something does not fit, nothing more does.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t width) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const char c = take();
      if (c < '0' || c > '9') fails_ = true;
      value = value * 10 + (c - '0');
    }
    return value;
  }
  char take() {
    if (rest_.empty()) {
      fails_ = true;
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void expect(std::string_view any_of) {
    if (any_of.find(take()) == any_of.npos) fails_ = true;
  }
  bool skips(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  bool is_done() const { return rest_.empty() && !fails_; }

 private:
  std::string_view rest_;
  bool fails_ = false;
};

// The digits behind the point; at least one.
milliseconds read_fraction(Scanner& scan) {
  int value = scan.number(1);
  int count = 1;
  for (; scan.at_digit(); ++count) {
    const int digit = scan.number(1);
    if (count < 3) value = value * 10 + digit;
  }
  for (; count < 3; ++count) value *= 10;
  return milliseconds(value);
}

}  // namespace

std::string format_time(Time time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return digits(int{date.year()}, 4) + '-' + digits(unsigned{date.month()}, 2) + '-' +
         digits(unsigned{date.day()}, 2) + 'T' + digits(clock.hours().count(), 2) + ':' +
         digits(clock.minutes().count(), 2) + ':' + digits(clock.seconds().count(), 2) + '.' +
         digits(clock.subseconds().count(), 3) + 'Z';
}

std::optional<Time> parse_time(std::string_view text) {
  Scanner scan(text);
  const std::chrono::year year(scan.number(4));
  scan.expect("-");
  const std::chrono::month month(static_cast<unsigned>(scan.number(2)));
  scan.expect("-");
  const std::chrono::year_month_day date(year, month,
                                         std::chrono::day(static_cast<unsigned>(scan.number(2))));
  scan.expect("Tt ");
  const int hour = scan.number(2);
  scan.expect(":");
  const int minute = scan.number(2);
  scan.expect(":");
  const int second = scan.number(2);
  milliseconds rest{0};
  if (scan.skips('.')) rest = read_fraction(scan);
  minutes offset{0};
  if (!scan.skips('Z') && !scan.skips('z')) {
    const bool is_west = scan.skips('-');
    if (!is_west) scan.expect("+ ");  // which a query that is not encoded makes of a plus
    const int offset_hours = scan.number(2);
    scan.expect(":");
    const int offset_minutes = scan.number(2);
    if (offset_hours > 23 || offset_minutes > 59) return std::nullopt;
    offset = hours(offset_hours) + minutes(offset_minutes);
    if (is_west) offset = -offset;
  }
  // Second 60 is a leap second.
  if (!scan.is_done() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + hours(hour) + minutes(minute) + seconds(second) + rest -
         offset;
}

}  // namespace palimpsest::storage
