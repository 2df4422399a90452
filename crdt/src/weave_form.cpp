#include <algorithm>
#include <limits>
#include <utility>

#include "weave_state.hpp"

// Weave::encode() and decode(): what a weave has beside its document, in small numbers.
//
// weave         := varUint(1) varUint(lastSeq) people varUint8Array(document) marks contributions
// people        := varUint(count) varUint(client)*     by their first appearance
// document      :  a Yjs update, v1, with the content of what is deleted
// marks         := varUint(count) (varUint(client) insertions deletions tears)*
// insertions    := varUint(end) varUint(count) (varUint(2·clocks + step) varUint(seqs))*
//                  from the note before, or from clock and seq 0
// deletions     := varUint(count) (varUint(head) [varUint(length)] [varUint(sender)]
// varUint(seqs))*
//                  head = 16·clocks + 8·(length is not 1) + 4·(not by the owner) + step + 1, clocks
//                  from the end of the note before, seqs from its seq with the sign lowest
// tears         := varUint(count) (varUint(clock) varUint(seq) varUint(sender) varUint(character))*
// contributions := varUint(count) (varUint(head) [varUint(more)] | …)*
//                  head = 8·person + 2·kind + (the next `more` are alike)
//                  kind 0: one character came with the next update, 1: one went, 2: neither;
//                  3: varUint(seqs) varUint(inserted) varUint(deleted) come behind the head
//
// Numbers of people are their places among `people`.
namespace palimpsest::crdt {

using internal::ClientIndex;
using internal::DeletionMarks;
using internal::InsertionMarks;

namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kMostSeq = std::numeric_limits<std::uint32_t>::max() - 1;

std::uint64_t with_sign_lowest(std::int64_t value) {
  return value < 0 ? (static_cast<std::uint64_t>(-(value + 1)) << 1 | 1)
                   : static_cast<std::uint64_t>(value) << 1;
}

std::int64_t from_sign_lowest(std::uint64_t value) {
  const auto magnitude = static_cast<std::int64_t>(value >> 1);
  return (value & 1) != 0 ? -magnitude - 1 : magnitude;
}

std::uint32_t read_below(Reader& reader, std::uint64_t end, const char* what) {
  const std::size_t at = reader.position();
  const std::uint64_t value = reader.read_var_uint();
  if (value >= end) reader.fail_at(at, what);
  return static_cast<std::uint32_t>(value);
}

// --- Contributions ---

constexpr std::uint64_t kCame = 0;
constexpr std::uint64_t kWent = 1;
constexpr std::uint64_t kNeither = 2;
constexpr std::uint64_t kOther = 3;

class ContributionWriter {
 public:
  explicit ContributionWriter(Writer& writer) : writer_(writer) {}

  void add(const Weave::Contribution& one) {
    const std::uint64_t kind = kind_of(one);
    const std::uint64_t head = std::uint64_t{one.client} << 3 | kind << 1;
    if (kind == kOther) {
      finish();
      writer_.write_var_uint(head);
      writer_.write_var_uint(one.seq - seq_);
      writer_.write_var_uint(one.inserted);
      writer_.write_var_uint(one.deleted);
    } else {
      if (count_ > 0 && head != head_) finish();
      head_ = head;
      ++count_;
    }
    seq_ = one.seq;
  }
  void finish() {
    if (count_ == 0) return;
    const std::uint64_t more = count_ - 1;
    writer_.write_var_uint(head_ | (more > 0 ? 1 : 0));
    if (more > 0) writer_.write_var_uint(more);
    count_ = 0;
  }

 private:
  std::uint64_t kind_of(const Weave::Contribution& one) const {
    if (one.seq != seq_ + 1 || one.inserted + std::uint64_t{one.deleted} > 1) return kOther;
    if (one.inserted == 1) return kCame;
    return one.deleted == 1 ? kWent : kNeither;
  }

