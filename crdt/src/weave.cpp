#include "crdt/weave.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "crdt/delete_set.hpp"
#include "crdt/state_vector.hpp"
#include "find_type.hpp"
#include "utf16.hpp"
#include "weave_state.hpp"

namespace palimpsest::crdt {

using internal::Block;
using internal::BlockIndex;
using internal::ClientIndex;
using internal::Core;
using internal::DeletionMarks;
using internal::Kind;
using internal::kNone;
using internal::TypeIndex;
using internal::TypeKind;

namespace {

constexpr char16_t kReplacementUnit = 0xFFFD;

}  // namespace

// What is nearly every update: one block behind the last one of its client.
void Weave::State::note_keystroke(const internal::DecodedUpdate& update, std::uint32_t seq) {
  const internal::BlockView& block = update.only_block;
  const ClientIndex client = core.find_client(update.sections.front().client);
  Marks& own = marks_of(client);
  own.insertions.add(block.end(), seq);
  credit(seq, own.person, block.kind == Kind::kString ? block.length : 0, 0);
}

void Weave::State::note_change(std::uint32_t seq, std::uint32_t sender) {
  const internal::Change& change = core.last_change();
  std::size_t deleted = 0;
  for (const internal::Change::Span& span : change.deleted) {
    marks_of(span.client).deletions.add(span.clock, span.length, seq, sender);
    const Clock known = std::min(core.clock_before(change, span.client), span.clock + span.length);
    deleted += characters_in(span.client, span.clock, known, false);
  }
  bool has_credit = false;
  for (const ClientIndex client : change.clients) {
    const Clock begin = core.clients[client].clock_before;
    const Clock end = core.clock_of(client);
    if (begin == end) continue;
    Marks& own = marks_of(client);
    own.insertions.add(end, seq);
    note_born_deleted(client, begin, seq, sender);
    const std::size_t inserted = characters_in(client, begin, end, true);
    const bool is_sender = own.person == sender;
    if (inserted > 0 || is_sender) {
      credit(seq, own.person, inserted, is_sender ? std::exchange(deleted, 0) : 0);
      has_credit = true;
    }
  }
  if (deleted > 0 || !has_credit) credit(seq, sender, 0, deleted);
  for (const internal::Change::Torn& torn : change.torn) {
    marks_of(torn.client).tears.try_emplace(torn.clock, Tear{seq, sender, torn.character});
  }
}

void Weave::State::credit(std::uint32_t seq, std::uint32_t client, std::size_t inserted,
                          std::size_t deleted) {
  contributions.push_back(
      {seq, client, static_cast<std::uint32_t>(inserted), static_cast<std::uint32_t>(deleted)});
}

std::size_t Weave::State::characters_in(ClientIndex client, Clock begin, Clock end,
                                        bool only_visible) const {
  std::size_t count = 0;
  core.for_each_block(client, begin, end, [&](BlockIndex index) {
    const Block& block = core.blocks[index];
    if (block.kind != Kind::kString || (only_visible && block.deleted)) return;
    count += std::min(end, block.end()) - std::max(begin, block.clock);
  });
  return count;
}

// What comes without its content, because it had been deleted where it comes from.
void Weave::State::note_born_deleted(ClientIndex client, Clock begin, std::uint32_t seq,
                                     std::uint32_t sender) {
  const Clock end = core.clock_of(client);
  core.for_each_block(client, begin, end, [&](BlockIndex index) {
    const Block& block = core.blocks[index];
    if (block.kind != Kind::kDeleted && block.kind != Kind::kGc) return;
    const Clock first = std::max(begin, block.clock);
    marks[client].deletions.add(first, block.end() - first, seq, sender);
  });
}

// Where ids are wanted too, they are those of the units added.
void Weave::State::weave_item(const Block& item, WovenText& into, std::vector<Id>* ids) const {
  if (!internal::is_countable(item.kind)) return;
  const Marks& own = marks[item.client];
  const ClientId client = core.clients[item.client].id;
  const auto note_ids = [&](Clock begin, std::size_t count) {
    for (; ids != nullptr && count > 0; --count) ids->push_back({client, begin++});
  };
  const std::size_t first = into.units_.size();
  const std::size_t end = first + item.length;
  into.units_.resize(end, WovenText::kObject);
  if (item.kind == Kind::kString)
    internal::to_utf16(core.content_of(item), into.units_.data() + first);
  into.inserted_.resize(end);
  into.deleted_.resize(end, static_cast<std::uint32_t>(WovenText::kNever));
  into.clients_.resize(end, own.person);
  into.deleters_.resize(end);

  std::uint32_t* inserted = into.inserted_.data() + first;
  own.insertions.for_each(item.clock, item.end(),
                          [&](Clock count, std::uint32_t seq, std::uint32_t step) {
                            for (; count > 0; --count, seq += step) *inserted++ = seq;
                          });
  if (!item.deleted && own.tears.empty()) return note_ids(item.clock, item.length);
  bool is_plain = own.tears.empty();
  own.deletions.for_each(
      item.clock, item.end(), [&](const DeletionMarks::Note& note, Clock from, Clock until) {
        std::uint32_t seq = note.seq_of(from);
        for (std::size_t unit = first + (from - item.clock); from < until; ++from, ++unit) {
          into.deleted_[unit] = seq;
          into.deleters_[unit] = note.sender;
          is_plain = is_plain && into.inserted_[unit] < seq;
          seq += static_cast<std::uint32_t>(note.step);
        }
      });
  if (is_plain) return note_ids(item.clock, item.length);

  // Some were never to be seen, or were torn: once more, one by one.
  WovenText once;
  const auto take = [&](auto& from, auto& to) {
    to.assign(from.begin() + static_cast<std::ptrdiff_t>(first), from.end());
    from.resize(first);
  };
  take(into.units_, once.units_);
  take(into.inserted_, once.inserted_);
  take(into.deleted_, once.deleted_);
  take(into.clients_, once.clients_);
  take(into.deleters_, once.deleters_);
  const auto tear_at = [&](Clock clock) -> const Tear* {
    const auto tear = own.tears.find(clock);
    return tear == own.tears.end() ? nullptr : &tear->second;
  };
  for (std::size_t i = 0; i < once.size(); ++i) {
    const Clock clock = item.clock + i;
    const std::uint32_t begin = once.inserted_[i];
    const std::uint32_t gone = once.deleted_[i];
    const std::uint32_t deleter = once.deleters_[i];
    const Tear* const first_half = tear_at(clock);
    const Tear* const second_half = clock > 0 ? tear_at(clock - 1) : nullptr;
    const Tear* const tear = first_half != nullptr ? first_half : second_half;
    const auto add = [&](char16_t unit, Clock at, std::uint32_t from, std::uint32_t until,
                         std::uint32_t ended_by) {
      const std::size_t before = into.size();
      into.add(unit, from, until, own.person, ended_by);
      note_ids(at, into.size() - before);
    };
    if (tear == nullptr) {
      add(once.units_[i], clock, begin, gone, deleter);
      continue;
    }
    if (first_half != nullptr) {
      const bool ends_torn = tear->seq < gone;
      const std::uint32_t end_of_pair = ends_torn ? tear->seq : gone;
      const std::uint32_t ended_by = ends_torn ? tear->sender : deleter;
      add(internal::high_half(tear->character), clock, begin, end_of_pair, ended_by);
      add(internal::low_half(tear->character), clock + 1, begin, end_of_pair, ended_by);
    }
    add(kReplacementUnit, clock, std::max(begin, tear->seq), gone, deleter);
  }
}

void Weave::State::weave_list(TypeIndex list, WovenText& into, std::vector<Id>* ids) {
  for (Marks& own : marks) own.deletions.sort();
  std::size_t units = 0;
  for (BlockIndex i = core.types[list].start; i != kNone; i = core.blocks[i].right)
    units += core.blocks[i].length;
  into.reserve(units);
  for (BlockIndex i = core.types[list].start; i != kNone; i = core.blocks[i].right)
    weave_item(core.blocks[i], into, ids);
}

std::string Weave::State::root_of(TypeIndex type) const {
  while (core.types[type].item != kNone) type = core.type_of(core.blocks[core.types[type].item]);
  return std::string(core.names[core.types[type].name]);
}

Weave::Weave() : Weave(Doc({.gc = false})) {}
Weave::Weave(Doc doc)
    : state_(std::make_unique<State>(std::move(doc), [](Doc& of) -> Core& { return *of.core_; })) {}
Weave::Weave(Weave&&) noexcept = default;
Weave& Weave::operator=(Weave&&) noexcept = default;
Weave::~Weave() = default;

void Weave::add(const Entry& entry) {
  PALIMPSEST_ASSERT(entry.seq > state_->last_seq && entry.seq < WovenText::kNever);
  internal::DecodedUpdate update;
  internal::decode_update(entry.update, update);
  Core& core = state_->core;
  const std::uint64_t epoch = core.epoch;
  core.apply(update);
  const auto seq = static_cast<std::uint32_t>(entry.seq);
  const std::uint32_t sender = state_->sender_index(entry.sender);
  if (core.epoch == epoch) {
    state_->note_keystroke(update, seq);
  } else {
    state_->note_change(seq, sender);
  }
  state_->last_seq = entry.seq;
}

Seq Weave::last_seq() const { return state_->last_seq; }

std::span<const Weave::Contribution> Weave::contributions() const { return state_->contributions; }

ClientId Weave::client(std::uint32_t index) const { return state_->people[index]; }

std::span<const ClientId> Weave::clients() const { return state_->people; }

const Doc& Weave::doc() const { return state_->doc; }

std::vector<Seq> Weave::tears() const {
  std::vector<Seq> seqs;
  for (const State::Marks& own : state_->marks) {
    for (const auto& [clock, tear] : own.tears) seqs.push_back(tear.seq);
  }
  std::sort(seqs.begin(), seqs.end());
  return seqs;
}

std::vector<Weave::Text> Weave::texts() const {
  const Core& core = state_->core;
  const auto holds_characters = [&](TypeIndex type) {
    for (BlockIndex i = core.types[type].start; i != kNone; i = core.blocks[i].right) {
      if (core.blocks[i].kind == Kind::kString) return true;
    }
    return false;
  };
  std::vector<Text> texts;
  for (TypeIndex type = 0; type < core.types.size(); ++type) {
    const internal::Type& known = core.types[type];
    if (known.item == kNone) {
      if (known.kind == TypeKind::kUnknown && holds_characters(type)) {
        texts.push_back({state_->root_of(type), std::nullopt});
      }
    } else if (known.kind == TypeKind::kText || known.kind == TypeKind::kXmlText) {
      texts.push_back({state_->root_of(type), internal::id_of_type(core, type)});
    }
  }
  // The order in which a replica came to know them is another one where it was loaded.
  const auto key = [](const Text& text) {
    const Id id = text.type.value_or(Id{});
    return std::tuple(std::string_view(text.root), text.type.has_value(), id.client, id.clock);
  };
  std::ranges::sort(texts, {}, key);
  return texts;
}

std::optional<WovenText> Weave::text(const TypeRef& type) const {
  const auto found = internal::find_type(state_->core, type);
  if (!found) return std::nullopt;
  WovenText text;
  text.last_seq_ = state_->last_seq;
  text.people_ = state_->people;
  state_->weave_list(*found, text, nullptr);
  text.finish();
  return text;
}

std::vector<Id> Weave::ids(const TypeRef& type) const {
  std::vector<Id> ids;
  WovenText text;
  if (const auto found = internal::find_type(state_->core, type))
    state_->weave_list(*found, text, &ids);
  return ids;
}

Snapshot Weave::snapshot(Seq at) const {
  const auto seq = static_cast<std::uint32_t>(std::min<Seq>(at, state_->last_seq));
  Snapshot snapshot;
  for (ClientIndex client = 0; client < state_->marks.size(); ++client) {
    const State::Marks& own = state_->marks[client];
    const ClientId id = state_->core.clients[client].id;
    const Clock clock = own.insertions.count_at(seq);
    if (clock > 0) snapshot.state_vector.set(id, clock);
    for (const DeletionMarks::Note& note : own.deletions.notes()) {
      const auto [begin, end] = note.clocks_between(0, seq);
      if (begin < end) snapshot.delete_set.append(id, begin, end - begin);
    }
  }
  snapshot.delete_set.normalize();
  return snapshot;
}

Doc Weave::replica() const { return Doc::load(state_->doc.encode(), {.gc = false}); }

template <class IsOne>
ChangeSet Weave::changes_by(Seq from, Seq to, IsOne is_one) const {
  const auto behind = static_cast<std::uint32_t>(std::min<Seq>(from, state_->last_seq));
  const auto last = static_cast<std::uint32_t>(std::min<Seq>(to, state_->last_seq));
  ChangeSet changes;
  for (ClientIndex client = 0; client < state_->marks.size(); ++client) {
    const State::Marks& own = state_->marks[client];
    const ClientId id = state_->core.clients[client].id;
    const Clock begin = own.insertions.count_at(behind);
    const Clock end = own.insertions.count_at(last);
    if (begin < end && is_one(id)) changes.inserted.append(id, begin, end - begin);
    for (const DeletionMarks::Note& note : own.deletions.notes()) {
      if (!is_one(state_->people[note.sender])) continue;
      const auto [first, stop] = note.clocks_between(behind, last);
      if (first < stop) changes.deleted.append(id, first, stop - first);
    }
  }
  changes.deleted.normalize();
  return changes;
}

ChangeSet Weave::changes(Seq from, Seq to) const {
  return changes_by(from, to, [](ClientId) { return true; });
}

ChangeSet Weave::changes(Seq from, Seq to, std::span<const ClientId> by) const {
  return changes_by(from, to, [&](ClientId client) {
    return std::find(by.begin(), by.end(), client) != by.end();
  });
}

std::size_t Weave::memory_bytes() const {
  std::size_t bytes = state_->doc.memory_bytes() + sizeof(State) +
                      state_->contributions.capacity() * sizeof(Contribution) +
                      state_->marks.capacity() * sizeof(State::Marks);
  for (const State::Marks& own : state_->marks) {
    bytes += own.insertions.memory_bytes() + own.deletions.memory_bytes();
  }
  return bytes;
}

}  // namespace palimpsest::crdt
