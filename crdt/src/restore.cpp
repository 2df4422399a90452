#include <algorithm>
#include <stdexcept>
#include <vector>

#include "find_type.hpp"
#include "moment.hpp"
#include "write.hpp"

namespace palimpsest::crdt::internal {
namespace {

// What has changed since a snapshot inside of types and items.
class Since {
 public:
  Since(const Core& core, const Snapshot& moment) : core_(core), moment_(moment) {
    moment_.delete_set.normalize();
  }

  // A part of an item whose units were all visible then, or else are now.
  struct Piece {
    BlockIndex item;
    DeleteSet::Range clocks;
    bool shown_then;
  };
  // Visits the parts of the item, first to last.
  template <class Visit>
  void for_each_piece(BlockIndex index, Visit&& visit) const {
    const Block& item = core_.blocks[index];
    const ClientId client = core_.clients[item.client].id;
    const Clock known = std::clamp(moment_.state_vector.clock_of(client), item.clock, item.end());
    for_each_gap(moment_.delete_set, client, {item.clock, known - item.clock},
                 [&](DeleteSet::Range shown) {
                   visit(Piece{index, shown, true});
                 });
    if (known < item.end() && !item.deleted) {
      visit(Piece{index, {known, item.end() - known}, false});
    }
  }

  // Notes what there is to undo of the piece, and of all in a type that it carries.
  void add(const Piece& piece) {
    note(piece);
    while (!types_.empty()) note_children();
  }
  void add(TypeIndex type) {
    types_.push_back(type);
    while (!types_.empty()) note_children();
  }

  const ChangeSet& changes() const { return changes_; }

 private:
  void note(const Piece& piece) {
    const Block& item = core_.blocks[piece.item];
    const ClientId client = core_.clients[item.client].id;
    if (!piece.shown_then) {
      changes_.inserted.add(client, piece.clocks.clock, piece.clocks.length);
    } else if (item.deleted) {
      changes_.deleted.add(client, piece.clocks.clock, piece.clocks.length);
    }
    if (item.kind == Kind::kType) types_.push_back(item.content);
  }

  void note_children() {
    const Type& type = core_.types[types_.back()];
    types_.pop_back();
    const auto note_all = [&](BlockIndex first) {
      for (BlockIndex i = first; i != kNone; i = core_.blocks[i].right) {
        for_each_piece(i, [&](const Piece& piece) { note(piece); });
      }
    };
    note_all(type.start);
    for (SlotIndex s = type.first_slot; s != kNone; s = core_.slots[s].next) {
      note_all(core_.slots[s].first);
    }
  }

  const Core& core_;
  Snapshot moment_;
  ChangeSet changes_;
  std::vector<TypeIndex> types_;  // whose children are still to be looked at
};

// What a range of a text was at a snapshot, and what of it has changed since.
struct RangeThen {
  struct Run {
    std::size_t length;
    Attributes<FormatValue> attributes;
  };
  std::size_t index_now = 0;  // where the range begins, once it is restored
  std::vector<Run> runs;      // its formatting then
  ChangeSet changes;
};

// Walks a text once and sorts its pieces into those before, in and behind a range of then.
class RangeReader {
 public:
  RangeReader(const Core& core, Transaction::Range range, const Snapshot& moment)
      : core_(core),
        since_(core, moment),
        begin_(range.index_utf16),
        end_(range.index_utf16 + range.length_utf16) {}

  RangeThen read(TypeIndex text) {
    for (BlockIndex i = core_.types[text].start; i != kNone; i = core_.blocks[i].right) {
      since_.for_each_piece(i, [&](const Since::Piece& piece) { take(piece); });
    }
    if (end_ > at_) throw std::out_of_range("a range behind the end of the text of then");
    settle_edge(at_begin_, first_is_deleted_);
    settle_edge(at_end_, last_is_deleted_);
    then_.changes = since_.changes();
    return std::move(then_);
  }

 private:
  void take(const Since::Piece& piece) {
    const Block& item = core_.blocks[piece.item];
    if (!is_countable(item.kind)) {
      if (piece.shown_then && item.kind == Kind::kFormat) {
        update_attributes(core_, piece.item, attributes_);
      }
    } else if (piece.shown_then) {
      take_old(piece);
    } else {
      take_new(piece);
    }
  }