  Writer& writer_;
  std::uint32_t seq_ = 0;
  std::uint64_t head_ = 0;
  std::uint64_t count_ = 0;
};

std::vector<Weave::Contribution> read_contributions(Reader& reader, std::uint32_t last_seq,
                                                    std::size_t people) {
  constexpr const char* kTooMany = "a change behind the last one";
  const std::uint64_t count = read_below(reader, kMostSeq, "too many contributions");
  std::vector<Weave::Contribution> all;
  all.reserve(std::min<std::uint64_t>(count, std::uint64_t{16} * reader.remaining()));
  std::uint32_t seq = 0;
  while (all.size() < count) {
    const std::size_t at = reader.position();
    const std::uint64_t head = reader.read_var_uint();
    const std::uint64_t person = head >> 3;
    const std::uint64_t kind = head >> 1 & 3;
    if (person >= people) reader.fail_at(at, "a contribution by nobody");
    const auto client = static_cast<std::uint32_t>(person);
    if (kind == kOther) {
      seq += read_below(reader, std::uint64_t{last_seq} - seq + 1, kTooMany);
      const std::uint32_t inserted = read_below(reader, kMostSeq, "too many characters");
      const std::uint32_t deleted = read_below(reader, kMostSeq, "too many characters");
      all.push_back({seq, client, inserted, deleted});
      continue;
    }
    const std::uint64_t alike = 1 + ((head & 1) != 0 ? reader.read_var_uint() : 0);
    if (alike > count - all.size() || alike > last_seq - seq) reader.fail_at(at, kTooMany);
    const std::uint32_t inserted = kind == kCame ? 1 : 0;
    const std::uint32_t deleted = kind == kWent ? 1 : 0;
    for (std::uint64_t i = 0; i < alike; ++i) all.push_back({++seq, client, inserted, deleted});
  }
  if (seq != last_seq) reader.fail("the contributions end early");
  return all;
}

}  // namespace

// --- Marks ---

void InsertionMarks::write(Writer& writer) const {
  writer.write_var_uint(end_);
  writer.write_var_uint(notes_.size());
  Note before{};
  for (const Note& note : notes_) {
    writer.write_var_uint((note.clock - before.clock) << 1 | note.step);
    writer.write_var_uint(note.seq - before.seq);
    before = note;
  }
}

InsertionMarks InsertionMarks::read(Reader& reader, std::uint32_t last_seq) {
  InsertionMarks marks;
  const std::size_t at = reader.position();
  marks.end_ = reader.read_var_uint();
  const std::uint64_t count = reader.read_count(2, "more marks than bytes");
  marks.notes_.reserve(count);
  Note before{};
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t head = reader.read_var_uint();
    const std::uint64_t seqs = reader.read_var_uint();
    const Note note{before.clock + (head >> 1), before.seq + static_cast<std::uint32_t>(seqs),
                    static_cast<std::uint32_t>(head & 1)};
    const bool follows = i == 0 ? note.clock == 0 : note.clock > before.clock;
    if (!follows || note.clock >= marks.end_ || seqs > last_seq - before.seq || seqs == 0)
      reader.fail_at(at, "marks that do not follow each other");
    // What is stepped through ends before the next begins.
    if (before.step != 0 && note.clock - before.clock > seqs)
      reader.fail_at(at, "marks that reach into each other");
    marks.notes_.push_back(note);
    before = note;
  }
  if ((count == 0) != (marks.end_ == 0)) reader.fail_at(at, "marks of nothing");
  if (before.step != 0 && marks.end_ - before.clock - 1 > last_seq - before.seq)
    reader.fail_at(at, "marks behind the last update");
  return marks;
}

void DeletionMarks::write(Writer& writer, std::uint32_t owner) const {
  writer.write_var_uint(notes_.size());
  Clock end = 0;
  std::uint32_t seq = 0;
  for (const Note& note : notes_) {
    const bool is_long = note.length != 1;
    const bool is_other = note.sender != owner;
    writer.write_var_uint((note.clock - end) << 4 | (is_long ? 8U : 0U) | (is_other ? 4U : 0U) |
                          static_cast<std::uint64_t>(note.step + 1));
    if (is_long) writer.write_var_uint(note.length);
    if (is_other) writer.write_var_uint(note.sender);
    writer.write_var_uint(with_sign_lowest(std::int64_t{note.seq} - std::int64_t{seq}));
    end = note.end();
    seq = note.seq;
  }
}

DeletionMarks DeletionMarks::read(Reader& reader, const Bounds& bounds) {
  DeletionMarks marks;
  const std::uint64_t count = reader.read_count(2, "more marks than bytes");
  marks.notes_.reserve(count);
  Clock end = 0;
  std::int64_t seq = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t at = reader.position();
    const std::uint64_t head = reader.read_var_uint();
    const auto step = static_cast<std::int32_t>(head & 3) - 1;
    const std::uint64_t length = (head & 8) != 0 ? reader.read_var_uint() : 1;
    const std::uint32_t sender =
        (head & 4) != 0 ? read_below(reader, bounds.people, "a deletion by nobody") : bounds.owner;
    seq += from_sign_lowest(reader.read_var_uint());
    const Clock clock = end + (head >> 4);
    const bool fits = length > 0 && length <= std::uint64_t{1} << 31 && clock < bounds.end &&
                      length <= bounds.end - clock;
    if (!fits || step > 1) reader.fail_at(at, "a deletion of nothing");
    const std::int64_t last = seq + step * static_cast<std::int64_t>(length - 1);
    if (std::min(seq, last) < 1 || std::max(seq, last) > bounds.last_seq)
      reader.fail_at(at, "a deletion by no update");
    marks.notes_.push_back(
        {clock, static_cast<std::uint32_t>(length), static_cast<std::uint32_t>(seq), step, sender});
    end = clock + length;
  }
  marks.sorted_ = marks.notes_.size();
  return marks;
}

