#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <limits>
#include <string>

namespace palimpsest::server::cli {

// `palimpsest log`, `show`, `diff`, `blame`, `search`, `versions`, `purges`: the stored history,
// read while a server may run on the same store.
//
// Errors: ConfigError where the store cannot be used, InputError for a document, a moment or a text
//         that is not in it.

// What all of them take.
struct HistorySource {
  std::filesystem::path data;
  std::string document;
  std::string root;  // "": the main text
  bool json = false;
};

struct HistoryLog : HistorySource {
  bool sittings = false;
  std::size_t limit = std::numeric_limits<std::size_t>::max();
};
// One line for each burst or sitting, the last first. `notes` is told where the history was
// thinned.
void run(const HistoryLog& command, std::ostream& out, std::ostream& notes);

struct HistoryShow : HistorySource {
  std::string at;
};
// A text as it is, without a line end of ours; any other root as JSON. `notes` is told where that
// moment lies inside of a thinned burst, and what is shown is the end of the one before.
void run(const HistoryShow& command, std::ostream& out, std::ostream& notes);

struct HistoryDiff : HistorySource {
  std::string from;
  std::string to;
};
// As `diff -u` would show it.
void run(const HistoryDiff& command, std::ostream& out);

struct HistoryBlame : HistorySource {
  std::string at;  // "": now
};
// A line for each piece by one author in a line of the text.
void run(const HistoryBlame& command, std::ostream& out);

struct HistoryVersions : HistorySource {};
// A line for each moment that has a name, the earliest first.
void run(const HistoryVersions& command, std::ostream& out);

struct HistoryPurges : HistorySource {};
// A line for each time that something was purged under that name, the last first; also where there
// is no such document any more.
void run(const HistoryPurges& command, std::ostream& out);

// In one document, or in all where none is named: then the index says in which it may have stood,
// and what it does not know yet is read as a whole, which `notes` is told.
struct HistorySearch : HistorySource {
  std::string words;
};
void run(const HistorySearch& command, std::ostream& out, std::ostream& notes);

}  // namespace palimpsest::server::cli
