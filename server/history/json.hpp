#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "crdt/doc.hpp"
#include "crdt/woven_text.hpp"
#include "storage/history.hpp"

namespace palimpsest::server {

// What a history answers, as JSON: the same over HTTP and on the command line. Times are RFC 3339,
// lengths UTF-16 units, an author {"client": number, "name": "" where none is known}.

// [{"first", "last", "begin", "end", "place", "authors": [author and "changes", "inserted",
// "deleted"]}, …]
nlohmann::ordered_json timeline_json(const storage::History& history,
                                     const std::vector<storage::History::Burst>& bursts);
// {"until", "at", "days"}: what was thinned to bursts, when, by which rule; null where nothing was.
nlohmann::ordered_json thinned_json(const storage::History& history);
// [{"begin", "authors": […]}, …]
nlohmann::ordered_json activity_json(const storage::History& history,
                                     const std::vector<storage::History::Bucket>& buckets);
// [{"op": "keep" | "insert" | "delete", "text", "length" and, of what is not kept, author, "first",
// "last", "begin", "end"}, …]
nlohmann::ordered_json diff_json(const storage::History& history,
                                 const std::vector<crdt::WovenText::Change>& changes);
// [{"text", "length", author, "first", "last", "begin", "end"}, …]
nlohmann::ordered_json blame_json(const storage::History& history,
                                  const std::vector<crdt::WovenText::Blame>& runs);
// [{"writers": [author], "spans": [{"from", "fromTime", "completedBy", "until", "untilTime",
// "endedBy"; the last three null where it still stands}]}, …]
nlohmann::ordered_json occurrences_json(const storage::History& history,
                                        const std::vector<crdt::WovenText::Occurrence>& found);
// [{"text", "insertedBy", "inserted", "insertedAt", "insertedStep", "deletedBy", "deleted",
// "deletedAt", "deletedStep"}, …]: unit i of a run came with change inserted + i * insertedStep,
// the first at insertedAt. Steps only where they are not 0, what tells of deletion only where it
// was.
nlohmann::ordered_json weave_json(const storage::History& history, const crdt::WovenText& text,
                                  const std::vector<crdt::WovenText::Run>& runs);
// [{"name", "seq", "at", "namedAt", "by"}, …]; "at" null of the moment before all.
nlohmann::ordered_json versions_json(const storage::History& history);
// [{"at", "by", "reason", "units"}, …], or where the document as a whole went {"at", "by",
// "reason", "document": true, "entries"}.
nlohmann::ordered_json purges_json(const std::vector<storage::Purge>& purges);
// {"root": …, "type": "CLIENT:CLOCK"}, the latter of a text inside others.
nlohmann::ordered_json text_name_json(const storage::History::TextName& name);

// A root as JSON: of a text or of XML a string, null where there is nothing.
std::string root_json(const crdt::Doc& doc, const std::string& root);

}  // namespace palimpsest::server
