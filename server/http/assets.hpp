#pragma once

#include <span>
#include <string_view>

namespace palimpsest::server {

// One file of the built web client or of http/static, embedded in this program.
struct Asset {
  std::string_view path;        // "index.html", "assets/index-4f2a91c0.js"
  std::string_view media_type;  // as in Content-Type
  std::string_view etag;        // quoted, of the content
  std::span<const unsigned char> bytes;
  bool immutable;  // the name has a hash of the content: may be cached for ever
};

// All of them, ascending by path; those of the web client are not there in a build without it. Made
// by cmake/embed.cmake.
std::span<const Asset> embedded_assets();

}  // namespace palimpsest::server
