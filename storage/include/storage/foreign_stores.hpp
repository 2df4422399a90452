#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "crdt/bytes.hpp"

namespace palimpsest::storage {

// What other servers of Yjs documents have stored, read update by update. Where a document's name
// is given, only that one.
//
// Errors: Error, kCorrupt where what is stored is damaged, kUnavailable where it is no such store
// or
//         in use; what the visitor throws passes through.

// Called with the documents one after the other, each with its updates in order. What the view
// points to lives only for that call.
using ForeignVisitor = std::function<void(const std::string& document, crdt::ByteView update)>;

// The directory of a y-leveldb (0.1, 0.2), which y-websocket's server uses: a LevelDB with each
// update under a key of its own, as far as they were not merged since. The directory is copied
// first, since to open a LevelDB is to write to it.
//
// key    := string("v1") string(document) string("update") number(n)    the update, as the value
// string := byte(0) varUint(bytes) byte*      number := byte(1) u32 big-endian
void read_y_leveldb(const std::filesystem::path& directory,
                    const std::optional<std::string>& document, const ForeignVisitor& visit);

// The database of Hocuspocus' SQLite extension: a table documents (name, data) with one update a
// document, which is all that it keeps of it.
void read_hocuspocus(const std::filesystem::path& file, const std::optional<std::string>& document,
                     const ForeignVisitor& visit);

}  // namespace palimpsest::storage
