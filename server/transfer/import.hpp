#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.hpp"

namespace palimpsest::server {

// What is imported cannot be used. what() is one line: the byte offset where there is one, and the
// cause, fit to stand behind the name of the file.
class ImportError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class ImportFormat {
  kAuto,
  kPalimpsest,  // our own, with the whole history (document_file.hpp)
  kText,        // UTF-8; becomes the Y.Text "content"
  kMarkdown,    // likewise
  kYjs,         // one update
  kYLeveldb,    // a directory; each update is an entry of the log (storage/foreign_stores.hpp)
  kHocuspocus,  // the SQLite database of its extension
};
// nullopt for a name of none.
std::optional<ImportFormat> import_format(std::string_view name);
std::string_view name_of(ImportFormat format);

// What is to be imported, and as what.
struct Import {
  std::filesystem::path file;
  ImportFormat format = ImportFormat::kAuto;
  // What the one document in it is to be called; else as it says itself, or `fallback_name`.
  std::optional<std::string> name;
  std::string fallback_name;
  std::optional<std::string> document;  // only this one of a store
  bool is_v2 = false;                   // updates are in format v2
  storage::Time now;                    // the time of what has none
};

// What a file with this beginning is, by itself or its name. Text is what is UTF-8 without control
// characters, which an update always has.
ImportFormat detect(const std::filesystem::path& file);

// Reads all of it, and replays every document from its first entry to its last: nothing can be
// wrong with what it answers but that a name is taken. Throws ImportError.
std::vector<storage::WholeDocument> read_import(const Import& import);

}  // namespace palimpsest::server
