#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace palimpsest::server::cli {

// `palimpsest doc …`: Yjs update files looked at and merged without a server. Their format is v1
// where nothing else is said.
//
// Errors: all throw InputError for input that cannot be used; nothing has been written then.

struct DocMerge {
  std::vector<std::filesystem::path> files;
  std::filesystem::path out;
  // A file is a sequence of u32 little-endian length and update, not one update.
  bool framed = false;
  bool v2_in = false;   // the updates that are read
  bool v2_out = false;  // the one that is written
};
void run(const DocMerge& command);

struct DocShow {
  enum class Format { kText, kJson, kDelta, kXml };
  std::filesystem::path file;
  std::string root;
  Format format = Format::kText;
  bool v2_in = false;
};
// Text and XML are written as they are, without a line end of ours.
void run(const DocShow& command, std::ostream& out);

struct DocState {
  std::filesystem::path file;
  bool v2_in = false;
};
void run(const DocState& command, std::ostream& out);

struct DocDiff {
  std::filesystem::path file;
  std::filesystem::path since;  // an encoded state vector
  std::filesystem::path out;
  bool v2_in = false;
  bool v2_out = false;
};
void run(const DocDiff& command);

}  // namespace palimpsest::server::cli
