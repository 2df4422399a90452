#include "log/thinning.hpp"

#include <algorithm>
#include <span>

#include "crdt/condense.hpp"
#include "crdt/merge.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::storage::log {
namespace {

// Half of the pause that ends a burst (History): two entries of one burst that move by less each
// stay in it.
constexpr std::chrono::seconds kMarkSpan{30};
// So many updates are merged at once.
constexpr std::size_t kPile = 1024;
// A stretch takes no more.
constexpr std::size_t kStretchBytes = std::size_t{8} << 20;

const crdt::Bytes kNothing{0, 0};  // no clients, no deletions

crdt::Bytes merged(const std::vector<crdt::Bytes>& updates, const crdt::DeleteSet& gone,
                   const crdt::DeleteSet& deletions) {
  const std::vector<crdt::ByteView> views(updates.begin(), updates.end());
  return crdt::condense(crdt::merge_updates(views), gone, deletions);
}

crdt::Bytes update_of(const crdt::DeleteSet& deletions) {
  crdt::Writer writer;
  writer.write_var_uint(0);
  deletions.write(writer);
  return std::move(writer).take();
}

Time made(const EntryView& entry) { return entry.made_at.value_or(entry.at); }

}  // namespace

std::vector<Timing> timings_of(std::span<const crdt::Weave::Contribution> contributions,
                               std::span<const Time> made) {
  std::vector<Timing> timings(made.size());
  struct Before {
    Time last;
    Time latest;
  };
  std::unordered_map<std::uint32_t, Before> before;  // by client
  for (const crdt::Weave::Contribution& one : contributions) {
    const Time at = made[one.seq];
    Timing& timing = timings[one.seq];
    const auto [entry, is_first] = before.try_emplace(one.client, Before{at, at});
    Before& known = entry->second;
    timing.is_late = timing.is_late || at < known.latest;
    timing.is_after_pause = timing.is_after_pause || is_first || at - known.last > kMarkSpan;
    known = {at, std::max(known.latest, at)};
  }
  std::unordered_map<std::uint32_t, Time> next;  // the earliest of those behind
  for (auto one = contributions.rbegin(); one != contributions.rend(); ++one) {
    Time& earliest = next.try_emplace(one->client, Time::max()).first->second;
    timings[one->seq].bound = std::min(timings[one->seq].bound, earliest);
    earliest = std::min(earliest, made[one->seq]);
  }
  return timings;
}

ChangedEntry ThinStretch::entry(Seq seq) const {
  const auto mark = std::ranges::lower_bound(marks, seq, {}, &Mark::seq);
  const auto carrier =
      std::ranges::lower_bound(carriers, seq, {}, &std::pair<Seq, crdt::Bytes>::first);
  const bool carries = carrier != carriers.end() && carrier->first == seq;
  return {mark->at, mark->made_at, carries ? carrier->second : kNothing};
}

// What of the range nobody has taken lies between those ranges that somebody has.
void Thinner::Claims::take(crdt::ClientId client, const crdt::DeleteSet::Range& range,
                           crdt::DeleteSet& fresh) {
  std::map<crdt::Clock, crdt::Clock>& taken = taken_[client];
  crdt::Clock begin = range.clock;
  crdt::Clock end = range.end();
  auto at = taken.upper_bound(begin);
  if (at != taken.begin() && std::prev(at)->second >= begin) --at;
  crdt::Clock clock = range.clock;
  while (at != taken.end() && at->first <= end) {
    if (at->first > clock) fresh.append(client, clock, std::min(at->first, range.end()) - clock);
    clock = std::max(clock, at->second);
    begin = std::min(begin, at->first);
    end = std::max(end, at->second);
    at = taken.erase(at);
  }
  if (clock < range.end()) fresh.append(client, clock, range.end() - clock);
  taken.emplace(begin, end);
}

Thinner::Thinner(Rules rules) : rules_(std::move(rules)) {}

Timing Thinner::timing_of(Seq seq) const {
  return seq < rules_.timings.size() ? rules_.timings[seq] : Timing{};
}

// Whether what others did on what is open would move past what they did next.
bool Thinner::passes_others(const EntryView& entry) const {
  return std::ranges::any_of(open_->senders, [&](const auto& sender) {
    return sender.first != entry.author && made(entry) > timing_of(sender.second).bound;
  });
}

bool Thinner::is_border(Seq seq) const { return std::ranges::binary_search(rules_.borders, seq); }

// Applies the entry, too.
Thinner::Facts Thinner::look_at(const EntryView& entry) {
  Facts facts{crdt::Update::decode(entry.update), {}, {}, false};
  const std::vector<crdt::Update::Authored> authored = facts.update.authored();
  const bool waited = waits_;
  doc_.apply(facts.update);
  waits_ = doc_.has_pending();
  if (authored.size() == 1) facts.content = authored.front();
  const bool is_own =
      authored.empty() || (authored.size() == 1 && facts.content->client == entry.author &&
                           facts.content->begin == clocks_[entry.author]);
  const Timing timing = timing_of(entry.seq);
  const bool may_move = !timing.is_late && made(entry) <= timing.bound &&
                        !std::ranges::binary_search(rules_.alone, entry.seq);
  facts.is_simple = is_own && may_move && !waited && !waits_;
  if (waited || waits_) {
    clocks_.clear();
    for (const auto& [client, clock] : doc_.state_vector().entries()) clocks_[client] = clock;
  } else {
    for (const crdt::Update::Authored& range : authored) {
      crdt::Clock& clock = clocks_[range.client];
      clock = std::max(clock, range.end);
    }
  }
  if (facts.is_simple) facts.deletions = facts.update.deletions();
  return facts;
}

