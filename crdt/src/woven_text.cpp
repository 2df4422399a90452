#include "crdt/woven_text.hpp"

#include <algorithm>
#include <utility>

#include "crdt/columns.hpp"
#include "crdt/writer.hpp"
#include "utf16.hpp"

namespace palimpsest::crdt {

using internal::is_high_half;
using internal::join_halves;

namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kObjectCharacter = "\xEF\xBF\xBC";  // U+FFFC

// Puts units together that belong to one run.
class Grouping {
 public:
  explicit Grouping(WovenText::Groups groups) : groups_(groups) {}
  // By the same client, with an update of the same group.
  bool joins(const WovenText::Mark& run, ClientId client, Seq seq) const {
    if (run.client != client) return false;
    return seq == run.last || group_of(seq) == group_of(run.last);
  }
  static void extend(WovenText::Mark& run, Seq seq) {
    run.first = std::min(run.first, seq);
    run.last = std::max(run.last, seq);
  }

 private:
  std::uint32_t group_of(Seq seq) const {
    return seq < groups_.size() ? groups_[static_cast<std::size_t>(seq)] : 0xFFFFFFFF;
  }

  WovenText::Groups groups_;
};

}  // namespace

void WovenText::add(char16_t unit, std::uint32_t inserted, std::uint32_t deleted,
                    std::uint32_t client, std::uint32_t deleter) {
  if (inserted >= deleted) return;
  units_.push_back(unit);
  inserted_.push_back(inserted);
  deleted_.push_back(deleted);
  clients_.push_back(client);
  deleters_.push_back(deleter);
}

void WovenText::reserve(std::size_t units) {
  units_.reserve(units);
  inserted_.reserve(units);
  deleted_.reserve(units);
  clients_.reserve(units);
  deleters_.reserve(units);
}

void WovenText::finish() {
  stretches_.resize((size() + kStretch - 1) / kStretch);
  for (std::size_t i = 0; i < size(); ++i) {
    Stretch& stretch = stretches_[i / kStretch];
    stretch.first_inserted = std::min(stretch.first_inserted, inserted_[i]);
    stretch.last_deleted = std::max(stretch.last_deleted, deleted_[i]);
  }
  long_stretches_.resize((stretches_.size() + kStretch - 1) / kStretch);
  for (std::size_t i = 0; i < stretches_.size(); ++i) {
    Stretch& stretch = long_stretches_[i / kStretch];
    stretch.first_inserted = std::min(stretch.first_inserted, stretches_[i].first_inserted);
    stretch.last_deleted = std::max(stretch.last_deleted, stretches_[i].last_deleted);
  }
}

std::size_t WovenText::next_between(std::size_t unit, Seq begin, Seq end) const {
  const auto is_empty = [&](const Stretch& stretch) {
    return stretch.first_inserted >= end || stretch.last_deleted <= begin;
  };
  while (unit < size()) {
    if (unit % (kStretch * kStretch) == 0 &&
        is_empty(long_stretches_[unit / kStretch / kStretch])) {
      unit += kStretch * kStretch;
    } else if (unit % kStretch == 0 && is_empty(stretches_[unit / kStretch])) {
      unit += kStretch;
    } else if (inserted_[unit] < end && deleted_[unit] > begin) {
      return unit;
    } else {
      ++unit;
    }
  }
  return kNone;
}

std::size_t WovenText::previous_between(std::size_t unit, Seq begin, Seq end) const {
  const auto is_empty = [&](const Stretch& stretch) {
    return stretch.first_inserted >= end || stretch.last_deleted <= begin;
  };
  while (unit > 0) {
    if (unit % (kStretch * kStretch) == 0 &&
        is_empty(long_stretches_[unit / kStretch / kStretch - 1])) {
      unit -= kStretch * kStretch;
    } else if (unit % kStretch == 0 && is_empty(stretches_[unit / kStretch - 1])) {
      unit -= kStretch;
    } else {
      --unit;
      if (inserted_[unit] < end && deleted_[unit] > begin) return unit;
    }
  }
  return kNone;
}

