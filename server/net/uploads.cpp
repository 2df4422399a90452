#include "net/uploads.hpp"

namespace palimpsest::server::net {

std::shared_ptr<TemporaryFile> Uploads::open() {
  // Counts down also where the file cannot be made.
  const std::shared_ptr<void> place(nullptr, [this](void*) { --open_; });
  if (++open_ > kAtOnce) return nullptr;
  return {new TemporaryFile(directory_), [place](TemporaryFile* file) { delete file; }};
}

}  // namespace palimpsest::server::net
