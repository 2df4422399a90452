#include "storage/retention.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "crdt/error.hpp"
#include "log/replay.hpp"
#include "log/thinning.hpp"

namespace palimpsest::storage {
namespace {

using log::ThinStretch;

// The last end of a burst that is old enough and that the checkpoint covers: what is behind a
// checkpoint is what loading applies to it.
Seq last_to_thin(const std::vector<Seq>& ends, Seq old_enough, Seq checkpoint) {
  const auto behind = std::ranges::upper_bound(ends, std::min(old_enough, checkpoint));
  return behind == ends.begin() ? 0 : *std::prev(behind);
}

std::vector<Seq> borders_of(const History& history, std::vector<Seq> ends) {
  for (const Version& version : history.versions()) ends.push_back(version.seq);
  std::ranges::sort(ends);
  return ends;
}

std::vector<log::Timing> timings_of(const History& history) {
  std::vector<Time> made;
  made.reserve(history.last_seq() + 1);
  for (Seq seq = 0; seq <= history.last_seq(); ++seq) made.push_back(history.time_of(seq));
  return log::timings_of(history.weave().contributions(), made);
}

std::vector<ThinStretch> stretches_of(History& history, Reader& reader, Seq first, Seq last,
                                      std::vector<Seq> ends) {
  log::Thinner thinner({.first = first,
                        .borders = borders_of(history, std::move(ends)),
                        .timings = timings_of(history),
                        .alone = history.weave().tears()});
  reader.visit(history.document(), 1, last, [&](const EntryView& entry) { thinner.add(entry); });
  return thinner.finish();
}

// Entries as they are to be, asked for in order.
class Plan {
 public:
  explicit Plan(std::vector<ThinStretch> stretches) : stretches_(std::move(stretches)) {}

  std::optional<ChangedEntry> entry(Seq seq) const {
    const auto stretch = std::ranges::lower_bound(stretches_, seq, {}, &ThinStretch::last);
    if (stretch == stretches_.end() || seq < stretch->first) return std::nullopt;
    return stretch->entry(seq);
  }
  const std::vector<ThinStretch>& stretches() const { return stretches_; }

 private:
  std::vector<ThinStretch> stretches_;
};

// Throws crdt::Bug where the log would come to something else.
void verify(const Plan& plan, Reader& reader, const History& history) {
  const std::optional<StoredDocument> stored = reader.load(history.document());
  if (!stored) return;
  log::Replay replay(stored->checkpoint_seq);
  std::optional<std::string> fault;
  reader.visit(history.document(), 1, stored->checkpoint_seq, [&](const EntryView& entry) {
    const std::optional<ChangedEntry> changed = plan.entry(entry.seq);
    EntryView thinned = entry;
    if (changed) thinned.update = changed->update;
    if (auto found = replay.add(thinned); found && !fault) fault = std::move(found);
  });
  if (!fault) fault = replay.fault_of(stored->state);
  if (fault) {
    throw crdt::Bug("thinning the history of \"" + history.document() +
                    "\" would change it: " + *fault);
  }
}

std::size_t emptied_by(const Plan& plan) {
  std::size_t count = 0;
  for (const ThinStretch& stretch : plan.stretches())
    count += stretch.last - stretch.first + 1 - stretch.carriers.size();
  return count;
}

bool is_stale(const History& history, const LogRewrite& rewrite, Seq until) {
  return history.log_version() != LogVersion{rewrite.generation, rewrite.rewrites} ||
         rewrite.versions != history.versions().size() || rewrite.checkpoint_seq < until;
}

// What prepare_thinning() answers; sets `is_fresh` to false where the log or the versions are not
// those of the history any more.
std::optional<Thinning> prepare(History& history, Reader& reader, const ThinningRule& rule,
                                bool& is_fresh) {
  is_fresh = true;
  const std::optional<Retention> retention = reader.retention(history.document());
  if (!retention) return std::nullopt;
  const Seq thinned = retention->thinned ? retention->thinned->until : 0;
  std::vector<Seq> ends = history.burst_ends();
  Thinning thinning;
  thinning.note.at = rule.now;
  thinning.note.days = rule.days;
  thinning.note.until = last_to_thin(ends, history.come_by(rule.now - std::chrono::days(rule.days)),
                                     retention->checkpoint_seq);
  const Seq until = thinning.note.until;
  if (until <= thinned) return std::nullopt;
  thinning.entries = until - thinned;
  thinning.bursts = static_cast<std::size_t>(std::ranges::upper_bound(ends, until) -
                                             std::ranges::upper_bound(ends, thinned));
  const Plan plan(stretches_of(history, reader, thinned + 1, until, std::move(ends)));
  thinning.emptied = emptied_by(plan);
  if (thinning.emptied == 0) return std::nullopt;
  std::optional<LogRewrite> rewrite = reader.prepare_rewrite(
      history.document(), {.entry = [&](const EntryView& entry) { return plan.entry(entry.seq); },
                           .first = thinned + 1,
                           .last = until});
  if (!rewrite) return std::nullopt;
  is_fresh = !is_stale(history, *rewrite, until);
  if (!is_fresh) return std::nullopt;
  verify(plan, reader, history);
  thinning.rewrite = std::move(*rewrite);
  return thinning;
}

}  // namespace

std::optional<Thinning> prepare_thinning(History& history, Reader& reader,
                                         const ThinningRule& rule) {
  constexpr int kTries = 3;
  for (int tries = 0; tries < kTries; ++tries) {
    bool is_fresh = false;
    std::optional<Thinning> thinning = prepare(history, reader, rule, is_fresh);
    if (is_fresh) return thinning;
    if (!history.catch_up(reader)) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace palimpsest::storage
