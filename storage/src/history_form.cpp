#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "crdt/columns.hpp"
#include "crdt/error.hpp"
#include "frame.hpp"
#include "storage/history.hpp"

// History::encode() and what takes it up again.
//
// history  := varUint(1) varUint8Array(moments) weave
// moments  :  a zstd frame of
//             varUint(lastSeq) varUint(bytes) times late clients places placeText texts bursts
//             sittings
// weave    :  a zstd frame of crdt::Weave::encode()
// bytes    :  of all updates
// times    := deltas                              of changes 1 … lastSeq: when made, ms since 1970
// late     := varUint(count) (varUint(seqs) varInt(ms))*
//             where what had come by then is not the latest of the change and all before it
// clients  := varUint(count) varUint(client)*
// places   := varUint(count) varString(place)*
// placeText := varUint(0) | varUint(1) text
// texts    := varUint(count) text*
// text     := varString(root) (varUint(0) | varUint(1) varUint(client) varUint(clock))
// bursts, sittings := varUint(count) (varUint(firsts) varUint(length) varInt(begins) varUint(ms)
//                     varUint(place) varUint(count) share*)*
// share    := varUint(client) varUint(changes) varUint(inserted) varUint(deleted)
//
// `firsts` and `begins` are from the burst before, clients and places the numbers of those above;
// deltas: crdt/columns.hpp.
namespace palimpsest::storage {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kVersion = 1;
constexpr int kLevel = 1;  // a sixth of the time of 3, a fifteenth more
// Larger ones cannot be made of what may be in a history.
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

std::int64_t number_of(Time time) { return time.time_since_epoch().count(); }
Time time_from(std::int64_t number) { return Time(milliseconds(number)); }

// Values that come again and again, each written once.
template <class Value>
class Dictionary {
 public:
  std::uint64_t number(const Value& value) {
    const auto [known, is_new] = numbers_.try_emplace(value, values_.size());
    if (is_new) values_.push_back(value);
    return known->second;
  }
  const std::vector<Value>& values() const { return values_; }

 private:
  std::unordered_map<Value, std::uint64_t> numbers_;
  std::vector<Value> values_;
};

struct Names {
  Dictionary<crdt::ClientId> clients;
  Dictionary<std::string> places;
};

void write_bursts(crdt::Writer& writer, const std::vector<History::Burst>& bursts, Names& names) {
  writer.write_var_uint(bursts.size());
  Seq first = 0;
  std::int64_t begin = 0;
  for (const History::Burst& burst : bursts) {
    writer.write_var_uint(burst.first - std::exchange(first, burst.first));
    writer.write_var_uint(burst.last - burst.first);
    writer.write_var_int(number_of(burst.begin) - std::exchange(begin, number_of(burst.begin)));
    writer.write_var_uint(static_cast<std::uint64_t>((burst.end - burst.begin).count()));
    writer.write_var_uint(names.places.number(burst.place));
    writer.write_var_uint(burst.shares.size());
    for (const History::Share& share : burst.shares) {
      writer.write_var_uint(names.clients.number(share.client));
      writer.write_var_uint(share.changes);
      writer.write_var_uint(share.inserted);
      writer.write_var_uint(share.deleted);
    }
  }
}

struct ReadNames {
  std::vector<crdt::ClientId> clients;
  std::vector<std::string> places;
};

template <class Value>
const Value& read_name(crdt::Reader& reader, const std::vector<Value>& names) {
  const std::size_t at = reader.position();
  const std::uint64_t number = reader.read_var_uint();
  if (number >= names.size()) reader.fail_at(at, "the number of nothing");
  return names[static_cast<std::size_t>(number)];
}

std::vector<History::Burst> read_bursts(crdt::Reader& reader, Seq last, const ReadNames& names) {
  std::vector<History::Burst> bursts(reader.read_count(6, "more bursts than bytes"));
  Seq first = 0;
  std::int64_t begin = 0;
  for (History::Burst& burst : bursts) {
    const std::size_t at = reader.position();
    burst.first = first += reader.read_var_uint();
    burst.last = first + reader.read_var_uint();
    if (first == 0 || burst.last > last) reader.fail_at(at, "a burst of no changes");
    begin += reader.read_var_int().value;
    burst.begin = time_from(begin);
    burst.end = time_from(begin + static_cast<std::int64_t>(reader.read_var_uint()));
    burst.place = read_name(reader, names.places);
    burst.shares.resize(reader.read_count(4, "more shares than bytes"));
    if (burst.shares.empty()) reader.fail_at(at, "a burst by nobody");
    for (History::Share& share : burst.shares) {
      share.client = read_name(reader, names.clients);
      share.changes = reader.read_var_uint();
      share.inserted = reader.read_var_uint();
      share.deleted = reader.read_var_uint();
    }
  }
  return bursts;
}

void write_text(crdt::Writer& writer, const std::string& root,
                const std::optional<crdt::Id>& type) {
  writer.write_var_string(root);
  writer.write_var_uint(type ? 1 : 0);
  if (!type) return;
  writer.write_var_uint(type->client);
  writer.write_var_uint(type->clock);
}

History::TextName read_text(crdt::Reader& reader) {
  History::TextName name{std::string(reader.read_var_string()), std::nullopt};
  if (reader.read_var_uint() == 0) return name;
  const crdt::ClientId client = reader.read_var_uint();
  name.type = crdt::Id{client, reader.read_var_uint()};
  return name;
}

crdt::Bytes unpack(crdt::ByteView frame) {
  std::optional<crdt::Bytes> bytes = unpack_frame(frame, kMostBytes);
  if (!bytes) throw crdt::DecodeError(0, "a frame that cannot be unpacked");
  return std::move(*bytes);
}

}  // namespace

