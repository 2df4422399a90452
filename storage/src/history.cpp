#include "storage/history.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_set>
#include <utility>

#include "crdt/columns.hpp"
#include "crdt/error.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::storage {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBurstPause = std::chrono::minutes(1);
constexpr milliseconds kSittingPause = std::chrono::minutes(15);
constexpr Seq kLookBack = 10'000;  // for a change of a burst that brought text
constexpr const char* kMainRoot = "content";

// Whether a change made at that time belongs to what went on from `begin` to `end`. What was made
// offline can come late, and then be from long before.
bool goes_on(Time begin, Time end, Time at, milliseconds pause) {
  return at <= end + pause && at + pause >= begin;
}

// Adds contributions to the shares of those who made them, in many lists at once: of bursts, say,
// each by a number of its own. Most follow one by the same client in the same list.
class Ledger {
 public:
  explicit Ledger(const crdt::Weave& weave) : weave_(weave) {}

  // That this list has these shares already.
  void note(std::uint64_t list, const std::vector<History::Share>& shares,
            const std::unordered_map<crdt::ClientId, std::uint32_t>& people) {
    for (std::size_t i = 0; i < shares.size(); ++i)
      positions_.insert_or_assign({list, people.at(shares[i].client)}, i);
  }
  void add(std::uint64_t list, std::vector<History::Share>& shares,
           const crdt::Weave::Contribution& contribution) {
    if (last_.size() <= contribution.client) last_.resize(contribution.client + 1);
    Entry& last = last_[contribution.client];
    if (!last.is_known || last.list != list) {
      const auto [entry, is_new] =
          positions_.try_emplace({list, contribution.client}, shares.size());
      if (is_new) shares.emplace_back().client = weave_.client(contribution.client);
      last = {true, list, entry->second};
    }
    History::Share& share = shares[last.position];
    ++share.changes;
    share.inserted += contribution.inserted;
    share.deleted += contribution.deleted;
  }

 private:
  struct Entry {
    bool is_known = false;
    std::uint64_t list = 0;
    std::size_t position = 0;
  };

  const crdt::Weave& weave_;
  std::vector<Entry> last_;  // by client
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::size_t> positions_;
};

std::optional<Seq> parse_seq(std::string_view text) {
  Seq seq = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return seq;
}

// The number that contributions have for each client.
std::unordered_map<crdt::ClientId, std::uint32_t> numbers_of_people(const crdt::Weave& weave) {
  std::unordered_map<crdt::ClientId, std::uint32_t> numbers;
  for (const crdt::ClientId client : weave.clients())
    numbers.emplace(client, static_cast<std::uint32_t>(numbers.size()));
  return numbers;
}

}  // namespace

History::History(std::string document, std::size_t most_bytes)
    : document_(std::move(document)),
      free_bytes_(most_bytes),
      most_bytes_(most_bytes),
      made_(1),
      come_(1),
      sitting_of_seq_(1) {}

bool History::catch_up(Reader& reader) {
  const LogVersion version = reader.log_version(document_);
  if (version != log_version_) *this = History(std::move(document_), most_bytes_);
  log_version_ = version;
  const bool is_first = last_seq() == 0;
  if (is_first) take_up(reader);
  const Seq known = last_seq();
  reader.visit(document_, known + 1, std::numeric_limits<Seq>::max(),
               [this](const EntryView& entry) { add(entry); });
  const bool is_new = last_seq() > known;
  if (is_new) {
    woven_.clear();
    texts_.reset();
  }
  if (is_new || is_first) {
    for (Author& author : reader.authors(document_)) {
      names_.insert_or_assign(author.client, std::move(author.name));
    }
  }
  versions_ = reader.versions(document_);
  const std::optional<Retention> retention = reader.retention(document_);
  note_thinned(retention ? retention->thinned : std::nullopt);
  return last_seq() > 0;
}

// From what was kept of it, if anything was.
void History::take_up(Reader& reader) {
  const std::optional<HistoryCheckpoint> kept = reader.kept_history(document_);
  if (kept && kept->version == log_version_) decode(kept->bytes);
}