void Weave::State::write_tears(const Marks& own, Writer& writer) {
  writer.write_var_uint(own.tears.size());
  for (const auto& [clock, tear] : own.tears) {
    writer.write_var_uint(clock);
    writer.write_var_uint(tear.seq);
    writer.write_var_uint(tear.sender);
    writer.write_var_uint(tear.character);
  }
}

void Weave::State::read_tears(Reader& reader, Marks& own) const {
  const std::uint64_t count = reader.read_count(4, "more torn pairs than bytes");
  for (std::uint64_t i = 0; i < count; ++i) {
    const Clock clock = reader.read_var_uint();
    Tear tear{};
    tear.seq = read_below(reader, last_seq + 1, "a pair torn by no update");
    tear.sender = read_below(reader, people.size(), "a pair torn by nobody");
    const std::uint32_t character = read_below(reader, 0x110000, "a pair of no character");
    if (character < 0x10000) reader.fail("a pair of one half");
    tear.character = character;
    own.tears.emplace_hint(own.tears.end(), clock, tear);
  }
}

Bytes Weave::encode() const {
  Writer writer;
  writer.write_var_uint(kVersion);
  writer.write_var_uint(state_->last_seq);
  writer.write_var_uint(state_->people.size());
  for (const ClientId client : state_->people) writer.write_var_uint(client);
  writer.write_var_bytes(state_->doc.encode());
  const auto has_any = [](const State::Marks& own) { return own.insertions.end() > 0; };
  writer.write_var_uint(static_cast<std::uint64_t>(std::ranges::count_if(state_->marks, has_any)));
  for (ClientIndex client = 0; client < state_->marks.size(); ++client) {
    State::Marks& own = state_->marks[client];
    if (!has_any(own)) continue;
    own.deletions.sort();
    writer.write_var_uint(state_->core.clients[client].id);
    own.insertions.write(writer);
    own.deletions.write(writer, own.person);
    State::write_tears(own, writer);
  }
  writer.write_var_uint(state_->contributions.size());
  ContributionWriter contributions(writer);
  for (const Contribution& one : state_->contributions) contributions.add(one);
  contributions.finish();
  return std::move(writer).take();
}

Weave Weave::decode(ByteView bytes) {
  Reader reader(bytes);
  if (reader.read_var_uint() != kVersion) reader.fail("a weave of another version");
  const std::uint32_t last_seq = read_below(reader, kMostSeq, "too many updates");
  std::vector<ClientId> people(reader.read_count(1, "more people than bytes"));
  for (ClientId& client : people) client = reader.read_var_uint();
  Weave weave(Doc::load(reader.read_var_bytes(), {.gc = false}));
  State& state = *weave.state_;
  state.last_seq = last_seq;
  for (const ClientId client : people) state.person(client);
  if (state.people.size() != people.size()) reader.fail("somebody who is there twice");
  state.read_marks(reader);
  state.contributions = read_contributions(reader, last_seq, people.size());
  if (!reader.at_end()) reader.fail("bytes behind the weave");
  return weave;
}

// Of every client that the replica has something of, as far as it goes.
void Weave::State::read_marks(Reader& reader) {
  const std::uint64_t count = reader.read_count(5, "more clients than bytes");
  marks.resize(core.clients.size());
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t at = reader.position();
    const ClientId id = reader.read_var_uint();
    const ClientIndex client = core.find_client(id);
    if (client == internal::kNone || !person_of.contains(id))
      reader.fail_at(at, "marks of a client that is not in the document");
    Marks& own = marks[client];
    own.person = person(id);
    own.insertions = InsertionMarks::read(reader, static_cast<std::uint32_t>(last_seq));
    own.deletions = DeletionMarks::read(
        reader, {own.person, own.insertions.end(), static_cast<std::uint32_t>(last_seq),
                 static_cast<std::uint32_t>(people.size())});
    read_tears(reader, own);
  }
  for (ClientIndex client = 0; client < marks.size(); ++client) {
    marks[client].person = person(core.clients[client].id);
    if (marks[client].insertions.end() != core.clock_of(client))
      reader.fail("marks that do not reach as far as the document");
  }
}

}  // namespace palimpsest::crdt