std::string WovenText::text(Seq at) const {
  // First which units, without a branch that depends on the text, then their characters.
  const auto moment = static_cast<std::uint32_t>(std::min(at, last_seq_));
  std::vector<char16_t> shown(size() + 1);
  std::size_t count = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    shown[count] = units_[i];
    count += static_cast<std::size_t>(inserted_[i] <= moment) & (moment < deleted_[i]);
  }
  std::string utf8;
  utf8.reserve(count + count / 8);
  for (std::size_t i = 0; i < count; ++i) {
    const char16_t unit = shown[i];
    if (unit < 0x80) {
      utf8 += static_cast<char>(unit);
    } else if (is_high_half(unit)) {
      append_utf8(utf8, join_halves(unit, shown[++i]));
    } else if (unit != kObject) {
      append_utf8(utf8, unit);
    }
  }
  return utf8;
}

void WovenText::append_characters(std::string& utf8, std::size_t unit) const {
  const char16_t first = units_[unit];
  if (is_high_half(first)) {
    append_utf8(utf8, join_halves(first, units_[unit + 1]));
  } else if (first == kObject) {
    // Or the second half of a pair, which has been written with the first.
    if (unit == 0 || !is_high_half(units_[unit - 1])) utf8 += kObjectCharacter;
  } else if (first < 0xDC00 || first >= 0xE000) {
    append_utf8(utf8, first);
  }
}

WovenText::Around WovenText::around(std::size_t unit, Seq at, std::size_t before,
                                    std::size_t behind) const {
  const auto is_second_half = [&](std::size_t i) { return i > 0 && is_high_half(units_[i - 1]); };
  const auto shown = [&](std::size_t i) {
    return units_[i] == kObject && !is_second_half(i) ? char16_t{0xFFFC} : units_[i];
  };
  Around around;
  for (std::size_t i = unit; before > 0; --before) {
    i = previous_between(i, at, at + 1);
    if (i == kNone) break;
    around.units += shown(i);
  }
  std::reverse(around.units.begin(), around.units.end());
  const auto is_low = [](char16_t c) { return c >= 0xDC00 && c < 0xE000; };
  if (!around.units.empty() && is_low(around.units.front())) around.units.erase(0, 1);
  around.place = around.units.size();
  for (std::size_t i = next_between(unit, at, at + 1); i != kNone && behind > 0; --behind) {
    around.units += shown(i);
    i = next_between(i + 1, at, at + 1);
  }
  if (!around.units.empty() && is_high_half(around.units.back())) around.units.pop_back();
  return around;
}

std::string WovenText::characters(std::size_t begin, std::size_t end) const {
  std::string utf8;
  for (std::size_t unit = begin; unit < end; ++unit) append_characters(utf8, unit);
  return utf8;
}

std::vector<WovenText::Blame> WovenText::blame(Seq at, Groups groups) const {
  const Seq moment = std::min(at, last_seq_);
  const Grouping grouping(groups);
  std::vector<Blame> runs;
  for (std::size_t unit = next_between(0, moment, moment + 1); unit != kNone;
       unit = next_between(unit + 1, moment, moment + 1)) {
    const ClientId client = people_[clients_[unit]];
    const Seq seq = inserted_[unit];
    if (runs.empty() || !grouping.joins(runs.back().inserted, client, seq)) {
      runs.emplace_back().inserted = {client, seq, seq};
    }
    Blame& run = runs.back();
    Grouping::extend(run.inserted, seq);
    append_characters(run.text, unit);
    ++run.length;
  }
  return runs;
}