const crdt::Weave& History::weave() const {
  if (!kept_weave_.empty()) weave_ = unpack_weave(std::exchange(kept_weave_, {}));
  return weave_;
}

void History::note_thinned(std::optional<Thinned> thinned) {
  const bool is_known = thinned == thinned_ && !(thinned && ends_.empty());
  thinned_ = thinned;
  if (is_known) return;
  ends_.clear();
  if (!thinned_) return;
  ends_ = burst_ends();
  ends_.erase(std::upper_bound(ends_.begin(), ends_.end(), thinned_->until), ends_.end());
}

void History::take_bytes(std::size_t bytes) {
  if (bytes > free_bytes_) {
    throw HistoryTooLarge("the history of \"" + document_ + "\" is larger than " +
                          std::to_string(most_bytes_ >> 20) + " MiB");
  }
  free_bytes_ -= bytes;
}

void History::add(const EntryView& entry) {
  take_bytes(entry.update.size());
  weave();  // taken up
  try {
    weave_.add({entry.seq, entry.author, entry.update});
  } catch (const crdt::DecodeError& error) {
    throw Error(Error::Kind::kCorrupt, "document \"" + document_ + "\": entry " +
                                           std::to_string(entry.seq) +
                                           " of the log is no update: " + error.what());
  }
  note_time(entry.made_at.value_or(entry.at),
            entry.seq == 1 ? entry.at : std::max(come_.back(), entry.at));
}

void History::note_time(Time made, Time come) {
  const bool is_first = last_seq() == 0;
  if (is_first || !goes_on(sitting_begin_, sitting_end_, made, kSittingPause)) {
    sitting_begin_ = sitting_end_ = made;
    sitting_of_seq_.push_back(sitting_of_seq_.back() + 1);
  } else {
    sitting_begin_ = std::min(sitting_begin_, made);
    sitting_end_ = std::max(sitting_end_, made);
    sitting_of_seq_.push_back(sitting_of_seq_.back());
  }
  made_.push_back(made);
  come_.push_back(come);
}

const std::string& History::name_of(crdt::ClientId client) const {
  static const std::string kNone;
  const auto known = names_.find(client);
  return known == names_.end() ? kNone : known->second;
}

std::vector<Author> History::authors() {
  std::vector<Author> authors;
  std::unordered_set<crdt::ClientId> seen;
  for (const Burst& burst : bursts(Group::kBurst).all) {
    for (const Share& share : burst.shares) {
      if (seen.insert(share.client).second)
        authors.push_back({share.client, name_of(share.client)});
    }
  }
  return authors;
}

History::Moment History::look_up(std::string_view when) const {
  const Seq asked = seq_asked_for(when);
  if (!thinned_ || asked == 0 || asked >= thinned_->until) return {asked, asked};
  if (std::ranges::find(versions_, asked, &Version::seq) != versions_.end()) return {asked, asked};
  const auto behind = std::upper_bound(ends_.begin(), ends_.end(), asked);
  Seq seq = behind == ends_.begin() ? 0 : *std::prev(behind);
  for (const Version& version : versions_) {
    if (version.seq < asked) seq = std::max(seq, version.seq);
  }
  return {asked, seq};
}

Seq History::come_by(Time time) const {
  const auto behind = std::upper_bound(come_.begin() + 1, come_.end(), time);
  return static_cast<Seq>(behind - come_.begin()) - 1;
}

Seq History::seq_asked_for(std::string_view when) const {
  if (const std::optional<Seq> seq = parse_seq(when)) {
    if (*seq <= last_seq()) return *seq;
    throw NotInHistory("change " + std::to_string(*seq) + " has not come yet: the last one is " +
                       std::to_string(last_seq()));
  }
  if (const std::optional<Time> time = parse_time(when)) return come_by(*time);
  if (when.starts_with("v:")) return seq_of_version(when.substr(2));
  throw std::invalid_argument("a moment is the number of a change, an RFC 3339 time or v:NAME");
}

