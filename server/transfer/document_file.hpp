#pragma once

#include <string>
#include <vector>

#include "storage/export_file.hpp"
#include "storage/store.hpp"
#include "storage/whole_document.hpp"

namespace palimpsest::server {

// Whole documents as files of our own (storage/export_file.hpp), of which several may follow each
// other. The head of each is
//
// {"name": …, "title": …, "generation": n, "createdAt": RFC 3339, "lastSeq": n,
//  "thinned": null or {"until": n, "at": RFC 3339, "days": n},
//  "authors": [{"client": n, "name": …}, …],
//  "ownTitle": …, "tags": […],
//  "versions": [{"name": …, "seq": n, "namedAt": RFC 3339, "by": …}, …],
//  "purges": [{"at": RFC 3339, "by": …, "reason": …, "units": n}, …]}
//
// with the authors in the order in which they appeared. What follows them is what people have set
// and noted, each member only where there is something; who has it starred, and whether it is in
// the bin, stays behind.

// From one snapshot, stretch by stretch. False where there is no such document; nothing has been
// written then. Throws storage::Error, and what `write` throws.
bool export_document(storage::Reader& reader, const std::string& name,
                     const storage::ExportWriter::Write& write);
// One that is not stored yet.
void export_document(const storage::WholeDocument& document,
                     const storage::ExportWriter::Write& write);

// Every document in the file, each replayed from its first entry to its last. Throws
// crdt::DecodeError with the offset in the file; what `read` throws passes through.
std::vector<storage::WholeDocument> import_documents(const storage::ExportReader::Read& read);

}  // namespace palimpsest::server
