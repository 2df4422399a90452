#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "config.hpp"

namespace palimpsest::server::cli {

// `palimpsest restore-text`, `purge`, `versions --name`, `fork`, `delete` and `undelete`: what is
// done with a document's history, by the server that runs on the data, or where none does, without
// one. They say what was done.
//
// Errors: InputError for a document, a moment or a text that is not there, and for what is refused;
//         ConfigError where there is no store that can be used; UsageError for what cannot be
//         meant.

// What all of them take.
struct HistoryWrite {
  Config config;
  std::string document;
  std::string by;  // who says so; "": nobody
  bool json = false;
};

// A range of a text, in UTF-16 units.
struct TextRange {
  std::uint64_t index = 0;
  std::uint64_t length = 0;
};
// INDEX:LENGTH; nullopt for anything else.
std::optional<TextRange> text_range(std::string_view text);

// What a document, a root or a range showed at a moment, or what was done in an interval, taken
// back; as an edit like any other.
struct RestoreText : HistoryWrite {
  std::string at;      // either this one …
  std::string from;    // … or this one
  std::string to;      // "": now
  std::string author;  // digits: a client id; else a name; "": everybody
  std::string root;
  std::optional<TextRange> range;
};
void run(const RestoreText& command, std::ostream& out);

// What is taken out for good: a text wherever it ever stood, a range of a moment, or the document.
struct PurgeHistory : HistoryWrite {
  std::string text;
  std::optional<TextRange> range;
  std::string at;  // of the range; "": now
  std::string root;
  bool document_itself = false;
  std::string reason;
  bool is_confirmed = false;
};
// Who can be asked whether it is meant.
struct Console {
  std::istream& in;
  bool is_terminal = false;
  std::ostream& out;
  std::ostream& questions;
};
// Asks first, unless that is confirmed; where nobody can answer it is refused.
void run(const PurgeHistory& command, const Console& console);

struct NameVersion : HistoryWrite {
  std::string name;
  std::string at;  // "": now
};
void run(const NameVersion& command, std::ostream& out);

struct Fork : HistoryWrite {
  std::string at;    // "": now
  std::string name;  // "": one that nobody can guess
};
// Prints the name.
void run(const Fork& command, std::ostream& out);

// Into the bin, and out of it.
struct Bin : HistoryWrite {
  bool is_to_be_in = true;
};
void run(const Bin& command, std::ostream& out);

}  // namespace palimpsest::server::cli
