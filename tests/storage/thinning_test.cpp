// Where stretches of a log end, and what becomes of times.

#include "log/thinning.hpp"

#include "builders.hpp"
#include "crdt/doc.hpp"
#include "crdt/update.hpp"
#include "crdt/writer.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using storage::ChangedEntry;
using storage::EntryView;
using storage::Seq;
using storage::log::Thinner;
using storage::log::ThinStretch;

constexpr std::int64_t kStart = 1'790'000'000'000;

// Entries by a few clients of one document.
class Written {
 public:
  struct Entry {
    crdt::ClientId author;
    std::int64_t at;
    std::optional<std::int64_t> made_at;
    crdt::Bytes update;
  };

  void type(crdt::ClientId client, std::int64_t at, const std::string& text) {
    add(client, at, doc_.transact(client, [&](crdt::Transaction& t) {
      t.text_insert("t", doc_.text("t").size(), text);
    }));
  }
  void erase(crdt::ClientId client, std::int64_t at, std::size_t index, std::size_t length) {
    add(client, at,
        doc_.transact(client, [&](crdt::Transaction& t) { t.text_delete("t", index, length); }));
  }
  void add(crdt::ClientId author, std::int64_t at, crdt::Bytes update) {
    entries.push_back({author, at, std::nullopt, std::move(update)});
  }

  std::vector<ThinStretch> thin(std::vector<Seq> borders, Seq first = 1) const {
    return thin(Thinner::Rules{.first = first, .borders = std::move(borders)});
  }
  // With the times of everybody's contributions, here those of who sent an entry.
  Thinner::Rules timed(std::vector<Seq> borders) const {
    std::vector<crdt::Weave::Contribution> contributions;
    std::vector<storage::Time> made{time(0)};
    for (const Entry& one : entries) {
      contributions.push_back(
          {static_cast<std::uint32_t>(made.size()), static_cast<std::uint32_t>(one.author), 0, 0});
      made.push_back(time(kStart + one.made_at.value_or(one.at)));
    }
    return {.borders = std::move(borders),
            .timings = storage::log::timings_of(contributions, made)};
  }
  std::vector<ThinStretch> thin(Thinner::Rules rules) const {
    Thinner thinner(std::move(rules));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Entry& one = entries[i];
      EntryView view;
      view.seq = i + 1;
      view.at = time(kStart + one.at);
      if (one.made_at) view.made_at = time(kStart + *one.made_at);
      view.author = one.author;
      view.update = one.update;
      thinner.add(view);
    }
    return thinner.finish();
  }

  std::vector<Entry> entries;

 private:
  crdt::Doc doc_;
};

using Borders = std::vector<Seq>;
using Ends = std::vector<std::pair<Seq, Seq>>;
Ends ends(const std::vector<ThinStretch>& stretches) {
  Ends all;
  for (const ThinStretch& stretch : stretches) all.emplace_back(stretch.first, stretch.last);
  return all;
}

TEST_CASE("a stretch ends at a border, and one entry is none", "[thinning]") {
  Written written;
  for (int i = 0; i < 6; ++i) written.type(1, i, "x");
  CHECK(ends(written.thin(Borders{6})) == Ends{{1, 6}});
  CHECK(ends(written.thin(Borders{2, 3, 6})) == Ends{{1, 2}, {4, 6}});
  CHECK(ends(written.thin(Borders{6}, 4)) == Ends{{4, 6}});
}

TEST_CASE("a stretch of several people carries each one's deletions apart", "[thinning]") {
  Written written;
  written.type(1, 0, "old words");
  written.type(2, 10, "a");
  written.erase(3, 20, 0, 2);
  written.erase(2, 30, 0, 1);
  written.type(1, 40, "b");
  const auto stretches = written.thin(Borders{1, 5});
  REQUIRE(ends(stretches) == Ends{{2, 5}});
  REQUIRE(stretches[0].carriers.size() == 3);
  const auto carried = [&](Seq seq) { return stretches[0].entry(seq).update; };
  CHECK(crdt::Update::decode(carried(2)).empty());
  CHECK(crdt::Update::decode(carried(3)).block_count() == 0);
  CHECK(crdt::Update::decode(carried(3)).deletions().clients().at(1).front().length == 2);
  CHECK(crdt::Update::decode(carried(4)).deletions().clients().at(1).front().length == 1);
  CHECK(crdt::Update::decode(carried(5)).authored().size() == 2);
  CHECK(crdt::Update::decode(carried(5)).deletions().empty());
}

TEST_CASE("all that was written goes with somebody who wrote", "[thinning]") {
  Written written;
  written.type(1, 0, "old words");
  written.type(2, 10, "a");
  written.type(2, 20, "b");
  written.erase(3, 30, 0, 2);
  const auto stretches = written.thin(Borders{1, 4});
  REQUIRE(ends(stretches) == Ends{{2, 4}});
  CHECK(crdt::Update::decode(stretches[0].entry(3).update).authored().size() == 1);
  CHECK(crdt::Update::decode(stretches[0].entry(4).update).block_count() == 0);
  CHECK_FALSE(crdt::Update::decode(stretches[0].entry(4).update).empty());
}

