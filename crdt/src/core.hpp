#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "block.hpp"
#include "block_list.hpp"
#include "crdt/any.hpp"
#include "crdt/bytes.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/doc.hpp"
#include "crdt/id.hpp"
#include "crdt/state_vector.hpp"
#include "decoded_update.hpp"
#include "large_pages.hpp"
#include "pending.hpp"
#include "positions.hpp"
#include "siblings.hpp"

// The document behind Doc: tables of plain records that refer to each other by index.
//
//   clients  one entry a client: its blocks in clock order, and the bytes of their content
//   blocks   a pool of 64-byte records: an item, or the GC block that an item has become
//   types    shared types: the roots, and those that items carry
//   slots    one entry a (type, key): the items that were ever set there
//   names    every root name, key and element name, once
//
// An item's neighbours in its list are indices, so a document costs no allocation per item, and
// content of one client lies in clock order, so joining two runs adds two lengths.

namespace palimpsest::crdt::internal {

using ClientIndex = std::uint32_t;
using TypeIndex = std::uint32_t;
using SlotIndex = std::uint32_t;
using NameIndex = std::uint32_t;
inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

struct Block {
  Clock clock = 0;
  Clock origin_clock = 0;
  Clock right_origin_clock = 0;
  ClientIndex client = 0;
  ClientIndex origin_client = kNone;        // kNone: no origin
  ClientIndex right_origin_client = kNone;  // kNone: no right origin
  std::uint32_t length = 0;
  BlockIndex left = kNone;
  BlockIndex right = kNone;
  // The type it is in; of a map entry the slot, which knows the type.
  std::uint32_t parent = kNone;
  // In the client's content; of a type the TypeIndex.
  std::uint32_t content = 0;
  std::uint32_t content_bytes = 0;
  Kind kind = Kind::kGc;
  bool deleted = false;
  bool in_map = false;

  Clock end() const { return clock + length; }
  bool is_visible() const { return !deleted && is_countable(kind); }
  // What it adds to the length of its parent.
  std::uint32_t units() const { return is_visible() ? length : 0; }
};
static_assert(sizeof(Block) == 64);

// The two hang together where their clocks meet: the right one was written behind the left one's
// last unit, and both before the same item.
inline bool joins_across(const Block& left, const Block& right) {
  return right.origin_client == left.client && right.origin_clock == left.end() - 1 &&
         left.right_origin_client == right.right_origin_client &&
         (left.right_origin_client == kNone || left.right_origin_clock == right.right_origin_clock);
}

struct Client {
  ClientId id = 0;
  BlockList blocks;
  Bytes content;
  std::size_t dead_bytes = 0;  // of content, no longer referred to
  std::uint64_t epoch = 0;     // of the last change that added blocks, and
  Clock clock_before = 0;      // the clock before it
};

struct Type {
  TypeKind kind = TypeKind::kUnknown;
  bool has_formatting = false;
  std::uint16_t depth = 0;  // 0 for a root; stays at the largest number that fits
  BlockIndex item = kNone;  // that carries it; kNone for a root
  BlockIndex start = kNone;
  NameIndex name = kNone;  // of a root, of an XML element or hook
  SlotIndex first_slot = kNone;
  SlotIndex last_slot = kNone;
};

struct Slot {
  TypeIndex type = kNone;
  NameIndex key = kNone;
  BlockIndex first = kNone;
  BlockIndex last = kNone;  // the one whose value counts
  SlotIndex next = kNone;   // of the same type, in the order in which keys were first set
};

// Each distinct string once.
class Names {
 public:
  NameIndex intern(std::string_view name);
  std::optional<NameIndex> find(std::string_view name) const;
  std::string_view operator[](NameIndex index) const { return strings_[index]; }
  std::size_t size() const { return strings_.size(); }

 private:
  std::deque<std::string> strings_;
  std::unordered_map<std::string_view, NameIndex> index_;
};

// What one atomic change did so far (Yjs: Transaction).
struct Change {
  struct Span {
    ClientIndex client;
    Clock clock;
    std::uint64_t length;
  };
  struct Point {
    ClientIndex client;
    Clock clock;
  };

  std::uint64_t epoch = 0;
  std::vector<ClientIndex> clients;  // that have new blocks
  std::vector<Span> deleted;
  std::vector<Span> erased;  // likewise, and nothing about them is left to do
  // Typed on behind the client's last unit, in the same block, by a change that had no new blocks
  // yet; likewise. `typed_bytes` of content.
  Span typed{};
  std::size_t typed_bytes = 0;
  std::vector<Point> split;  // blocks to try to merge again at the end
  // Surrogate pairs that a split tore: what they were, and where the first half is.
  struct Torn {
    ClientIndex client;
    Clock clock;
    char32_t character;
  };
  std::vector<Torn> torn;
  // Types to look at when formatting is cleaned up after a remote change; empty where it isn't.
  std::unordered_set<TypeIndex> changed_types;
  bool tracks_types = false;
};

// Where a local text was last edited: behind this unit, which is visible and stands before `index`.
// Forgotten with any other change.
struct Caret {
  TypeIndex text = kNone;
  std::uint64_t index = 0;
  ClientIndex client = 0;
  Clock clock = 0;
};

struct EventRequest;

struct Core {
  explicit Core(Doc::Options doc_options) : options(doc_options) {}