  bool is_inside_pair(const Since::Piece& piece, std::size_t units) const {
    const Block& item = core_.blocks[piece.item];
    return item.kind == Kind::kString &&
           cut_content(item.kind, core_.content_of(item), item.length,
                       static_cast<std::size_t>(piece.clocks.clock - item.clock) + units)
               .needs_replacement;
  }

  // Cut at the ends of the range, which take a character whole.
  void take_old(const Since::Piece& piece) {
    const bool is_deleted = core_.blocks[piece.item].deleted;
    const std::size_t next = at_ + piece.clocks.length;
    if (at_ < begin_ && begin_ < next && is_inside_pair(piece, begin_ - at_)) --begin_;
    if (at_ < end_ && end_ < next && is_inside_pair(piece, end_ - at_)) ++end_;
    const std::size_t from = std::clamp(begin_, at_, next);
    const std::size_t to = std::clamp(end_, from, next);
    if (!is_deleted) then_.index_now += from - at_;
    if (from < to) {
      if (from == begin_) first_is_deleted_ = is_deleted;
      if (to == end_) last_is_deleted_ = is_deleted;
      since_.add({piece.item, {piece.clocks.clock + (from - at_), to - from}, true});
      then_.runs.push_back({to - from, attributes_});
    }
    at_ = next;
  }

  void take_new(const Since::Piece& piece) {
    if (at_ < begin_) {
      then_.index_now += piece.clocks.length;
    } else if (at_ == begin_) {
      at_begin_.push_back(piece);
    } else if (at_ < end_) {
      since_.add(piece);
    } else if (at_ == end_) {
      at_end_.push_back(piece);
    }
  }

  // What was inserted at an edge takes the place of a deleted unit there, or else stands beside it.
  void settle_edge(const std::vector<Since::Piece>& pieces, bool is_replacement) {
    for (const Since::Piece& piece : pieces) {
      if (is_replacement) {
        since_.add(piece);
      } else if (&pieces == &at_begin_) {
        then_.index_now += piece.clocks.length;
      }
    }
  }

  const Core& core_;
  Since since_;
  std::size_t begin_;
  std::size_t end_;
  std::size_t at_ = 0;  // how much of the text of then lies behind
  Attributes<FormatValue> attributes_;
  std::vector<Since::Piece> at_begin_;
  std::vector<Since::Piece> at_end_;
  bool first_is_deleted_ = false;
  bool last_is_deleted_ = false;
  RangeThen then_;
};

void refuse_ahead(const Core& core, const Snapshot& moment) {
  if (is_ahead(core, moment)) {
    throw std::invalid_argument("the snapshot is ahead of the document");
  }
}

}  // namespace

Undone Writing::restore(const Snapshot& moment) {
  refuse_ahead(core_, moment);
  return undo(changes_since(core_, moment));
}

Undone Writing::restore(TypeIndex type, const Snapshot& moment) {
  refuse_ahead(core_, moment);
  Since since(core_, moment);
  since.add(type);
  return undo(since.changes());
}

Undone Writing::restore(TypeIndex text, Transaction::Range range, const Snapshot& moment) {
  refuse_ahead(core_, moment);
  if (has_lost_content(core_, moment)) {
    throw std::invalid_argument("content visible at the snapshot has been collected");
  }
  if (range.length_utf16 == 0) return {};
  const RangeThen then = RangeReader(core_, range, moment).read(text);
  const Undone undone = undo(then.changes);
  std::size_t index = then.index_now;
  for (const RangeThen::Run& run : then.runs) {
    set_formatting(text, index, run.length, run.attributes);
    index += run.length;
  }
  return undone;
}

// Makes the formatting of a range what is given, where it is anything else.
void Writing::set_formatting(TypeIndex text, std::size_t index, std::size_t length,
                             const Attributes<FormatValue>& wanted) {
  Attributes<FormatValue> changed;
  const auto compare = [&](const Attributes<FormatValue>& current) {
    for (const auto& [key, value] : wanted.entries()) {
      if (!same_value(current.find(key), &value)) changed.set(key, value);
    }
    for (const auto& [key, value] : current.entries()) {
      if (wanted.find(key) == nullptr) changed.set(key, {"null", kNone});
    }
  };
  Position position = find(text, index);
  for (std::size_t left = length; left > 0;) {
    const Block& item = core_.blocks[position.right];
    if (item.is_visible()) {
      compare(position.attributes);
      left -= std::min<std::size_t>(left, item.length);
    }
    step(position);
  }
  if (!changed.empty()) format(text, index, length, changed);
}

}  // namespace palimpsest::crdt::internal
