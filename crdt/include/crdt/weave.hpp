#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/change_set.hpp"
#include "crdt/doc.hpp"
#include "crdt/id.hpp"
#include "crdt/shared_type.hpp"
#include "crdt/snapshot.hpp"
#include "crdt/woven_text.hpp"

namespace palimpsest::crdt {

// A document's whole past, woven from its log: a replica that drops nothing, and for every unit in
// it with which update it came and with which it went.
//
// A unit comes with the update that made it a part of the document, which of one that had to wait
// for others is later than its own; it goes with the first update that deletes it.
//
// Home:  whoever owns it; not thread-safe. No I/O.
// Cost:  add() that of Doc::apply() and a few nanoseconds; memory a few bytes a keystroke beside
//        the replica's.
class Weave {
 public:
  Weave();
  Weave(Weave&&) noexcept;
  Weave& operator=(Weave&&) noexcept;
  ~Weave();

  // The log's next update; `seq` is above the last one. `sender` is whose update it is: the one who
  // deletes what it deletes. Throws DecodeError, and nothing has changed then.
  struct Entry {
    Seq seq = 0;
    ClientId sender = 0;
    ByteView update;
  };
  void add(const Entry& entry);

  Seq last_seq() const;

  // How many characters of text (UTF-16 units, in whatever text) an update brought and took away,
  // one entry for each client whose work is in it and for the sender where it deletes: at least one
  // for each update. What came and went with the same update is not counted.
  struct Contribution {
    std::uint32_t seq = 0;
    std::uint32_t client = 0;  // see client()
    std::uint32_t inserted = 0;
    std::uint32_t deleted = 0;
  };
  std::span<const Contribution> contributions() const;
  ClientId client(std::uint32_t index) const;
  std::span<const ClientId> clients() const;  // by that index

  // The updates that tore a surrogate pair, in order: its halves are U+FFFD from then on.
  std::vector<Seq> tears() const;

  // The texts there are and were: roots that hold or once held characters, and the types inside of
  // others that are texts. By name, each with those that are in it behind it.
  struct Text {
    std::string root;        // it is, or it is in
    std::optional<Id> type;  // of one inside: the item that carries it
  };
  std::vector<Text> texts() const;

  // The text so far; nullopt where no such type is known. O(units).
  std::optional<WovenText> text(const TypeRef& type) const;
  // Which unit of whom each of its units is, in the same order; the two U+FFFD in place of a torn
  // pair have the ids of its halves. Empty where no such type is known. O(units).
  std::vector<Id> ids(const TypeRef& type) const;

  // The document as it was behind that update, for Doc::at() and Doc::encode_at(). O(marks).
  Snapshot snapshot(Seq at) const;
  // As it is now, with all that was deleted.
  const Doc& doc() const;
  // A copy of that, to write in: what Transaction::restore() and undo() need. O(bytes).
  Doc replica() const;

  // What the updates behind `from` up to `to` inserted and deleted: all of them, or only what these
  // clients wrote and, as senders, deleted. O(marks).
  ChangeSet changes(Seq from, Seq to) const;
  ChangeSet changes(Seq from, Seq to, std::span<const ClientId> by) const;

  // All of it, to go on from later: add() needs no update twice. A grammar stands above the
  // functions (weave_form.cpp); the form is ours alone, and whoever keeps it can make it again from
  // the log. decode() throws DecodeError.
  //
  // Cost: 1 to 2 bytes for each unit that was written, erased and for each change beside the
  //       document's own, less where one person typed alone; some 10 ns each.
  Bytes encode() const;
  static Weave decode(ByteView bytes);

  std::size_t memory_bytes() const;

 private:
  struct State;
  explicit Weave(Doc replica);
  template <class IsOne>
  ChangeSet changes_by(Seq from, Seq to, IsOne is_one) const;
  std::unique_ptr<State> state_;
};

}  // namespace palimpsest::crdt
