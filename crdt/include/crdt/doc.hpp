#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/any.hpp"
#include "crdt/bytes.hpp"
#include "crdt/change_set.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/events.hpp"
#include "crdt/id.hpp"
#include "crdt/relative_position.hpp"
#include "crdt/shared_type.hpp"
#include "crdt/snapshot.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/touched.hpp"
#include "crdt/update.hpp"
#include "crdt/v2.hpp"

namespace palimpsest::crdt {

namespace internal {
struct Core;
class Writing;
}  // namespace internal

class Transaction;
class Weave;

// What one document takes. Units: bytes of encoded update, numbers of blocks and clients.
struct Limits {
  // Of all that waits, of however many updates; a range of deletions counts as a block.
  std::size_t pending_bytes = std::size_t{1} << 20;
  std::size_t pending_blocks = 10'000;
  std::size_t clients = 100'000;
  std::size_t type_depth = 100;
};

// Why Doc::check() says no.
enum class Refusal { kPendingFull, kTooManyClients, kTooDeep };

// A replica of one document: every root type in it, what is deleted, and what waits for a missing
// neighbour. It behaves as Yjs 13 does: the same order of items, the same merging and garbage
// collection of blocks, so that it writes the bytes that Yjs would write.
//
// Invariant: check_invariants().
// Home:      whoever owns it; not thread-safe. No I/O, clock, randomness or globals.
// Units:     text positions and lengths are UTF-16 code units, as in Yjs.
class Doc {
 public:
  struct Options {
    // Drop the content of what is deleted, as Yjs does by default.
    bool gc = true;
    // After a remote change to a nested formatted text, delete formatting marks that have no
    // effect, as a Yjs client does. Peers do it for each other, so a server need not.
    bool clean_formatting = false;
  };

  Doc();
  explicit Doc(Options options);
  Doc(Doc&&) noexcept;
  Doc& operator=(Doc&&) noexcept;
  ~Doc();

  // A document from one update, usually the whole state that encode() wrote: faster than
  // decoding the update and applying it to a new document, and the same result. Nothing is checked
  // against Limits. Throws DecodeError.
  static Doc load(ByteView update, Options options);
  static Doc load(ByteView update) { return load(update, Options{}); }
  static Doc load_v2(ByteView update, const V2Limits& limits, Options options);
  static Doc load_v2(ByteView update, const V2Limits& limits = {}) {
    return load_v2(update, limits, Options{});
  }

  // Whether this document takes the update. Changes nothing.
  std::optional<Refusal> check(const Update& update, const Limits& limits) const;

  // What the update would do: under which roots, whose content, which deletions. Changes nothing.
  // Cost: O(n log n) in the blocks of the update and those of the document that it deletes.
  Touched touched_by(const Update& update) const;

  struct Applied {
    // The document or what waits in it is not what it was.
    bool changed = false;
    // All of this update is integrated; false when a part of it waits for something missing.
    bool complete = true;
  };
  // Integrates what can be, keeps the rest as pending, and integrates what waited for it. Applying
  // an update twice, or in another order, gives the same document.
  // Cost: O(blocks) for the common case; a new block among k concurrent ones at one place, O(k).
  Applied apply(const Update& update);
  // The same, and tells which shared types it changed and how (crdt/events.hpp), in place of what
  // `events` held. A root's kind is not in the data: those in `text_roots` are texts, others when
  // guess_kind() says so.
  // Cost: a position tree for each list that changes and those around it, O(its blocks) the first
  //       time and O(log n) from then on; a text with formatting is walked, O(its blocks).
  Applied apply(const Update& update, Events& events, std::span<const std::string> text_roots = {});

  // Whether everything in the update is already integrated.
  bool covers(const Update& update) const;
  // The part of the update that covers() would miss, as an update; nullopt when that is all of it.
  // What the log keeps of an update that repeats known content.
  std::optional<Bytes> novel_part(const Update& update) const;

  // The whole document as one update, what is pending included.
  Bytes encode() const;
  // What a replica at `known` lacks, what is pending included.
  Bytes encode_since(const StateVector& known) const;