  Doc::Options options;
  std::vector<Client> clients;
  std::vector<Block, LargePages<Block>> blocks;
  std::vector<Type> types;
  std::vector<Slot> slots;
  Names names;
  std::vector<TypeIndex> roots;  // in the order in which they were first named
  std::optional<PendingBlocks> pending;
  ClockRanges pending_deletes;
  // What waits may have been reached by another change than the one that looks for that.
  bool look_again_at_pending = false;
  Positions positions;
  Siblings siblings;
  Caret caret;
  std::uint64_t epoch = 0;

  // --- Tables (core.cpp) ---

  ClientIndex client_index(ClientId id);
  // kNone for one never heard of.
  ClientIndex find_client(ClientId id) const {
    if (last_client_ != kNone && clients[last_client_].id == id) return last_client_;
    return search_client(id);
  }
  Clock clock_of(ClientIndex client) const { return clients[client].blocks.clock(); }
  Clock clock_of_id(ClientId id) const;
  // The block that holds `clock`, which must be known.
  BlockIndex block_at(ClientIndex client, Clock clock) const;

  // Visits the client's blocks that hold clocks of [begin, end), both known. The list of blocks
  // must not change meanwhile.
  template <class Visit>
  void for_each_block(ClientIndex client, Clock begin, Clock end, Visit&& visit) const {
    if (begin >= end) return;
    const BlockList& own = clients[client].blocks;
    for (auto place = own.find(begin); place != own.end() && own.clock_at(place) < end;
         place = own.next(place)) {
      visit(own[place]);
    }
  }

  // That so many blocks and bytes of content of the client are about to come.
  void expect(ClientIndex client, std::size_t block_count, std::size_t content_bytes);
  // By value: what is copied may be in the pool, which moves when it grows.
  BlockIndex allocate(Block block);
  void release(BlockIndex block);

  TypeIndex root(std::string_view name);
  std::optional<TypeIndex> find_root(std::string_view name) const;
  SlotIndex slot(TypeIndex type, std::string_view key);
  std::optional<SlotIndex> find_slot(TypeIndex type, std::string_view key) const;
  TypeIndex type_of(const Block& item) const {
    return item.in_map ? slots[item.parent].type : item.parent;
  }

  // The tree of positions of a list, made where there is none.
  const Positions& positions_of(TypeIndex list);

  ByteView content_of(const Block& block) const {
    return ByteView(clients[block.client].content).subspan(block.content, block.content_bytes);
  }
  std::uint32_t store_content(ClientIndex client, ByteView bytes);
  void drop_content(Block& block);

  // --- Changing (change.cpp) ---

  // The change that is going on from now on; one at a time.
  Change& begin();
  // Collects garbage and joins blocks as Yjs does when a transaction ends. Cleans formatting up
  // after a remote change where the options say so.
  void end(Change& change, bool remote);
  // The last that had a beginning; `epoch` says which that was. Its clients, deletions and tears
  // stay readable until the next begins.
  const Change& last_change() const { return change_; }

  // Where `client` gets new blocks, before the first of them.
  void touch(Change& change, ClientIndex client);
  Clock clock_before(const Change& change, ClientIndex client) const;

  // Cuts the block at `place` in two behind `units`; answers the place of the right part.
  BlockList::Place split(Change& change, ClientIndex client, BlockList::Place place,
                         std::uint64_t units);
  // The block that starts with, or ends with, the unit; cut out if need be. A GC block is not cut.
  BlockIndex clean_start(Change& change, ClientIndex client, Clock clock);
  BlockIndex clean_end(Change& change, ClientIndex client, Clock clock);

  void erase(Change& change, BlockIndex item);
  void mark_changed(Change& change, TypeIndex type);

  // --- Integration (integrate.cpp) ---

