#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "http/assets.hpp"
#include "http/message.hpp"
#include "http/security.hpp"

namespace palimpsest::server::http {

// The web client, from the table in this program: no path of a request ever reaches a file system.
//
// Home: any thread.
class StaticFiles {
 public:
  StaticFiles(std::span<const Asset> assets, Random random);

  // nullopt when there is no such file. `path` is as in the table, without a slash in front.
  std::optional<Response> find(std::string_view path, const Request& request) const;
  // The page that all of the client's addresses start with. Throws Problem when this program was
  // built without the web client.
  Response page(const Request& request) const;

 private:
  const Asset* asset(std::string_view path) const;

  std::span<const Asset> assets_;
  Random random_;
};

}  // namespace palimpsest::server::http
