#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

#include "config.hpp"
#include "transfer/import.hpp"

namespace palimpsest::server::cli {

// `palimpsest export`: a document with its whole history as one file, while a server may run.
struct Export {
  std::filesystem::path data;
  std::string document;
  std::optional<std::filesystem::path> out;  // else to the stream
};
// Throws ConfigError where the store cannot be used, InputError where there is no such document or
// the file cannot be written; nothing is left of it then.
void run(const Export& command, std::ostream& out);

// `palimpsest import`: documents from a file, or from the store of another server, by the server
// that runs on the data, or where none does, without one. All of them, or none.
struct ImportCommand {
  Config config;
  Import import;
};
// Prints what was imported. Throws InputError for what cannot be used and for a name that is taken,
// ConfigError where the store cannot be used.
void run(const ImportCommand& command, std::ostream& out);

}  // namespace palimpsest::server::cli