Seq History::seq_of_version(std::string_view name) const {
  const auto version = std::ranges::find(versions_, name, &Version::name);
  if (version == versions_.end()) throw NotInHistory("there is no version of that name");
  return version->seq;
}

const std::vector<crdt::Weave::Text>& History::texts() {
  if (!texts_) texts_ = weave().texts();
  return *texts_;
}

std::optional<History::TextName> History::find_main_text() const {
  std::optional<TextName> first;
  for (const crdt::Weave::Text& text : weave().texts()) {
    if (text.type) continue;
    if (text.root == kMainRoot || !first) first = {text.root, std::nullopt};
    if (text.root == kMainRoot) break;
  }
  return first;
}

History::TextName History::main_text() const {
  if (std::optional<TextName> name = find_main_text()) return std::move(*name);
  throw NotInHistory("the document has no root with text");
}

History::Woven& History::woven(const TextName& name) {
  if (const auto known = woven_.find(name); known != woven_.end()) return known->second;
  std::optional<crdt::WovenText> text =
      name.type ? weave().text(*name.type) : weave().text(name.root);
  if (!text)
    throw NotInHistory(name.type ? "the document never had that type"
                                 : "the document never had that root");
  return woven_.emplace(name, Woven{std::move(*text), std::nullopt}).first->second;
}

const crdt::WovenText& History::text(const TextName& name) { return woven(name).text; }

// historyWeave := varUint(1) people times varUint8Array(wovenText)
// people       := varUint(count) (varUint(client) varString(name))*
// times        := varUint(count) deltas       milliseconds since 1970, of change 1, 2, …, count
//
// wovenText: crdt/src/woven_text.cpp; deltas: crdt/columns.hpp. Of people those who are known by a
// name.
crdt::Bytes History::encode_weave(const TextName& name) {
  constexpr std::uint64_t kVersion = 1;
  const crdt::WovenText& woven_text = text(name);
  crdt::Writer writer;
  writer.write_var_uint(kVersion);
  const auto is_named = [](const auto& person) { return !person.second.empty(); };
  writer.write_var_uint(
      static_cast<std::uint64_t>(std::count_if(names_.begin(), names_.end(), is_named)));
  for (const auto& person : names_) {
    if (!is_named(person)) continue;
    writer.write_var_uint(person.first);
    writer.write_var_string(person.second);
  }
  writer.write_var_uint(last_seq());
  crdt::DeltaColumn times(writer);
  for (Seq seq = 1; seq <= last_seq(); ++seq) times.add(made_[seq].time_since_epoch().count());
  times.finish();
  writer.write_var_bytes(woven_text.encode());
  return std::move(writer).take();
}

History::Bursts& History::bursts(Group group) {
  Bursts& bursts = bursts_[group];
  if (bursts.until < last_seq()) group_what_is_new(group, bursts);
  return bursts;
}

void History::group_what_is_new(Group group, Bursts& bursts) {
  const milliseconds pause = group == Group::kBurst ? kBurstPause : kSittingPause;
  const std::span<const crdt::Weave::Contribution> all = weave().contributions();
  const auto first =
      std::ranges::upper_bound(all, bursts.until, {}, &crdt::Weave::Contribution::seq);
  const std::unordered_map<crdt::ClientId, std::uint32_t> people = numbers_of_people(weave_);
  // The one that goes on: of each author, or of all.
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> open(group == Group::kBurst ? people.size() : 1, kNone);
  for (std::size_t i = 0; i < bursts.all.size(); ++i) {
    const Burst& burst = bursts.all[i];
    open[group == Group::kBurst ? people.at(burst.shares.front().client) : 0] = i;
  }
  Ledger ledger(weave_);
  for (const std::size_t i : open) {
    if (i != kNone) ledger.note(i, bursts.all[i].shares, people);
  }
  for (const crdt::Weave::Contribution& contribution : std::span(first, all.end())) {
    const Time at = made_[contribution.seq];
    std::size_t& last = open[group == Group::kBurst ? contribution.client : 0];
    if (last == kNone || !goes_on(bursts.all[last].begin, bursts.all[last].end, at, pause)) {
      last = bursts.all.size();
      Burst& burst = bursts.all.emplace_back();
      bursts.has_place.push_back(false);
      burst.first = contribution.seq;
      burst.begin = burst.end = at;
    }
    Burst& burst = bursts.all[last];
    burst.last = contribution.seq;
    burst.begin = std::min(burst.begin, at);
    burst.end = std::max(burst.end, at);
    bursts.has_place[last] = false;
    ledger.add(last, burst.shares, contribution);
  }
  bursts.until = last_seq();
}

