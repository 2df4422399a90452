#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"
#include "crdt/state_vector.hpp"
#include "storage/history_checkpoint.hpp"
#include "storage/index.hpp"
#include "storage/lost_clocks.hpp"
#include "storage/time.hpp"

namespace palimpsest::storage {

// The disk or SQLite failed, or the store is not one of ours. what() names the file, the operation
// and the cause. After a failed commit its outcome is unknown: the store takes no further writes
// until it is opened again.
class Error : public std::runtime_error {
 public:
  enum class Kind {
    kUnavailable,  // cannot be opened: wrong file, newer schema, permissions, in use by another
    kCorrupt,      // a checksum or SQLite's own check failed
    kDiskFull,
    kIo,  // anything else
  };
  Error(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

// Who made a change, as far as it is known: the CRDT client id and the name of its person. The
// first name seen for a client id of a document stays.
struct Author {
  crdt::ClientId client = 0;
  std::string name;
};

// One update to be added to the log of a document.
struct Append {
  std::string document;  // name; the document comes to be with its first append
  Seq seq = 0;           // one more than the last; the caller keeps count, the store verifies
  Time at;
  // When the client made it, where it says so (edits made offline); nullopt for "just now".
  std::optional<Time> made_at;
  Author author;  // who sent it, and so whoever deletes something by it
  // Further clients whose content it brings: what a peer had from elsewhere, or wrote before it
  // began anew. Whose the content is goes by client id, and so one update can have several authors.
  std::vector<Author> others;
  std::uint64_t connection = 0;  // which session, unique within a run of the server
  std::shared_ptr<const crdt::Bytes> update;
};

// The merged state of a document after `seq`, so that loading need not replay the whole log, and
// what lists show of it.
struct Checkpoint {
  std::string document;
  Seq seq = 0;
  crdt::Bytes state;  // a Yjs update, v1
  std::string title;
  std::string excerpt;
};

struct LogEntry {
  Seq seq = 0;
  Time at;
  std::optional<Time> made_at;
  Author author;
  std::uint64_t connection = 0;
  crdt::Bytes update;
};

// An entry as it is shown to who visits the log: what it points to lives only for that call.
struct EntryView {
  Seq seq = 0;
  Time at;
  std::optional<Time> made_at;
  crdt::ClientId author = 0;
  std::uint64_t connection = 0;
  crdt::ByteView update;
};
using EntryVisitor = std::function<void(const EntryView&)>;

// An old stretch of a document's log, packed to take the place of its rows: prepared by a Reader,
// put in place by the Writer.
struct Compaction {
  std::string document;
  std::uint64_t generation = 1;
  Seq first = 0;
  Seq last = 0;
  Seq compacted_seq = 0;       // up to where the log was packed when this was prepared
  std::uint64_t rewrites = 0;  // and how often it had been rewritten
  Time earliest;
  Time latest;
  crdt::Bytes segment;
};

// A stretch of a document's log, packed: see Reader::read_whole().
struct PackedStretch {
  Seq first = 0;
  Seq last = 0;
  Time earliest;
  Time latest;
  crdt::Bytes bytes;
};

// Up to where a history was thinned to bursts (storage/retention.hpp), when, and by which rule.
struct Thinned {
  Seq until = 0;
  Time at;
  std::uint32_t days = 0;  // what was older than that

  friend bool operator==(const Thinned&, const Thinned&) = default;
};

// A moment with a name, which is "v:NAME" where a moment is asked for.
struct Version {
  std::string name;
  Seq seq = 0;  // behind this entry of the log
  Time named_at;
  std::string named_by;  // as claimed

  friend bool operator==(const Version&, const Version&) = default;
};

// That something was taken out of a history for good, and not what.
struct Purge {
  Time at;
  std::string by;  // as claimed
  std::string reason;
  std::uint64_t units = 0;  // UTF-16 units of text, and values; of a whole document its entries
  bool is_whole = false;    // the document itself: what comes behind is of another one

  friend bool operator==(const Purge&, const Purge&) = default;
};

// What people have set and noted of a document.
struct Notes {
  std::optional<std::string> own_title;  // in place of what the text says
  std::vector<std::string> tags;         // in order
  std::vector<Version> versions;         // the earliest moment first
  std::vector<Purge> purges;             // the first first; of passages of this document
};

// A document as a whole, its log apart.
struct DocumentHead {
  std::string name;
  std::uint64_t generation = 1;
  Time created_at;
  std::string title;
  std::string excerpt;
  Seq last_seq = 0;
  std::optional<Thinned> thinned = {};
  std::vector<Author> authors;  // whose content the log brings or who sent some, by appearance
  Notes notes;
};

// A document with its whole history, to be stored at once.
struct WholeDocument {
  struct Contributor {
    Author author;
    Seq first_seen_seq = 0;
  };

  std::string name;
  std::uint64_t generation = 1;  // at least
  Time created_at;
  Time edited_at;
  std::optional<Thinned> thinned = {};
  std::vector<Contributor> authors;    // by appearance
  std::vector<crdt::ClientId> recent;  // who sent something, the last first
  std::vector<PackedStretch> log;      // all of it
  Checkpoint checkpoint;               // of all of it
  Notes notes;
};

// A document of this name is there already.
class NameTaken : public std::runtime_error {
 public:
  explicit NameTaken(const std::string& name)
      : std::runtime_error("there is a document \"" + name + "\" already"), name_(name) {}
  const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
};

// A document's log as it is to be from now on: the same entries by the same senders, with other
// content. Prepared by a Reader, put in place by the Writer.
struct LogRewrite {
  // A row or a segment that changes.
  struct Piece {
    bool is_segment = false;
    Seq first = 0;
    Seq last = 0;
    Time earliest;  // of its entries
    Time latest;
    crdt::Bytes entries;
  };
  std::string document;
  std::uint64_t generation = 1;
  Seq compacted_seq = 0;       // up to where the log was packed when this was prepared
  std::uint64_t rewrites = 0;  // and how often it had been rewritten
  std::vector<Piece> pieces;
  std::size_t versions = 0;                    // how many moments had a name
  Seq checkpoint_seq = 0;                      // 0: there is none
  std::optional<crdt::Bytes> checkpoint = {};  // where it changes
  std::size_t entries_changed = 0;
  std::uint64_t bytes_before = 0;  // of the pieces that change, as they lie on disk
  std::uint64_t bytes_after = 0;
};
// What an entry is to be; its seq, sender and connection stay.
struct ChangedEntry {
  Time at;
  std::optional<Time> made_at;
  crdt::Bytes update;
};
// How each entry and the checkpoint are to change. What they answer is nullopt for "not at all".
struct Rewriter {
  std::function<std::optional<ChangedEntry>(const EntryView&)> entry;
  // nullptr: it stays.
  std::function<std::optional<crdt::Bytes>(crdt::ByteView state)> checkpoint = nullptr;
  // Nothing before or behind these is asked about.
  Seq first = 1;
  Seq last = ~Seq{0};
};

// A document that is to be gone as a whole, and what it has given out. Prepared by a Reader, done
// by the Writer.
struct Removal {
  std::string document;
  std::uint64_t generation = 1;
  Seq last_seq = 0;
  crdt::StateVector had;
};
// What came of it.
enum class Removed {
  kDone,
  kNoSuchDocument,
  kNotInBin,
  kChanged,  // it is not as it was when that was prepared
};

// Why a log is rewritten.
using RewriteReason = std::variant<Purge, Thinned>;

// The longest that a rule of retention may be: a century.
inline constexpr std::uint32_t kMostDays = 36'500;

// For how long a document's history is kept as it was written, and what came of that.
struct Retention {
  std::optional<std::uint32_t> days;  // of its own; 0: for ever; nullopt: as all others
  std::optional<Thinned> thinned;
  Seq last_seq = 0;
  Seq checkpoint_seq = 0;  // 0: there is none
};

// Everything needed to have a document in memory again: apply `state`, then the tail in order.
struct StoredDocument {
  // Rises when a backup is put back, and when the name of a document that is gone is used again.
  std::uint64_t generation = 1;
  LostClocks lost;
  Seq last_seq = 0;
  Seq checkpoint_seq = 0;  // 0: no checkpoint yet
  crdt::Bytes state;
  std::vector<LogEntry> tail;  // checkpoint_seq+1 … last_seq
  bool is_in_bin = false;
};

struct DocumentSummary {
  DocumentId id = 0;
  std::string name;
  std::string title;  // set by hand, else what the text says
  std::string excerpt;
  bool has_own_title = false;
  std::optional<std::uint32_t> history_days;  // of its own: see Retention
  Time created_at;
  Time edited_at;
  Seq last_seq = 0;
  Seq summary_seq = 0;  // what title and excerpt are of; behind last_seq after a crash
  // The last to have edited first, at most 8. One name with several client ids (a person who
  // reloaded the page) is there once.
  std::vector<Author> authors;
  std::optional<Time> deleted_at;  // when it was put into the bin, where it is
  // --- What Reader::list() leaves out ---
  std::vector<std::string> tags;  // in order
  bool is_starred = false;
  std::uint64_t size_bytes = 0;    // of its state as it is stored: a checkpoint, and what followed
  std::vector<Activity> activity;  // the last kActivityPeriods, the first first
};

// A page of a list, and where the next one begins; nullopt: nowhere.
struct ListPage {
  std::vector<DocumentSummary> documents;
  std::optional<ListPlace> next;
};

struct SearchHit {
  DocumentSummary document;
  std::vector<Snippet> snippets;  // of a search in the present; none where only its title matches
};
struct SearchPage {
  std::vector<SearchHit> hits;
  std::optional<ListPlace> next;
  // Documents that have changed since they were indexed: what came since is not found yet.
  std::size_t behind = 0;
};

// Documents that may ever have said something, and those of which the index does not know yet.
struct Candidates {
  std::vector<std::string> found;
  std::vector<std::string> behind;
};

// What came of naming a moment.
enum class Naming {
  kDone,
  kTaken,         // another one has that name
  kNoSuchMoment,  // there is no such document, or its log does not reach there
};

// That the whole store was read and compared.
struct Scan {
  Time at;
  std::size_t findings = 0;

  friend bool operator==(const Scan&, const Scan&) = default;
};

// Something wrong that Reader::verify() found.
struct Finding {
  std::string document;  // empty: the database as a whole
  Seq seq = 0;           // 0: not one entry of the log
  std::string cause;
};

// The one connection that writes and checkpoints.
//
// Home:   the journal's thread; not thread-safe.
// Errors: storage::Error.
class Writer {
 public:
  virtual ~Writer() = default;

  // Adds the updates in order, in one transaction. On return they are on disk (fsync). Throws
  // crdt::Bug, with nothing written, when a seq is not the one after the last.
  virtual void append(std::span<const Append> batch) = 0;
  // Replaces the document's checkpoint, if it is newer. Throws crdt::Bug when it is ahead of the
  // document's log.
  virtual void write_checkpoint(const Checkpoint& checkpoint) = 0;
  // Puts a packed stretch of the log in place of its rows; nothing else changes. Does nothing, and
  // answers false, when the log was packed further meanwhile.
  virtual bool compact(const Compaction& compaction) = 0;

  // Title, tags, stars and retention; all or nothing. False: there is no such document.
  virtual bool edit(const DocumentEdit& edit) = 0;
  // Into the bin, as of then, and out of it. What is there already stays as it is. False: there is
  // no such document.
  virtual bool put_into_bin(std::string_view document, Time at) = 0;
  virtual bool take_from_bin(std::string_view document) = 0;

  // Changes rows of the index, all in one transaction. A step that was prepared of other rows than
  // there are now does nothing, and neither do those of the same document behind it; answers how
  // many did something. An index that turns out to be damaged is emptied, to be made anew.
  virtual std::size_t index(std::span<const IndexStep> steps) = 0;
  // Takes everything that the index says of a document out of it, so that after VACUUM no word of
  // it is in the file any more: for who takes words out of the log. Nothing that was prepared
  // before gets in behind it, and the document is indexed anew when somebody next does. Costs as
  // much as writing the whole index of all documents anew.
  virtual void drop_index(std::string_view document) = 0;

  // Stores a piece of a history's checkpoint. False, and nothing happens, where the log is another
  // one now.
  virtual bool keep_history(const HistoryStep& step) = 0;

  // Stores documents that are not there yet, all in one transaction. Where a name was used before,
  // the generation is one more than then at least, and what of that document is in this one counts
  // as lost no more. Throws NameTaken, with nothing written.
  virtual void create(std::span<const WholeDocument> documents) = 0;
  // Puts the changed entries and the checkpoint in place of what they were, and notes why. For a
  // purge it forgets the title, the excerpt and what the index has (drop_index()), which may say
  // what has gone. The history's checkpoint goes. Does nothing, and answers false, when the log was
  // packed, rewritten or checkpointed meanwhile, or a moment named.
  virtual bool rewrite(const LogRewrite& rewrite, const RewriteReason& reason) = 0;
  // Takes a document that is in the bin out of the store, with everything that is known of it but
  // its name, its generation, what it has given out (LostClocks) and the notes of what was purged.
  // The next one of that name is of the next generation. All of it, or nothing.
  virtual Removed remove(const Removal& removal, const Purge& purge) = 0;
  // Behind a rewrite(), a remove() or a drop_index(): writes the database anew, so that no byte of
  // what was deleted or replaced is left in it, and empties the write-ahead log. Takes as long as
  // copying the store, and as much room once more. False where somebody reads for so long that the
  // write-ahead log could not be emptied. Until it was done once it is due, and the next writer of
  // the store does it when it begins, if there is room.
  virtual bool scrub() = 0;
  // Names a moment. Doing it again changes nothing and is done.
  virtual Naming name_version(std::string_view document, const Version& version) = 0;
  virtual void note_scan(const Scan& scan) = 0;
  // Moves pages from the write-ahead log into the database where that is due. Cheap when it is not:
  // call it after every append.
  virtual void maintain() = 0;
  // The same, due or not: for when nothing has been written for a while. Costs some fsyncs, and
  // leaves the write-ahead log empty unless a reader is in the way.
  virtual void settle() = 0;
};

// A connection that only reads. Sees all commits that were done when a call starts.
//
// Home:   one thread at a time.
// Errors: storage::Error; kCorrupt when a checksum does not match: that document only is
//         unreadable, and nothing is written over it.
class Reader {
 public:
  virtual ~Reader() = default;

  // nullopt when there is no such document, nor ever was. Of one that is gone, what the next one of
  // that name begins with: a log without an entry, the generation, what is lost.
  virtual std::optional<StoredDocument> load(std::string_view document) = 0;
  // All of them, those in the bin too, ordered by last edit, newest first: for who goes through the
  // whole store at once.
  virtual std::vector<DocumentSummary> list(std::size_t limit, std::size_t offset) = 0;
  // Those that somebody asks for, in pages.
  // Cost: of the order by edit or title O(log n) and what is passed by; else O(n log n).
  virtual ListPage list(const ListQuery& query) = 0;
  // One of them; nullopt where there is none of that name. O(log n).
  virtual std::optional<DocumentSummary> find(std::string_view document, std::string_view user) = 0;
  // At most `limit` entries from `first` on; none when there is no such document.
  virtual std::vector<LogEntry> log(std::string_view document, Seq first, std::size_t limit) = 0;
  // Shows the entries from `first` to `last` in order, as far as they are there, without a copy of
  // each: for who reads a whole history.
  virtual void visit(std::string_view document, Seq first, Seq last,
                     const EntryVisitor& visitor) = 0;
  // Everybody whose content the log brings or who sent some of it, by the first appearance.
  virtual std::vector<Author> authors(std::string_view document) = 0;
  // Shows a document with all of its log, from one snapshot: first its head, then stretch after
  // stretch, packed already or packed here (some 10 µs per entry). False where there is no such
  // document. Memory of one stretch, at most 16 MiB of updates and a commit.
  virtual bool read_whole(std::string_view document,
                          const std::function<void(const DocumentHead&)>& show_head,
                          const std::function<void(const PackedStretch&)>& show_stretch) = 0;
  // The earliest moment first; none where there is no such document.
  virtual std::vector<Version> versions(std::string_view document) = 0;
  // All that were ever made under this name, the latest first, whether there is a document or not.
  virtual std::vector<Purge> purges(std::string_view document) = 0;
  virtual LogVersion log_version(std::string_view document) = 0;
  // nullopt where there is no such document. Reads what load() does, or where that is damaged, who
  // has written in it: then all that they could ever have written counts as given out.
  virtual std::optional<Removal> prepare_removal(std::string_view document) = 0;
  virtual std::optional<Retention> retention(std::string_view document) = 0;
  // Documents not in the bin that are to be thinned, where `days` holds for those that have no rule
  // of their own, and how many days hold for each: those with `entries` entries at least behind
  // what was thinned, unless that was done after `before`.
  struct Thinnable {
    std::string document;
    std::uint32_t days = 0;
    Seq thinned = 0;
  };
  virtual std::vector<Thinnable> thinnable(std::uint32_t days, Seq entries, Time before) = 0;
  // Reads the log and answers those pieces that change; nullopt where there is no such document.
  // Throws crdt::Bug when what would be written could not be read again.
  virtual std::optional<LogRewrite> prepare_rewrite(std::string_view document,
                                                    const Rewriter& rewriter) = 0;
  // What opens the document's history; nullopt where there is none, or it is damaged.
  virtual std::optional<HistoryCheckpoint> kept_history(std::string_view document) = 0;
  // One to be kept; nullopt where it is not due, there is no such document, or its log has more
  // than `most_bytes` of updates. Reads what is new since the last one was made.
  virtual std::optional<HistoryCheckpoint> prepare_history(std::string_view document,
                                                           std::size_t most_bytes,
                                                           Occasion occasion) = 0;
  // Packs a part of the log that is behind the last checkpoint, if there is enough of it. Takes as
  // long as compressing takes, a few microseconds per entry; the log is not held up. Throws
  // crdt::Bug when not every entry could be had back from it to the byte.
  virtual std::optional<Compaction> prepare_compaction(std::string_view document,
                                                       Occasion occasion) = 0;

  // The last edited first. Of those in the bin nothing is found.
  // Cost: O(rows of the index that match), and reading a row or two of each hit.
  virtual SearchPage search(const SearchQuery& query) = 0;
  // Documents in which the text may ever have stood to the letter, inside of words too.
  // Cost: O(distinct words of the whole store).
  virtual Candidates find_candidates(std::string_view text) = 0;
  // Those of which the index is not up to date, by the last edit; at most `limit`.
  virtual std::vector<std::string> unindexed(std::size_t limit) = 0;
  // What the index lacks of a document: nullopt where it is up to date, or there is no document.
  // Replays the whole log, about a tenth of a microsecond for each byte of it; of one with more
  // than `most_bytes` only what the document says now.
  virtual std::optional<PreparedIndex> prepare_index(std::string_view document,
                                                     std::size_t most_bytes) = 0;

  // Reads everything and answers what is wrong with it; empty is well: the file and its references,
  // every checksum, that every entry is there and is an update, and that the log of each document,
  // replayed up to its checkpoint, comes to what is in the checkpoint. Asks before each document
  // whether to go on.
  // Cost: as long as reading the whole file and applying every update takes, but it never holds up
  //       the writer; memory of one document at a time: its checkpoint, the document replayed, and
  //       where the bytes of these two differ, both documents and what they show.
  virtual std::vector<Finding> verify(const std::function<bool()>& go_on) = 0;
  std::vector<Finding> verify() {
    return verify([] { return true; });
  }
  // The latest that was noted.
  virtual std::optional<Scan> last_scan() = 0;
};

// One data directory, held by one process at a time.
class Store {
 public:
  virtual ~Store() = default;

  // One at a time. After a failed commit, destroy it and ask again: that is what reopening means.
  virtual std::unique_ptr<Writer> writer() = 0;
  virtual std::unique_ptr<Reader> reader() = 0;
};

}  // namespace palimpsest::storage
