#include "room/summary.hpp"

#include "crdt/reader.hpp"
#include "support/catch.hpp"

using palimpsest::server::summarize;
using palimpsest::server::Summary;

TEST_CASE("a document is called by its first heading, or else by its first words", "[summary]") {
  struct Case {
    const char* text;
    Summary expected;
  };
  const Case example = GENERATE(values<Case>({
      {"", {"", ""}},
      {"\n \n\t\n", {"", ""}},
      {"Minutes\nof the meeting", {"Minutes", "of the meeting"}},
      {"\n\n  Minutes  \n\nof the\nmeeting\n", {"Minutes", "of the meeting"}},
      {"# Minutes\n\nof the meeting", {"Minutes", "of the meeting"}},
      {"date: today\n\n## Minutes ##\nof *the* meeting", {"Minutes", "of the meeting"}},
      {"```\n# a comment\n```\n# Title", {"Title", ""}},
      {"#hashtag\nis no heading", {"#hashtag", "is no heading"}},
      {"#\n# Title", {"Title", ""}},
      {"####### seven\nx", {"####### seven", "x"}},
      {"- [ ] buy **milk**\n- [x] 1. sleep", {"buy milk", "sleep"}},
      {"> quoted `code` ~~gone~~", {"quoted code gone", ""}},
      {"see [the docs](http://x.y) and ![a cat](cat.png)", {"see the docs and a cat", ""}},
      {"[not a link", {"[not a link", ""}},
      {"snake_case and 2 * 3 and _this_", {"snake_case and 2 * 3 and this", ""}},
      {"\\*stars\\*", {"*stars*", ""}},
      {"---\nafter the rule", {"after the rule", ""}},
      {"one\r\ntwo\r\n", {"one", "two"}},
  }));
  CAPTURE(example.text);
  const Summary summary = summarize(example.text);
  CHECK(summary.title == example.expected.title);
  CHECK(summary.excerpt == example.expected.excerpt);
}

TEST_CASE("a title has at most 120 characters, an excerpt 200, and none is cut in half",
          "[summary]") {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "\xF0\x9F\x8C\x8D";
  const Summary summary = summarize(text + "\n" + text);
  CHECK(summary.title == text.substr(0, 120 * 4));
  CHECK(summary.excerpt == text.substr(0, 200 * 4));
}

TEST_CASE("a line too long to be looked at whole is not cut inside a character", "[summary]") {
  for (std::size_t spaces = 4090; spaces < 4100; ++spaces) {
    const Summary summary = summarize(std::string(spaces, ' ') + "\xE2\x82\xAC\xE2\x82\xAC");
    CAPTURE(spaces);
    CHECK(palimpsest::crdt::is_utf8(summary.title));
  }
}