std::vector<WovenText::Change> WovenText::diff(Seq from, Seq to, Groups groups) const {
  using Op = Change::Op;
  const Seq before = std::min(from, last_seq_);
  const Seq behind = std::min(to, last_seq_);
  const Seq first = std::min(before, behind);
  const Grouping grouping(groups);
  std::vector<Change> runs;
  for (std::size_t unit = 0; unit < size(); ++unit) {
    if (unit % kStretch == 0) {
      const Stretch& stretch = stretches_[unit / kStretch];
      if (stretch.first_inserted > std::max(before, behind) || stretch.last_deleted <= first) {
        unit += kStretch - 1;
        continue;
      }
    }
    const bool was = shows(unit, before);
    const bool is = shows(unit, behind);
    if (!was && !is) continue;
    const Op op = was == is ? Op::kKeep : is ? Op::kInsert : Op::kDelete;
    if (op == Op::kKeep) {
      if (runs.empty() || runs.back().op != op) runs.emplace_back();
    } else {
      // What was not there at the earlier moment came since; what was went since.
      const bool came = inserted_[unit] > first;
      const Seq seq = came ? inserted_[unit] : deleted_[unit];
      const ClientId client = people_[came ? clients_[unit] : deleters_[unit]];
      if (runs.empty() || runs.back().op != op || !grouping.joins(runs.back().mark, client, seq)) {
        Change& run = runs.emplace_back();
        run.op = op;
        run.mark = {client, seq, seq};
      }
      Grouping::extend(runs.back().mark, seq);
    }
    append_characters(runs.back().text, unit);
    ++runs.back().length;
  }
  return runs;
}

WovenText::SeqIndex::SeqIndex(const WovenText& text) {
  units_.assign(static_cast<std::size_t>(text.last_seq_) + 1, 0);
  const auto mark = [&](const std::vector<std::uint32_t>& seqs) {
    for (std::size_t unit = 0; unit < seqs.size(); ++unit) {
      if (seqs[unit] < units_.size()) units_[seqs[unit]] = static_cast<std::uint32_t>(unit + 1);
    }
  };
  mark(text.deleted_);
  mark(text.inserted_);  // where an update did both, what it brought
}

std::optional<std::size_t> WovenText::SeqIndex::unit_of(Seq seq) const {
  if (seq >= units_.size() || units_[seq] == 0) return std::nullopt;
  return units_[seq] - 1;
}

std::optional<std::string> WovenText::heading_before(std::size_t unit, Seq at) const {
  constexpr std::size_t kFarthest = 200'000;    // units, visible or not, are looked at
  constexpr std::size_t kLongestHeading = 200;  // units
  constexpr std::size_t kMostMarks = 6;
  const auto next = [&](std::size_t from) { return next_between(from, at, at + 1); };
  const auto stands_at_line_start = [&](std::size_t place) {
    const std::size_t before = previous_between(place, at, at + 1);
    return before == kNone || units_[before] == u'\n';
  };
  const std::size_t last = unit < size() ? unit + 1 : size();
  const std::size_t nearest = last > kFarthest ? last - kFarthest : 0;
  // On the heading itself the unit may be anywhere, so the mark is looked for from there on back.
  for (std::size_t place = last; place-- > nearest;) {
    if (units_[place] != u'#' || !shows(place, at) || !stands_at_line_start(place)) continue;
    std::size_t marks = 1;
    std::size_t here = next(place + 1);
    while (here != kNone && units_[here] == u'#') ++marks, here = next(here + 1);
    if (marks > kMostMarks || here == kNone || units_[here] != u' ') continue;
    std::string heading;
    for (std::size_t i = 0; i < kLongestHeading && here != kNone && units_[here] != u'\n'; ++i) {
      append_characters(heading, here);
      here = next(here + 1);
    }
    const std::size_t begin = heading.find_first_not_of(" \t");
    const std::size_t end = heading.find_last_not_of(" \t#");
    if (begin == heading.npos || end == heading.npos || end < begin) continue;
    return heading.substr(begin, end - begin + 1);
  }
  return std::nullopt;
}

