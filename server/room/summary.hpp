#pragma once

#include <string>
#include <string_view>

namespace palimpsest::server {

// What a list shows of a document.
struct Summary {
  std::string title;    // at most 120 code points
  std::string excerpt;  // at most 200 code points

  friend bool operator==(const Summary&, const Summary&) = default;
};

// The first Markdown heading, or else the first line with something in it, without Markdown's
// marks; and the words after it. UTF-8 in, UTF-8 out.
Summary summarize(std::string_view text);

}  // namespace palimpsest::server
