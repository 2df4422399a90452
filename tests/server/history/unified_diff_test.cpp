#include "history/unified_diff.hpp"

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using crdt::WovenText;
using server::unified_diff;
using Op = WovenText::Change::Op;
using Changes = std::vector<WovenText::Change>;

void add(Changes& changes, Op op, const std::string& text) {
  WovenText::Change& change = changes.emplace_back();
  change.op = op;
  change.text = text;
  change.length = text.size();
}

TEST_CASE("what is the same has no difference", "[diff]") {
  Changes changes;
  CHECK(unified_diff(changes, "a", "b").empty());
  add(changes, Op::kKeep, "one\ntwo");
  CHECK(unified_diff(changes, "a", "b").empty());
}

TEST_CASE("a changed line is told with three lines around it", "[diff]") {
  Changes changes;
  add(changes, Op::kKeep, "1\n2\n3\n4\nfi");
  add(changes, Op::kDelete, "ve");
  add(changes, Op::kInsert, "fth");
  add(changes, Op::kKeep, "\n6\n7\n8\n9\n");
  CHECK(unified_diff(changes, "a", "b") ==
        "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-five\n+fifth\n 6\n 7\n 8\n");
}

TEST_CASE("a new line is one, wherever in it the line break was written", "[diff]") {
  Changes behind;
  add(behind, Op::kKeep, "one");
  add(behind, Op::kInsert, "\ntwo");
  add(behind, Op::kKeep, "\n");
  Changes before;
  add(before, Op::kKeep, "one\n");
  add(before, Op::kInsert, "two\n");
  const std::string expected = "--- a\n+++ b\n@@ -1 +1,2 @@\n one\n+two\n";
  CHECK(unified_diff(behind, "a", "b") == expected);
  CHECK(unified_diff(before, "a", "b") == expected);
}

TEST_CASE("a last line without a line break says so", "[diff]") {
  Changes changes;
  add(changes, Op::kInsert, "new");
  CHECK(unified_diff(changes, "a", "b") ==
        "--- a\n+++ b\n@@ -0,0 +1 @@\n+new\n\\ No newline at end of file\n");
  changes.clear();
  add(changes, Op::kKeep, "same");
  add(changes, Op::kInsert, "\n");
  CHECK(unified_diff(changes, "a", "b") ==
        "--- a\n+++ b\n@@ -1 +1 @@\n-same\n\\ No newline at end of file\n+same\n");
}

// A text's lines with their line breaks.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1);
    lines.push_back(text.substr(at, end + 1 - at));
    at = end + 1;
  }
  return lines;
}

// What `patch` makes of the text.
std::string patched(const std::string& text, const std::string& diff) {
  const std::vector<std::string> old = lines_of(text);
  std::vector<std::string> made;
  std::size_t next = 0;
  std::istringstream stream(diff);
  std::string line;
  char last_sign = ' ';
  while (std::getline(stream, line)) {
    if (line.starts_with("--- a") || line.starts_with("+++ b")) continue;
    if (line.starts_with("@@")) {
      std::size_t first = std::stoul(line.substr(4));
      const std::string range = line.substr(4, line.find(' ', 4) - 4);
      if (!range.ends_with(",0")) --first;
      while (next < first) made.push_back(old.at(next++));
    } else if (line.front() == '\\') {
      if (last_sign != '-') made.back().pop_back();
    } else {
      last_sign = line.front();
      if (last_sign == '+') made.push_back(line.substr(1) + "\n");
      if (last_sign == ' ') made.push_back(line.substr(1) + "\n");
      if (last_sign != '+') ++next;
    }
  }
  while (next < old.size()) made.push_back(old.at(next++));
  std::string all;
  for (const std::string& one : made) all += one;
  return all;
}

TEST_CASE("a difference patches the one text to the other", "[diff]") {
  CHECK(rc::check("patches", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    Changes changes;
    std::string before;
    std::string behind;
    for (std::size_t i = 0; i < 30; ++i) {
      const Op op = std::vector{Op::kKeep, Op::kKeep, Op::kInsert, Op::kDelete}[chance() % 4];
      std::string text;
      const std::size_t length = 1 + chance() % (op == Op::kKeep ? 12 : 3);
      while (text.size() < length) text += "xyz\n\n"[chance() % 5];
      add(changes, op, text);
      if (op != Op::kInsert) before += text;
      if (op != Op::kDelete) behind += text;
    }
    const std::string diff = unified_diff(changes, "a", "b");
    RC_ASSERT(patched(before, diff) == behind);
    RC_ASSERT(diff.empty() == (before == behind));
  }));
}

}  // namespace
}  // namespace palimpsest::testing