std::vector<WovenText::Run> WovenText::runs() const {
  const auto step_between = [](Seq before, Seq after) {
    return static_cast<std::int64_t>(after) - static_cast<std::int64_t>(before);
  };
  // Whether the unit carries on with the step that the run has or, after its first unit, gets.
  const auto fits = [&](Seq first, int& step, std::size_t length, Seq seq, std::int64_t lowest) {
    if (length == 1) {
      const std::int64_t new_step = step_between(first, seq);
      if (new_step < lowest || new_step > 1) return false;
      step = static_cast<int>(new_step);
      return true;
    }
    return step_between(first, seq) == step * static_cast<std::int64_t>(length);
  };
  std::vector<Run> runs;
  for (std::size_t unit = 0; unit < size(); ++unit) {
    const Seq inserted = inserted_[unit];
    const Seq deleted = deleted_[unit];
    const bool is_gone = deleted != kNever;
    const ClientId client = people_[clients_[unit]];
    const ClientId deleter = is_gone ? people_[deleters_[unit]] : 0;
    if (!runs.empty()) {
      Run& run = runs.back();
      const std::size_t length = unit - run.begin;
      Run longer = run;
      const bool is_second_half = is_high_half(units_[unit - 1]) && inserted == inserted_[unit - 1];
      if (run.inserted_by == client && run.deleted_by == deleter &&
          is_gone == (run.deleted != kNever) &&
          fits(run.inserted, longer.inserted_step, length, inserted, 0) &&
          (!is_gone || fits(run.deleted, longer.deleted_step, length, deleted, -1))) {
        longer.end = unit + 1;
        run = longer;
        continue;
      }
      // A pair is not cut: what was typed on with a step ends before it.
      if (is_second_half && length > 1) {
        run.end = unit - 1;
        runs.push_back({unit - 1, unit + 1, client, inserted, 0, deleted, 0, deleter});
        continue;
      }
    }
    runs.push_back({unit, unit + 1, client, inserted, 0, deleted, 0, deleter});
  }
  return runs;
}

// wovenText := varUint(1) varUint(lastSeq) varUint(units) clients authors inserted lives
//              deletedAt deleters varString(text)
// clients   := varUint(count) varUint(client)*
// authors   := runs                                of units: indexes of clients
// inserted  := deltas                              of units: seqs
// lives     := (varUint(stays) varUint(gone))*     units that are still there, then those that are
//                                                  not, until all are told
// deletedAt := deltas                              of units that are gone: seqs
// deleters  := runs                                of units that are gone: indexes of clients
//
// runs and deltas: crdt/columns.hpp. The text has all units, U+FFFC for an
// embed or a nested type. Only clients that did something here are told.
Bytes WovenText::encode() const {
  Writer writer;
  writer.write_var_uint(kVersion);
  writer.write_var_uint(last_seq_);
  writer.write_var_uint(size());

  std::vector<std::uint64_t> index_of(people_.size(), ~std::uint64_t{0});
  std::vector<ClientId> used;
  const auto use = [&](std::uint32_t person) {
    if (index_of[person] != ~std::uint64_t{0}) return;
    index_of[person] = used.size();
    used.push_back(people_[person]);
  };
  for (std::size_t unit = 0; unit < size(); ++unit) {
    use(clients_[unit]);
    if (deleted_[unit] != kNever) use(deleters_[unit]);
  }
  writer.write_var_uint(used.size());
  for (const ClientId client : used) writer.write_var_uint(client);

  RunColumn authors(writer);
  for (const std::uint32_t client : clients_) authors.add(index_of[client]);
  authors.finish();
  DeltaColumn inserted(writer);
  for (const std::uint32_t seq : inserted_) inserted.add(seq);
  inserted.finish();
  for (std::size_t unit = 0; unit < size();) {
    const auto is_there = [&](std::size_t i) { return deleted_[i] == kNever; };
    const std::size_t begin = unit;
    while (unit < size() && is_there(unit)) ++unit;
    const std::size_t gone = unit;
    while (unit < size() && !is_there(unit)) ++unit;
    writer.write_var_uint(gone - begin);
    writer.write_var_uint(unit - gone);
  }
  DeltaColumn deleted(writer);
  for (const std::uint32_t seq : deleted_) {
    if (seq != kNever) deleted.add(seq);
  }
  deleted.finish();
  RunColumn deleters(writer);
  for (std::size_t unit = 0; unit < size(); ++unit) {
    if (deleted_[unit] != kNever) deleters.add(index_of[deleters_[unit]]);
  }
  deleters.finish();
  writer.write_var_string(characters(0, size()));
  return std::move(writer).take();
}

}  // namespace palimpsest::crdt