  // Whose the blocks are that a block refers to; kNone where it refers to none.
  struct Neighbours {
    ClientIndex origin = kNone;
    ClientIndex right_origin = kNone;
    ClientIndex parent = kNone;
  };
  // Finds them for a block of `client`; answers the client whose missing blocks it waits for, or
  // kNobody.
  static constexpr ClientId kNobody = ~ClientId{0};
  ClientId find_neighbours(ClientIndex client, const BlockView& view, Neighbours& neighbours) const;
  // Takes a block in whose dependencies are there, from unit `offset` on.
  void integrate(Change& change, ClientIndex client, const BlockView& view,
                 const Neighbours& neighbours, std::uint64_t offset);
  // Puts a new local item between `left` and `right`, neighbours in `parent`.
  BlockIndex integrate_local(Change& change, Block item);
  // Makes an item whose neighbours are known, and which is among its client's blocks, a part of the
  // document.
  void link(Change& change, BlockIndex index);
  // Whether nothing stands between the neighbours of an item that is to be linked.
  bool is_undisturbed(const Block& item) const {
    return (item.left == kNone ? first_of_list(item) : blocks[item.left].right) == item.right;
  }
  // The type that an item's content, as it stands in an update, says it carries.
  TypeIndex add_type(ByteView content);
  // That `item`, whose parent is known, carries the type.
  void set_item(TypeIndex type, BlockIndex item);

  // --- Applying (apply.cpp) ---

  // With a request also tells what the update changed; without, nothing is done for it.
  Doc::Applied apply(const DecodedUpdate& update, const EventRequest* request = nullptr);
  // Deletes what is known of the ranges and answers the rest (Yjs: readAndApplyDeleteSet).
  std::vector<Deletion> apply_deletions(Change& change, std::span<const Deletion> deletions);
  bool covers(const DecodedUpdate& update) const;
  // Does at once what most updates ask for; false, and nothing done, for all others.
  bool apply_keystroke(const DecodedUpdate& update);
  bool append(ClientId client, const BlockView& block);
  bool erase_at_edge(const Deletion& deletion);
  bool is_deleted(const Deletion& deletion) const;

  // --- Encoding (encode.cpp) ---

  void write_common_block(Writer& writer, const Block& block) const;
  void write_block_of(Writer& writer, const Block& block, std::uint64_t offset) const;
  // The blocks from these clocks on; clients in any order, which becomes another.
  void write_blocks_since(Writer& writer, std::span<std::pair<ClientIndex, Clock>> from) const;
  void write_deletions(Writer& writer, const Change& change) const;
  Bytes encode_since(const StateVector& known) const;
  Bytes encode_change(const Change& change) const;
  // Of a change that is nothing but `typed`.
  Bytes encode_typed(const Change& change) const;
  StateVector state_vector() const;
  DeleteSet delete_set() const;
  template <class Visit>
  void for_each_deleted_range(ClientIndex client, Visit&& visit) const;
  void write_delete_set(Writer& writer) const;

  // --- Formatting (format.cpp) ---

  // Deletes formatting marks without effect (Yjs: cleanupYTextAfterTransaction). `cleanup` is the
  // change that the deletions belong to.
  void clean_formatting(Change& change, Change& cleanup);

  void check_invariants() const;
  void check_positions() const;
  std::size_t memory_bytes() const;

 private:
  ClientIndex search_client(ClientId id) const;
  bool erase_tail(ClientIndex client, BlockList::Place place, std::uint64_t units);
  bool erase_head(ClientIndex client, BlockList::Place place, std::uint64_t units);
  void collect(BlockIndex item);
  bool try_merge(BlockIndex left, BlockIndex right);
  struct Joined {
    BlockList::Place place;  // of the block that they all are now
    std::size_t count = 0;   // how many of them are gone
  };
  Joined merge_with_lefts(ClientIndex client, BlockList::Place place);
  void tidy(Change& change);
  bool changed_formatted_text(const Change& change) const;
  void merge_new_blocks(const Change& change);
  void merge_split_blocks(const Change& change);
  void collect_deleted(const Change& change);
  void merge_deleted(const Change& change);
  void compact_content(ClientIndex client);
  BlockIndex add_block(const Block& item);
  void insert_into_list(BlockIndex index);
  std::pair<BlockIndex, std::size_t> find_left_neighbour(const Block& item) const;
  Siblings::Group& collect_siblings(const Block& item);
  std::optional<Siblings::Limit> limit_of(const Block& item, Siblings::Group& group);
  BlockIndex last_hanging_on(BlockIndex sibling, const Block& item) const;
  std::optional<BlockIndex> place_among_siblings(Block& item, Siblings::Group& group);
  BlockIndex first_of_list(const Block& item) const;

  // By tree, since whoever connects chooses the ids: no choice makes a lookup slow.
  std::map<ClientId, ClientIndex> client_index_;
  mutable ClientIndex last_client_ = kNone;  // the one last looked up
  std::unordered_map<std::uint64_t, SlotIndex> slot_index_;
  std::unordered_map<NameIndex, TypeIndex> root_index_;
  TypeIndex last_root_ = kNone;  // the one last looked up
  BlockIndex free_block_ = kNone;
  Change change_;  // its memory is kept from one to the next
};

}  // namespace palimpsest::crdt::internal