  StateVector state_vector() const;
  DeleteSet delete_set() const;
  bool has_pending() const;
  // Names of the root types, in the order in which they were first seen.
  std::vector<std::string> root_names() const;

  // --- Reading. A root's kind is not in the data: the caller says how to read it. A type that is
  // not there reads as empty. ---

  // The characters of a text as UTF-8, without embeds and formatting.
  std::string text(const TypeRef& type) const;
  // A text as Quill delta: [{"insert": text | embed, "attributes": {…}}, …].
  Any delta(const TypeRef& type) const;
  // As the array (kArray) or map (kMap) that Yjs' toJSON() answers; nested types as theirs,
  // sub-documents as Any::SubDocument.
  Any array(const TypeRef& type) const;
  Any map(const TypeRef& type) const;
  // The children as the text of Y.XmlFragment.toString().
  std::string xml(const TypeRef& type) const;
  // The shared type that is the value of a map's key or an XML element's attribute, or the element
  // of an array, a text or an XML type; nullopt where there is none.
  std::optional<Id> nested(const TypeRef& parent, std::string_view key) const;
  std::optional<Id> nested(const TypeRef& parent, std::size_t index) const;
  // Of a nested type.
  std::optional<SharedType> kind(Id type) const;
  // How a root that nobody has typed is best read, from its content.
  enum class RootKind { kEmpty, kText, kArray, kMap, kXml };
  RootKind guess_kind(std::string_view root) const;

  // --- Moments. They need what was deleted since: a document with gc = false. ---

  Snapshot snapshot() const;
  // Whether the document can be read at the snapshot. O(blocks).
  std::optional<SnapshotRefusal> check(const Snapshot& snapshot) const;
  // What the document was then, as one update (Yjs: createDocFromSnapshot), and as a document.
  // Throw std::invalid_argument where check() says no. O(bytes of the document).
  Bytes encode_at(const Snapshot& snapshot) const;
  Doc at(const Snapshot& snapshot, Options options) const;
  Doc at(const Snapshot& snapshot) const { return at(snapshot, Options{}); }
  // All that was inserted and deleted since then; what Transaction::restore() undoes. O(blocks).
  ChangeSet changes_since(const Snapshot& snapshot) const;

  // --- Positions. An index counts UTF-16 code units of a text, or elements. ---

  // The place before the unit at `index`, or the end of the type where it has no more (see
  // RelativePosition for assoc); nullopt where there is no such nested type.
  std::optional<RelativePosition> relative_position(const TypeRef& type, std::size_t index,
                                                    std::int64_t assoc = 0) const;
  // nullopt where what it stands beside is not known here yet, or has been collected.
  std::optional<AbsolutePosition> resolve(const RelativePosition& position) const;

  // --- Writing, as the replica `client` (never one that somebody else writes as). ---

  // Runs `change(Transaction&)` as one atomic change and answers the update that tells others;
  // empty bytes when it changed nothing.
  template <class Change>
  Bytes transact(ClientId client, Change&& change);
  // The same, and tells what it changed, as apply() does.
  template <class Change>
  Bytes transact(ClientId client, Events& events, Change&& change,
                 std::span<const std::string> text_roots = {});

  // Throws Bug. For tests and fuzzers; O(n).
  void check_invariants() const;

  // Bytes held for the document, capacity of its containers included.
  std::size_t memory_bytes() const;

 private:
  friend class Transaction;
  friend class Weave;
  std::unique_ptr<internal::Core> core_;
};

// One atomic local change. Alive only inside Doc::transact(). Nested types are named by the Id that
// the call which made them answers, or Doc::nested().
//
// Errors: std::out_of_range for a position past the end, std::invalid_argument for a nested type
//         that is not there any more, text that is not UTF-8 and a delta that is none. The call has
//         changed nothing then.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  // --- Text ---

