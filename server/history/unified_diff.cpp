#include "history/unified_diff.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace palimpsest::server {
namespace {

constexpr std::size_t kContext = 3;

struct Line {
  char sign;  // ' ', '-' or '+'
  std::string text;
  bool ends = true;  // with a line break
};

// Puts runs of characters together to lines. Between two line breaks that both texts have at one
// place stand lines of the one and lines of the other.
class LineWriter {
 public:
  using Op = crdt::WovenText::Change::Op;

  void add(Op op, std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const std::string_view part = text.substr(0, end);
      if (op != Op::kInsert) old_ += part;
      if (op != Op::kDelete) new_ += part;
      if (end == text.npos) return;
      text.remove_prefix(end + 1);
      if (op != Op::kInsert) old_lines_.push_back({'-', std::exchange(old_, {})});
      if (op != Op::kDelete) new_lines_.push_back({'+', std::exchange(new_, {})});
      // The texts are at the start of a line here, both of them.
      if (op == Op::kKeep || (old_.empty() && new_.empty())) flush();
    }
  }

  std::vector<Line> finish() && {
    if (!old_.empty()) old_lines_.push_back({'-', std::exchange(old_, {}), false});
    if (!new_.empty()) new_lines_.push_back({'+', std::exchange(new_, {}), false});
    flush();
    return std::move(lines_);
  }

 private:
  static bool same(const Line& a, const Line& b) { return a.text == b.text && a.ends == b.ends; }
  void keep(Line line) {
    line.sign = ' ';
    lines_.push_back(std::move(line));
  }

  void flush() {
    std::size_t begin = 0;
    std::size_t old_end = old_lines_.size();
    std::size_t new_end = new_lines_.size();
    while (begin < std::min(old_end, new_end) && same(old_lines_[begin], new_lines_[begin])) {
      keep(old_lines_[begin++]);
    }
    std::vector<Line> tail;
    while (old_end > begin && new_end > begin &&
           same(old_lines_[old_end - 1], new_lines_[new_end - 1])) {
      tail.push_back(old_lines_[--old_end]);
      --new_end;
    }
    for (std::size_t i = begin; i < old_end; ++i) lines_.push_back(old_lines_[i]);
    for (std::size_t i = begin; i < new_end; ++i) lines_.push_back(new_lines_[i]);
    for (auto line = tail.rbegin(); line != tail.rend(); ++line) keep(*line);
    old_lines_.clear();
    new_lines_.clear();
  }

  std::vector<Line> lines_;
  std::vector<Line> old_lines_;
  std::vector<Line> new_lines_;
  std::string old_;
  std::string new_;
};

std::string range(std::size_t first, std::size_t count) {
  // Of no lines the number of the one before (POSIX diff).
  const std::size_t shown = count == 0 ? first - 1 : first;
  return std::to_string(shown) + (count == 1 ? "" : "," + std::to_string(count));
}

}  // namespace

std::string unified_diff(std::span<const crdt::WovenText::Change> changes,
                         const std::string& from_label, const std::string& to_label) {
  LineWriter writer;
  for (const crdt::WovenText::Change& change : changes) writer.add(change.op, change.text);
  const std::vector<Line> lines = std::move(writer).finish();

  std::string text;
  std::size_t old_line = 1;
  std::size_t new_line = 1;
  const auto pass = [&](const Line& line) {
    if (line.sign != '+') ++old_line;
    if (line.sign != '-') ++new_line;
  };
  for (std::size_t i = 0; i < lines.size();) {
    // A hunk reaches from three lines before a change to three behind the last one near it.
    std::size_t first = i;
    while (first < lines.size() && lines[first].sign == ' ') ++first;
    if (first == lines.size()) break;
    std::size_t last = first;
    for (std::size_t j = first; j < lines.size() && j <= last + 2 * kContext + 1; ++j) {
      if (lines[j].sign != ' ') last = j;
    }
    const std::size_t begin = std::max(i, first - std::min(first, kContext));
    const std::size_t end = std::min(lines.size(), last + 1 + kContext);
    for (; i < begin; ++i) pass(lines[i]);

    if (text.empty()) text = "--- " + from_label + "\n+++ " + to_label + "\n";
    const std::size_t old_first = old_line;
    const std::size_t new_first = new_line;
    std::string body;
    for (; i < end; ++i) {
      pass(lines[i]);
      body += lines[i].sign + lines[i].text + "\n";
      if (!lines[i].ends) body += "\\ No newline at end of file\n";
    }
    text += "@@ -" + range(old_first, old_line - old_first) + " +" +
            range(new_first, new_line - new_first) + " @@\n" + body;
  }
  return text;
}

}  // namespace palimpsest::server
