#include "room/plain_text.hpp"

#include "support/catch.hpp"

using palimpsest::server::plain_text;

TEST_CASE("text for a list has no control or directional characters and single spaces",
          "[plain_text]") {
  struct Case {
    const char* typed;
    const char* shown;
  };
  const Case example = GENERATE(values<Case>({
      {"Ann", "Ann"},
      {"  Ann \t\n Lee ", "Ann Lee"},
      {"A\x01n\x7Fn", "Ann"},
      {"\xE2\x80\xAE"
       "evil",
       "evil"},  // right-to-left override
      {"a\xE2\x81\xA6"
       "b",
       "ab"},                                // left-to-right isolate
      {"\xEF\xBB\xBFz\xE2\x80\x8Bz", "zz"},  // byte order mark, zero-width space
      {"a\xC2\xA0"
       "b",
       "a b"},
      {"\xD8\xB9\xD9\x84\xD9\x8A", "\xD8\xB9\xD9\x84\xD9\x8A"},
      {"\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
       "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"},
  }));
  CAPTURE(example.typed);
  CHECK(plain_text(example.typed, 64) == example.shown);
}

TEST_CASE("text for a list is cut by characters, not by bytes, and ends in none that is a space",
          "[plain_text]") {
  CHECK(plain_text("ab cd", 5) == "ab cd");
  CHECK(plain_text("ab cd", 4) == "ab c");
  CHECK(plain_text("ab cd", 3) == "ab");
  CHECK(plain_text("\xC3\xA4\xC3\xB6\xC3\xBC", 2) == "\xC3\xA4\xC3\xB6");
  CHECK(plain_text("abc", 0).empty());
}
