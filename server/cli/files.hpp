#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

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

// A file that is put together piece by piece, and takes the place of `path` when it is finished and
// on disk. Until then it is another one beside it, which goes where it is not finished. What is no
// regular file (a pipe, /dev/stdout) is written as it comes. Throws InputError.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(crdt::ByteView bytes);
  void finish();

 private:
  std::filesystem::path path_;
  std::string temporary_;  // "" where it is written in place
  int descriptor_ = -1;
};

// Puts a complete file in the place of `path`, on disk, or leaves what is there. Something that is
// no regular file (a pipe, /dev/stdout) is written as it is. Throws InputError.
void write_file(const std::filesystem::path& path, crdt::ByteView bytes);

}  // namespace palimpsest::server::cli
