#pragma once

#include <filesystem>
#include <stdexcept>

#include "crdt/bytes.hpp"

namespace palimpsest::server::cli {

// What a command was given cannot be used. what() is one line that names the file, the byte offset
// in it where there is one, and the cause: exit status 1.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws InputError.
crdt::Bytes read_file(const std::filesystem::path& path);

// Puts a complete file in the place of `path`, on disk, or leaves what is there. Something that is
// no regular file (a pipe, /dev/stdout) is written as it is. Throws InputError.
void write_file(const std::filesystem::path& path, crdt::ByteView bytes);

}  // namespace palimpsest::server::cli
