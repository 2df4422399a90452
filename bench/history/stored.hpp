#pragma once

#include <string>

#include "crdt/woven_text.hpp"
#include "log.hpp"

namespace palimpsest::bench {

// Writes the log into a new store, packed and indexed as the server leaves a document that nobody
// has open any more, and times who opens its history: the timeline's first page, and the text at
// some moment. Each on a connection that has read nothing yet, also without what the server keeps
// for that, and with a tail of changes that came behind it. One object of JSON.
std::string measure_stored(const std::string& directory, const Log& log,
                           const crdt::WovenText& text);

}  // namespace palimpsest::bench
