#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/any.hpp"
#include "crdt/bytes.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/id.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/update.hpp"

namespace palimpsest::crdt {

namespace internal {
struct Core;
class Writing;
}  // namespace internal

class Transaction;

// What one document takes. Units: bytes of encoded update, numbers of blocks and clients.
struct Limits {
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

  // Whether this document takes the update. Changes nothing.
  std::optional<Refusal> check(const Update& update, const Limits& limits) const;

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

  // --- Reading. A root's kind is not in the data: the caller says how to read it. ---

  // The characters of a text root as UTF-8, without embeds and formatting.
  std::string text(std::string_view root) const;
  // A text root as Quill delta: [{"insert": text | embed, "attributes": {…}}, …].
  Any delta(std::string_view root) const;
  // A root as the array (kArray) or map (kMap) that Yjs' toJSON() answers; nested types as theirs.
  Any array(std::string_view root) const;
  Any map(std::string_view root) const;
  // As the text of Y.XmlFragment.toString().
  std::string xml(std::string_view root) const;
  // How a root that nobody has typed is best read, from its content.
  enum class RootKind { kEmpty, kText, kArray, kMap, kXml };
  RootKind guess_kind(std::string_view root) const;

  // --- Writing, as the replica `client` (never one that somebody else writes as). ---

  // Runs `change(Transaction&)` as one atomic change and answers the update that tells others;
  // empty bytes when it changed nothing.
  template <class Change>
  Bytes transact(ClientId client, Change&& change);

  // Throws Bug. For tests and fuzzers; O(n).
  void check_invariants() const;

  // Bytes held for the document, capacity of its containers included.
  std::size_t memory_bytes() const;

 private:
  friend class Transaction;
  std::unique_ptr<internal::Core> core_;
};

// One atomic local change. Alive only inside Doc::transact().
//
// Errors: std::out_of_range for a position past the end; nothing has been changed then.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  void text_insert(std::string_view root, std::size_t index_utf16, std::string_view utf8);
  // With the formatting given, in place of what surrounds the position: a map of name → value.
  void text_insert(std::string_view root, std::size_t index_utf16, std::string_view utf8,
                   const Any& attributes);
  void text_delete(std::string_view root, std::size_t index_utf16, std::size_t length_utf16);
  // `attributes`: a map of name → value; null takes a formatting away.
  void text_format(std::string_view root, std::size_t index_utf16, std::size_t length_utf16,
                   const Any& attributes);

  void map_set(std::string_view root, std::string_view key, const Any& value);
  void map_delete(std::string_view root, std::string_view key);

 private:
  friend class Doc;
  Transaction(Doc& doc, ClientId client);
  Bytes commit();

  std::unique_ptr<internal::Writing> writing_;
};

template <class Change>
Bytes Doc::transact(ClientId client, Change&& change) {
  Transaction transaction(*this, client);
  change(transaction);
  return transaction.commit();
}

}  // namespace palimpsest::crdt