void Thinner::add(const EntryView& entry) {
  const Facts facts = look_at(entry);
  if (entry.seq >= rules_.first) {
    if (!open_ || !fits(entry, facts)) close();
    take(entry, facts);
    if (is_border(entry.seq) || !facts.is_simple) close();
  }
}

// Whether it may go on what is open.
bool Thinner::fits(const EntryView& entry, const Facts& facts) const {
  const Open& open = *open_;
  if (!facts.is_simple || entry.at < open.at || made(entry) < open.made) return false;
  if (open.bytes + entry.update.size() > kStretchBytes) return false;
  const bool is_alone = open.senders.size() == 1 && open.senders.contains(entry.author);
  if (!is_alone && (open.has_offline || entry.made_at)) return false;
  return !passes_others(entry) && !deletes_content_of_others(entry, facts);
}

bool Thinner::deletes_content_of_others(const EntryView& entry, const Facts& facts) const {
  for (const auto& [client, ranges] : facts.deletions.clients()) {
    const auto here = open_->content.find(client);
    if (client == entry.author || here == open_->content.end()) continue;
    if (!ranges.empty() && ranges.back().end() > here->second) return true;
  }
  return false;
}

void Thinner::take(const EntryView& entry, const Facts& facts) {
  if (!open_) {
    open_ = Open{};
    open_->stretch.first = entry.seq;
    last_entry_.reset();
  }
  mark(entry);
  Open& open = *open_;
  open.stretch.last = entry.seq;
  open.at = entry.at;
  open.made = made(entry);
  open.has_offline = open.has_offline || entry.made_at;
  open.bytes += entry.update.size();
  open.senders[entry.author] = entry.seq;
  if (!facts.is_simple) return;  // it stays as it is
  if (facts.content) {
    open.content.try_emplace(facts.content->client, facts.content->begin);
    open.updates.emplace_back(entry.update.begin(), entry.update.end());
    if (open.updates.size() >= kPile) open.updates = {merged(open.updates, {}, {})};
  }
  take_deletions(entry, facts);
}

void Thinner::take_deletions(const EntryView& entry, const Facts& facts) {
  if (facts.deletions.empty()) return;
  Open& open = *open_;
  crdt::DeleteSet fresh;
  for (const auto& [client, ranges] : facts.deletions.clients()) {
    for (const crdt::DeleteSet::Range& range : ranges) open.claims.take(client, range, fresh);
  }
  crdt::DeleteSet& own = open.deletions[entry.author];
  for (const auto& [client, ranges] : fresh.clients()) {
    const auto here = open.content.find(client);
    for (const crdt::DeleteSet::Range& range : ranges) {
      // No other's content of this stretch is among them.
      const crdt::Clock new_from = here == open.content.end()
                                       ? range.end()
                                       : std::clamp(here->second, range.clock, range.end());
      own.append(client, range.clock, new_from - range.clock);
      open.gone.append(client, new_from, range.end() - new_from);
    }
  }
}

// Marks the entry, or the one before it, where more would move than may.
void Thinner::mark(const EntryView& entry) {
  std::vector<ThinStretch::Mark>& marks = open_->stretch.marks;
  const ThinStretch::Mark here{entry.seq, entry.at, entry.made_at};
  const auto time_of = [](const ThinStretch::Mark& one) { return one.made_at.value_or(one.at); };
  if (last_entry_ && marks.back().seq != last_entry_->seq &&
      made(entry) - time_of(marks.back()) > kMarkSpan) {
    marks.push_back(*last_entry_);
  }
  if (!last_entry_ || timing_of(entry.seq).is_after_pause) marks.push_back(here);
  last_entry_ = here;
}

void Thinner::close() {
  if (!open_) return;
  Open open = std::move(*open_);
  open_.reset();
  ThinStretch& stretch = open.stretch;
  if (stretch.first == stretch.last) return;
  if (stretch.marks.back().seq != stretch.last) stretch.marks.push_back(*last_entry_);
  open.gone.normalize();
  Seq of_content = 0;  // who brings some is told by the timeline, whatever else is in the entry
  for (const auto& [client, clock] : open.content)
    of_content = std::max(of_content, open.senders.at(client));
  for (const auto& [sender, last] : open.senders) {
    crdt::DeleteSet& deletions = open.deletions[sender];
    deletions.normalize();
    if (last == of_content) {
      stretch.carriers.emplace_back(last, merged(open.updates, open.gone, deletions));
    } else if (!deletions.empty()) {
      stretch.carriers.emplace_back(last, update_of(deletions));
    }
  }
  std::ranges::sort(stretch.carriers, {}, &std::pair<Seq, crdt::Bytes>::first);
  stretches_.push_back(std::move(stretch));
}

std::vector<ThinStretch> Thinner::finish() {
  close();
  return std::move(stretches_);
}

}  // namespace palimpsest::storage::log