  void text_insert(const TypeRef& text, std::size_t index_utf16, std::string_view utf8);
  // With the formatting given, in place of what surrounds the position: a map of name → value.
  void text_insert(const TypeRef& text, std::size_t index_utf16, std::string_view utf8,
                   const Any& attributes);
  // An image, a mention…: a JSON value that counts as one unit.
  void text_embed(const TypeRef& text, std::size_t index_utf16, const Any& embed,
                  const Any& attributes = Any(Any::Object{}));
  Id text_embed(const TypeRef& text, std::size_t index_utf16, NewType type,
                const Any& attributes = Any(Any::Object{}));
  void text_delete(const TypeRef& text, std::size_t index_utf16, std::size_t length_utf16);
  // `attributes`: a map of name → value; null takes a formatting away.
  void text_format(const TypeRef& text, std::size_t index_utf16, std::size_t length_utf16,
                   const Any& attributes);
  // A Quill delta: [{"insert": text | embed} | {"retain": n} | {"delete": n}, …], the first two
  // with "attributes"; as Y.Text.applyDelta(), but for a retain or delete past the end, which is
  // refused.
  void text_apply(const TypeRef& text, const Any& delta);

  // --- Elements of an array, children of an XML type ---

  // Bytes and sub-documents become values of their own kind, the rest lib0 values.
  void array_insert(const TypeRef& array, std::size_t index, const Any::Array& values);
  Id array_insert(const TypeRef& array, std::size_t index, NewType type);
  void array_delete(const TypeRef& array, std::size_t index, std::size_t length);

  // --- Entries of a map, attributes of an XML element or a text ---

  void map_set(const TypeRef& map, std::string_view key, const Any& value);
  Id map_set(const TypeRef& map, std::string_view key, NewType type);
  void map_delete(const TypeRef& map, std::string_view key);

  // --- Undoing: a change of this client that takes back what others did, and that can be undone
  // like any other. Needs gc = false, for what is deleted to be here still. ---

  // Deletes what the changes inserted, as far as it is visible, and puts back what they deleted: a
  // copy of each item directly before the deleted one, formatting marks too. What they both
  // inserted and deleted stays deleted. As Yjs' UndoManager.undo(), so
  //   - a map entry gets its old value back only where all that was set since is undone as well;
  //   - a nested type comes back as a new type, with copies of those children that the changes
  //     deleted;
  //   - what others wrote inside of something that is deleted here goes with it.
  // Unlike there, an unchanged copy that an earlier undo by this client, or by a restorer
  // (is_restorer()), put in the same place counts as restored, so that undoing twice does no more
  // than undoing once (nested types excepted). A copy is new content otherwise: to take an undo
  // back, undo the changes that it made.
  Undone undo(const ChangeSet& changes);
  // Back to what the document showed then: undoes all since, whoever did it.
  Undone restore(const Snapshot& moment);
  // The same for one type, and those in it.
  Undone restore(const TypeRef& type, const Snapshot& moment);
  // The same for a range of a text, in positions of that moment: characters, embeds and their
  // formatting. What was inserted since at an edge of the range goes where the unit of the range at
  // that edge had been deleted, and so been replaced; beside a unit that is still here it stays.
  struct Range {
    std::size_t index_utf16;
    std::size_t length_utf16;
  };
  Undone restore(const TypeRef& text, Range range, const Snapshot& moment);

 private:
  friend class Doc;
  Transaction(Doc& doc, ClientId client);
  Transaction(Doc& doc, ClientId client, Events& events, std::span<const std::string> text_roots);
  Bytes commit();
  inline internal::Writing& writing();

  // In place, so that a key pressed allocates nothing but its update.
  static constexpr std::size_t kStateAlignment = 8;
  alignas(kStateAlignment) std::byte state_[64];
  bool is_open_ = true;
};

template <class Change>
Bytes Doc::transact(ClientId client, Change&& change) {
  Transaction transaction(*this, client);
  change(transaction);
  return transaction.commit();
}

template <class Change>
Bytes Doc::transact(ClientId client, Events& events, Change&& change,
                    std::span<const std::string> text_roots) {
  Transaction transaction(*this, client, events, text_roots);
  change(transaction);
  return transaction.commit();
}

}  // namespace palimpsest::crdt