crdt::Bytes History::encode() {
  Names names;
  crdt::Writer grouped;
  for (const Group group : {Group::kBurst, Group::kSitting}) {
    Bursts& all = bursts(group);
    find_places(all, 0, all.all.size());
    write_bursts(grouped, all.all, names);
  }
  crdt::Writer moments;
  moments.write_var_uint(last_seq());
  moments.write_var_uint(most_bytes_ - free_bytes_);
  write_times(moments);
  moments.write_var_uint(names.clients.values().size());
  for (const crdt::ClientId client : names.clients.values()) moments.write_var_uint(client);
  moments.write_var_uint(names.places.values().size());
  for (const std::string& place : names.places.values()) moments.write_var_string(place);
  moments.write_var_uint(place_text_ ? 1 : 0);
  if (place_text_) write_text(moments, place_text_->root, place_text_->type);
  moments.write_var_uint(texts().size());
  for (const crdt::Weave::Text& text : texts()) write_text(moments, text.root, text.type);
  moments.write_bytes(grouped.view());

  crdt::Writer writer;
  writer.write_var_uint(kVersion);
  writer.write_var_bytes(pack_frame(moments.view(), kLevel));
  writer.write_bytes(pack_frame(weave().encode(), kLevel));
  return std::move(writer).take();
}

void History::write_times(crdt::Writer& writer) const {
  crdt::DeltaColumn times(writer);
  for (Seq seq = 1; seq <= last_seq(); ++seq) times.add(number_of(made_[seq]));
  times.finish();
  std::uint64_t count = 0;
  crdt::Writer late;
  Seq before = 0;
  for (Seq seq = 1; seq <= last_seq(); ++seq) {
    const Time expected = seq == 1 ? made_[1] : std::max(come_[seq - 1], made_[seq]);
    if (come_[seq] == expected) continue;
    late.write_var_uint(seq - std::exchange(before, seq));
    late.write_var_int((come_[seq] - expected).count());
    ++count;
  }
  writer.write_var_uint(count);
  writer.write_bytes(late.view());
}

// A history without anything in it takes what was kept of one, or stays as it is.
void History::decode(crdt::ByteView bytes) {
  History taken(document_, most_bytes_);
  taken.log_version_ = log_version_;
  try {
    taken.decode_moments(bytes);
  } catch (const crdt::DecodeError&) {
    return;  // it can be had from the log
  }
  *this = std::move(taken);
}

void History::decode_moments(crdt::ByteView bytes) {
  crdt::Reader outer(bytes);
  if (outer.read_var_uint() != kVersion) outer.fail("what was kept is of another version");
  const crdt::Bytes moments = unpack(outer.read_var_bytes());
  const crdt::ByteView weave = outer.read_bytes(outer.remaining());
  crdt::Reader reader(moments);
  const Seq last = reader.read_var_uint();
  take_bytes(reader.read_var_uint());
  if (last >= crdt::WovenText::kNever) reader.fail("too many changes");
  read_times(reader, last);
  ReadNames names;
  names.clients.resize(reader.read_count(1, "more clients than bytes"));
  for (crdt::ClientId& client : names.clients) client = reader.read_var_uint();
  names.places.resize(reader.read_count(1, "more places than bytes"));
  for (std::string& place : names.places) place = reader.read_var_string();
  if (reader.read_var_uint() != 0) place_text_ = read_text(reader);
  texts_.emplace();
  for (std::uint64_t left = reader.read_count(2, "more texts than bytes"); left > 0; --left) {
    TextName name = read_text(reader);
    texts_->push_back({std::move(name.root), name.type});
  }
  for (const Group group : {Group::kBurst, Group::kSitting}) {
    Bursts& grouped = bursts_[group];
    grouped.all = read_bursts(reader, last, names);
    grouped.has_place.assign(grouped.all.size(), true);
    grouped.until = last;
  }
  if (!reader.at_end()) reader.fail("bytes behind the bursts");
  kept_weave_.assign(weave.begin(), weave.end());
}

void History::read_times(crdt::Reader& reader, Seq last) {
  made_.reserve(last + 1);
  come_.reserve(last + 1);
  sitting_of_seq_.reserve(last + 1);
  crdt::read_deltas(reader, last, [this](std::int64_t number) {
    const Time made = time_from(number);
    note_time(made, last_seq() == 0 ? made : std::max(come_.back(), made));
  });
  std::uint64_t count = reader.read_count(2, "more times than bytes");
  Seq next = 0;
  std::int64_t late = 0;
  const auto read_next = [&] {
    const std::size_t at = reader.position();
    const std::uint64_t seqs = reader.read_var_uint();
    if (seqs == 0 || seqs > last - next) reader.fail_at(at, "a time of no change");
    next += seqs;
    late = reader.read_var_int().value;
    --count;
  };
  if (count == 0) return;
  read_next();
  for (Seq seq = next; seq <= last; ++seq) {
    come_[seq] = seq == 1 ? made_[1] : std::max(come_[seq - 1], made_[seq]);
    if (seq != next) continue;
    come_[seq] += milliseconds(late);
    if (count > 0) read_next();
  }
}

crdt::Weave History::unpack_weave(crdt::ByteView frame) {
  try {
    return crdt::Weave::decode(unpack(frame));
  } catch (const crdt::DecodeError& error) {
    throw Error(Error::Kind::kCorrupt,
                std::string("what was kept of a history cannot be read: ") + error.what());
  }
}

bool History::is_encoded(crdt::ByteView bytes) {
  try {
    History history("");
    history.decode_moments(bytes);
    return history.weave().last_seq() == history.last_seq();
  } catch (const crdt::DecodeError&) {
    return false;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace palimpsest::storage