TEST_CASE("of two who deleted the same the first has done it", "[thinning]") {
  Written written;
  written.type(1, 0, "abc");
  const auto deleting = [](Seq clock, std::uint64_t length) {
    crdt::Writer writer;
    writer.write_var_uint(0);
    crdt::DeleteSet set;
    set.append(1, clock, length);
    set.write(writer);
    return crdt::Bytes(writer.view().begin(), writer.view().end());
  };
  written.add(2, 10, deleting(1, 1));
  written.add(3, 20, deleting(0, 3));
  written.add(2, 30, deleting(0, 3));
  const auto stretches = written.thin(Borders{1, 4});
  REQUIRE(stretches.size() == 1);
  const auto deletions = [&](Seq seq) {
    return crdt::Update::decode(stretches[0].entry(seq).update).deletions();
  };
  using Ranges = crdt::DeleteSet::Ranges;
  CHECK(deletions(3).clients().at(1) == Ranges{{0, 1}, {2, 1}});
  CHECK(deletions(4).clients().at(1) == Ranges{{1, 1}});
}

TEST_CASE("what would change who did what ends a stretch", "[thinning]") {
  Written written;
  written.type(1, 0, "a");
  written.type(1, 10, "b");
  SECTION("somebody deletes what another has just written") {
    written.erase(2, 20, 0, 1);
    written.type(1, 30, "c");
    CHECK(ends(written.thin(Borders{4})) == Ends{{1, 2}, {3, 4}});
  }
  SECTION("an update brings somebody else's content") {
    written.type(2, 20, "c");
    written.entries.back().author = 1;
    written.type(1, 30, "d");
    written.type(1, 40, "e");
    CHECK(ends(written.thin(Borders{5})) == Ends{{1, 2}, {4, 5}});
  }
  SECTION("something waits for what is missing") {
    written.type(1, 20, "c");
    written.type(1, 30, "d");
    written.type(1, 40, "e");
    written.type(1, 50, "f");
    std::swap(written.entries[2].update, written.entries[3].update);
    CHECK(ends(written.thin(Borders{6})) == Ends{{1, 2}, {5, 6}});
  }
  SECTION("the clock goes back") {
    written.type(1, 5, "c");
    written.type(1, 15, "d");
    CHECK(ends(written.thin(Borders{4})) == Ends{{1, 2}, {3, 4}});
    // Where what has a later one of the same author before or behind it stays where it is, too.
    CHECK(ends(written.thin(written.timed(Borders{4}))).empty());
  }
  SECTION("somebody else goes on where one's own next change would be passed") {
    written.type(2, 30, "c");
    written.type(1, 20, "d");
    CHECK(ends(written.thin(Borders{4})) == Ends{{1, 3}});
    CHECK(ends(written.thin(written.timed(Borders{4}))) == Ends{{1, 2}});
  }
  SECTION("an entry is to stay as it is") {
    for (int i = 0; i < 3; ++i) written.type(1, 20 + i, "c");
    CHECK(ends(written.thin(Thinner::Rules{.borders = {5}, .alone = {3}})) == Ends{{1, 2}, {4, 5}});
  }
  SECTION("somebody brings what was made offline in between") {
    written.type(2, 20, "c");
    written.entries.back().made_at = 15;
    written.type(2, 30, "d");
    written.entries.back().made_at = 16;
    CHECK(ends(written.thin(Borders{4})) == Ends{{1, 2}, {3, 4}});
  }
}

TEST_CASE("times move by half a minute at most, those at the ends not at all", "[thinning]") {
  Written written;
  std::int64_t at = 0;
  const auto pauses = {100, 20'000, 100, 15'000, 29'000, 100, 45'000, 100, 100, 59'000, 100};
  for (const std::int64_t pause : pauses) written.type(1, at += pause, "x");
  const auto stretches = written.thin(written.timed(Borders{pauses.size()}));
  REQUIRE(stretches.size() == 1);
  storage::Time before = time(0);
  for (Seq seq = 1; seq <= pauses.size(); ++seq) {
    CAPTURE(seq);
    const ChangedEntry entry = stretches[0].entry(seq);
    const storage::Time was = time(kStart + written.entries[seq - 1].at);
    CHECK(entry.at >= was);
    CHECK(entry.at <= was + std::chrono::seconds(30));
    CHECK(entry.at >= before);
    if (seq > 1) CHECK(entry.at <= before + std::chrono::seconds(60));
    before = entry.at;
  }
  CHECK(stretches[0].entry(1).at == time(kStart + 100));
  CHECK(stretches[0].entry(7).at == time(kStart + written.entries[6].at));  // after a pause
  CHECK(stretches[0].marks.size() < pauses.size());
  CHECK(before == time(kStart + at));
}

}  // namespace
}  // namespace palimpsest::testing