std::vector<Seq> History::burst_ends() {
  std::vector<Seq> ends;
  for (const Burst& burst : bursts(Group::kBurst).all) ends.push_back(burst.last);
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

std::vector<History::Burst> History::timeline(Group group, Seq before, std::size_t limit) {
  Bursts& grouped = bursts(group);
  const std::vector<Burst>& all = grouped.all;
  // They begin in the order of their changes.
  const auto end = std::ranges::lower_bound(all, before, {}, &Burst::first);
  const auto count = std::min(limit, static_cast<std::size_t>(end - all.begin()));
  auto begin = end - static_cast<std::ptrdiff_t>(count);
  // Those of one change stay together, since the next page is asked for by its number.
  while (begin != end && begin != all.begin() && std::prev(begin)->first == begin->first) --begin;
  find_places(grouped, static_cast<std::size_t>(begin - all.begin()),
              static_cast<std::size_t>(end - all.begin()));
  return {std::make_reverse_iterator(end), std::make_reverse_iterator(begin)};
}

void History::find_places(Bursts& bursts, std::size_t begin, std::size_t end) {
  const auto first = bursts.has_place.begin();
  const auto is_found = [&] {
    const auto behind = first + static_cast<std::ptrdiff_t>(end);
    return std::find(first + static_cast<std::ptrdiff_t>(begin), behind, false) == behind;
  };
  if (is_found()) return;
  const std::optional<TextName> name = find_main_text();
  if (!name) return;
  if (!(place_text_ == name)) {
    // It has another text at its centre since.
    for (auto& [group, grouped] : bursts_)
      std::fill(grouped.has_place.begin(), grouped.has_place.end(), false);
    place_text_ = name;
  }
  Woven& main = woven(*name);
  if (!main.index) main.index.emplace(main.text);
  for (std::size_t i = begin; i < end; ++i) {
    if (bursts.has_place[i]) continue;
    bursts.all[i].place = place_of(bursts.all[i], main);
    bursts.has_place[i] = true;
  }
}

std::string History::place_of(const Burst& burst, const Woven& main) const {
  for (Seq seq = burst.last; seq >= burst.first && burst.last - seq < kLookBack; --seq) {
    if (const auto unit = main.index->unit_of(seq)) {
      return main.text.heading_before(*unit, burst.last).value_or("");
    }
  }
  return "";
}

std::vector<History::Bucket> History::activity(milliseconds bucket) const {
  std::map<Time, std::vector<Share>> buckets;
  Ledger ledger(weave());
  for (const crdt::Weave::Contribution& contribution : weave_.contributions()) {
    const auto since_epoch = made_[contribution.seq].time_since_epoch();
    const Time begin(since_epoch / bucket * bucket);
    ledger.add(static_cast<std::uint64_t>(since_epoch / bucket), buckets[begin], contribution);
  }
  std::vector<Bucket> all;
  all.reserve(buckets.size());
  for (auto& [begin, shares] : buckets) all.push_back({begin, std::move(shares)});
  return all;
}

std::size_t History::memory_bytes() const {
  constexpr std::size_t kUnitBytes = 18;
  std::size_t bytes =
      weave_.memory_bytes() + kept_weave_.size() + made_.size() * (2 * sizeof(Time) + sizeof(Seq));
  for (const auto& [name, woven] : woven_) {
    bytes += woven.text.size() * kUnitBytes + made_.size() * sizeof(std::uint32_t);
  }
  return bytes;
}

}  // namespace palimpsest::storage
