#include <algorithm>
#include <set>
#include <string>

#include "crdt/error.hpp"
#include "crdt/merge.hpp"
#include "log/packer.hpp"
#include "log/time_number.hpp"
#include "sqlite/position.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/transaction.hpp"
#include "sqlite/writer.hpp"
#include "storage/failpoint.hpp"

// Whole documents, out of the store and into it: Reader::read_whole() and Writer::create().
namespace palimpsest::storage::sqlite {

bool SqliteReader::read_whole(std::string_view name,
                              const std::function<void(const DocumentHead&)>& show_head,
                              const std::function<void(const PackedStretch&)>& show_stretch) {
  connection_.describe("export of \"" + std::string(name) + "\"");
  Transaction snapshot(connection_);
  const std::optional<Header> document = find(name);
  if (!document) return false;
  show_head(read_head(*document));
  log::Packer packer(show_segments(*document, show_stretch), show_stretch);
  const Seq packed = packer.next();
  const Seq end =
      read_rows(*document, packed, kMaxSeq, [&](const EntryView& entry) { packer.add(entry); });
  packer.finish();
  if (end != document->last_seq + 1) {
    fail_corrupt(*document,
                 "the log does not end with entry " + std::to_string(document->last_seq));
  }
  return true;
}

DocumentHead SqliteReader::read_head(const Header& document) {
  DocumentHead head;
  head.name = document.name;
  head.generation = document.generation;
  head.last_seq = document.last_seq;
  head.thinned = retention(document).thinned;
  Statement select(connection_,
                   "SELECT created_at_ms, title, excerpt FROM documents WHERE id = ?1");
  Execution row = select.run(document.id);
  if (row.next()) {
    head.created_at = log::time_of(row.unsigned_integer(0));
    head.title = row.text(1);
    head.excerpt = row.text(2);
  }
  Execution author = names_.run(document.id);
  while (author.next()) {
    head.authors.push_back({author.unsigned_integer(0), std::string(author.text(1))});
  }
  head.notes = read_notes(document);
  return head;
}

Notes SqliteReader::read_notes(const Header& document) {
  Notes notes;
  Statement select(connection_, "SELECT own_title FROM documents WHERE id = ?1 AND own_title > ''");
  Execution own = select.run(document.id);
  if (own.next()) notes.own_title = own.text(0);
  Execution tag = tags_.run(document.id);
  while (tag.next()) notes.tags.emplace_back(tag.text(0));
  notes.versions = read_versions(document.id);
  for (Purge& purge : read_purges(document.name)) {
    if (purge.is_whole) break;  // what is before is of another one
    notes.purges.push_back(std::move(purge));
  }
  std::ranges::reverse(notes.purges);
  return notes;
}

// Answers the first entry behind them.
Seq SqliteReader::show_segments(const Header& document,
                                const std::function<void(const PackedStretch&)>& show) {
  Seq next = 1;
  Execution row = segments_.run(position(document.id, 1), position(document.id, kMaxSeq));
  while (row.next()) {
    if (const auto fault = fault_of_segment(document, row)) fail_corrupt(document, *fault);
    PackedStretch stretch;
    stretch.first = row.unsigned_integer(4);
    stretch.last = row.unsigned_integer(0);
    stretch.earliest = log::time_of(row.unsigned_integer(5));
    stretch.latest = log::time_of(row.unsigned_integer(6));
    const crdt::ByteView bytes = row.blob(3);
    stretch.bytes.assign(bytes.begin(), bytes.end());
    if (stretch.first != next) {
      fail_corrupt(document, "entry " + std::to_string(next) + " of the log is missing");
    }
    show(stretch);
    next = stretch.last + 1;
  }
  return next;
}

void SqliteWriter::insert_all(std::span<const WholeDocument> documents) {
  refuse_taken(documents);
  Transaction transaction(connection_);
  for (const WholeDocument& whole : documents) insert_whole(whole);
  PALIMPSEST_FAILPOINT("import-before-commit");
  transaction.commit();
}

void SqliteWriter::refuse_taken(std::span<const WholeDocument> documents) {
  std::set<std::string_view> names;
  for (const WholeDocument& whole : documents) {
    const bool is_new = names.insert(whole.name).second;
    if (!is_new || document(whole.name).id != 0) throw NameTaken(whole.name);
    if (whole.checkpoint.seq == 0 || whole.checkpoint.seq > kMaxSeq || whole.log.empty() ||
        whole.log.back().last != whole.checkpoint.seq) {
      throw crdt::Bug("a whole document \"" + whole.name + "\" that is not whole");
    }
  }
}

void SqliteWriter::insert_whole(const WholeDocument& whole) {
  CachedDocument& here = document(whole.name);
  here.generation = std::max(here.generation, whole.generation);
  insert_document(whole.name, whole.created_at, here);
  here.last_seq = whole.checkpoint.seq;
  here.edited_at = whole.edited_at;
  insert_contributors(whole, here);
  update_document(here);
  for (const PackedStretch& stretch : whole.log) {
    insert_segment(here, stretch.first, stretch.last, stretch.earliest, stretch.latest,
                   stretch.bytes);
  }
  put_checkpoint(whole.checkpoint, here);
  if (whole.thinned) note(*whole.thinned, whole.name, here.id);
  LostClocks lost = generations_.lost(whole.name);
  lost.remove(crdt::state_vector_of(whole.checkpoint.state));
  generations_.replace_lost(whole.name, lost);
  insert_notes(whole.notes, whole.name, here);
}

void SqliteWriter::insert_notes(const Notes& notes, std::string_view name,
                                const CachedDocument& here) {
  DocumentEdit edit;
  edit.title = notes.own_title;
  edit.tags = notes.tags;
  set_by_hand(edit, here.id);
  for (const Version& version : notes.versions) put_version(version, here);
  for (const Purge& purge : notes.purges) note_purge(name, purge);
}

void SqliteWriter::insert_contributors(const WholeDocument& whole, CachedDocument& here) {
  std::unordered_map<crdt::ClientId, CachedAuthor> stored;
  for (const WholeDocument::Contributor& contributor : whole.authors) {
    const Author& author = contributor.author;
    insert_author_.execute(here.id, author.client, std::string_view(author.name),
                           contributor.first_seen_seq);
    stored[author.client] = {sqlite3_last_insert_rowid(connection_.handle()), author.name};
  }
  for (auto client = whole.recent.rbegin(); client != whole.recent.rend(); ++client) {
    here.touch(stored.at(*client));
  }
}

}  // namespace palimpsest::storage::sqlite
