// Old history becomes coarser, and nobody's work becomes anybody else's.

#include "storage/retention.hpp"

#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "builders.hpp"
#include "crdt/any.hpp"
#include "crdt/merge.hpp"
#include "crdt/reader.hpp"
#include "storage/history.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/chance.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using namespace std::chrono_literals;
using storage::Append;
using storage::History;
using storage::Seq;
using storage::Thinned;
using storage::Time;

constexpr std::int64_t kStart = 1'790'000'000'000;
const std::string kName = "notes";

// A document on disk, in which people write whose replicas are here.
class Notebook {
 public:
  struct Person {
    explicit Person(crdt::ClientId client) : author{client, "P" + std::to_string(client)} {}
    storage::Author author;
    crdt::Doc doc;
    std::size_t heard = 0;  // of the log
    std::vector<std::pair<Time, crdt::Bytes>> offline;
  };

  Notebook()
      : store_(open_sqlite_store(directory_.path() / "data", storage::Access::kReadWrite)),
        writer_(store_->writer()),
        reader_(store_->reader()) {}

  storage::Reader& reader() { return *reader_; }
  storage::Writer& writer() { return *writer_; }
  const crdt::Doc& server() const { return server_; }
  Seq last() const { return seq_; }
  Time now() const { return now_; }
  void pass(std::chrono::milliseconds time) { now_ += time; }

  void send(const storage::Author& author, const crdt::Bytes& bytes,
            std::optional<Time> made_at = std::nullopt) {
    if (bytes.empty()) return;
    const crdt::Update update = crdt::Update::decode(bytes);
    if (server_.covers(update)) return;
    const auto novel = server_.novel_part(update);
    Append append = entry_by(author, kName, ++seq_, "");
    append.at = now_;
    append.made_at = made_at;
    append.update = std::make_shared<const crdt::Bytes>(novel ? *novel : bytes);
    server_.apply(crdt::Update::decode(*append.update));
    log_.push_back(*append.update);
    waiting_.push_back(append);
  }
  template <class Change>
  void write(Person& person, Change&& change) {
    send(person.author, person.doc.transact(person.author.client, change));
  }
  void type(Person& person, std::size_t index, const std::string& text) {
    write(person, [&](crdt::Transaction& t) { t.text_insert("content", index, text); });
  }
  void erase(Person& person, std::size_t index, std::size_t length) {
    write(person, [&](crdt::Transaction& t) { t.text_delete("content", index, length); });
  }
  void hear(Person& person) {
    for (; person.heard < log_.size(); ++person.heard)
      person.doc.apply(crdt::Update::decode(log_[person.heard]));
  }
  void save() {
    if (!waiting_.empty()) writer_->append(waiting_);
    waiting_.clear();
  }
  void checkpoint() {
    save();
    writer_->write_checkpoint({kName, seq_, server_.encode(), "", ""});
  }
  void pack() {
    save();
    if (auto packed = reader_->prepare_compaction(kName, storage::Occasion::kUnloading))
      CHECK(writer_->compact(*packed));
  }
  void name(const std::string& version, Seq seq) {
    save();
    CHECK(writer_->name_version(kName, {version, seq, now_, "P1"}) == storage::Naming::kDone);
  }

  History history() {
    save();
    History history(kName);
    CHECK(history.catch_up(*reader_));
    return history;
  }
  std::optional<storage::Thinning> prepare(std::uint32_t days) {
    History read = history();
    return prepare_thinning(read, *reader_, {now_, days});
  }
  bool thin(std::uint32_t days) {
    const auto thinning = prepare(days);
    if (!thinning) return false;
    REQUIRE(writer_->rewrite(thinning->rewrite, thinning->note));
    return true;
  }

 private:
  TempDirectory directory_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Writer> writer_;
  std::unique_ptr<storage::Reader> reader_;
  crdt::Doc server_;
  std::vector<crdt::Bytes> log_;
  std::vector<Append> waiting_;
  Seq seq_ = 0;
  Time now_ = time(kStart);
};

// --- What must be as before ---

// The bursts as the timeline has them, but for how much came and went within each.
std::string bursts_of(History& history) {
  std::string lines;
  for (const History::Burst& burst : history.timeline(History::Group::kBurst, ~Seq{0}, 1'000'000)) {
    lines += std::to_string(burst.first) + '-' + std::to_string(burst.last) + ' ' +
             storage::format_time(burst.begin) + ' ' + storage::format_time(burst.end) + ' ' +
             std::to_string(burst.shares.front().client) + '\n';
  }
  return lines;
}

std::set<Seq> moments_of(History& history) {
  const std::vector<Seq> ends = history.burst_ends();
  std::set<Seq> moments(ends.begin(), ends.end());
  for (const storage::Version& version : history.versions()) moments.insert(version.seq);
  moments.insert(0);
  moments.insert(history.last_seq());
  return moments;
}

// The document at a moment: every text with its authors, every root, what each client has written.
std::string picture(History& history, Seq at) {
  std::string picture;
  for (const auto& text : history.weave().texts()) {
    const crdt::WovenText& woven = history.text({text.root, text.type});
    picture += text.root + ": " + woven.text(at);
    crdt::ClientId last = 0;
    for (const auto& run : woven.blame(at)) {
      if (run.inserted.client != last) picture += " |" + std::to_string(run.inserted.client) + ":";
      last = run.inserted.client;
      picture += run.text;
    }
    picture += '\n';
  }
  const crdt::Doc then = history.weave().doc().at(history.weave().snapshot(at));
  std::set<std::string> lines;
  for (const std::string& root : then.root_names()) {
    lines.insert(root + "> " + then.delta(root).to_json() + then.map(root).to_json() +
                 then.xml(root) + "\n");
  }
  for (const std::string& line : lines) picture += line;
  for (const auto& [client, clock] : then.state_vector().entries())
    picture += std::to_string(client) + "=" + std::to_string(clock) + ' ';
  return picture;
}

// What turns each moment into the next, unit by unit, with who did it.
std::string changes_between(History& history, const std::set<Seq>& moments) {
  std::string all;
  for (auto to = std::next(moments.begin()); to != moments.end(); ++to) {
    for (const auto& text : history.weave().texts()) {
      for (const auto& change : history.text({text.root, text.type}).diff(*std::prev(to), *to)) {
        if (change.op == crdt::WovenText::Change::Op::kKeep) continue;
        const char op = change.op == crdt::WovenText::Change::Op::kInsert ? '+' : '-';
        const std::string who = std::to_string(change.mark.client);
        // Runs may be cut elsewhere.
        for (const char c : change.text) all += op + who + (c == '\n' ? '~' : c);
      }
    }
    all += '\n';
  }
  return all;
}

struct Pictures {
  std::string bursts;
  std::set<Seq> moments;
  std::map<Seq, std::string> pictures;
  std::string changes;
};
Pictures pictures_of(History history) {
  Pictures all;
  all.bursts = bursts_of(history);
  all.moments = moments_of(history);
  for (const Seq moment : all.moments) all.pictures[moment] = picture(history, moment);
  all.changes = changes_between(history, all.moments);
  return all;
}

// The lines that the one has and the other has not.
std::string difference(const std::string& before, const std::string& after) {
  std::istringstream lines[] = {std::istringstream(before), std::istringstream(after)};
  std::string all;
  std::string line[2];
  while (std::getline(lines[0], line[0]) && std::getline(lines[1], line[1])) {
    if (line[0] != line[1]) all += "< " + line[0] + "\n> " + line[1] + '\n';
  }
  return before == after ? "" : all + "and perhaps more\n";
}

void check_same(const Pictures& before, const Pictures& after) {
  CHECK(difference(before.bursts, after.bursts) == "");
  REQUIRE(before.moments == after.moments);
  for (const auto& [moment, picture] : before.pictures) {
    CAPTURE(moment);
    CHECK(difference(picture, after.pictures.at(moment)) == "");
  }
  CHECK(difference(before.changes, after.changes) == "");
}

std::size_t empty_entries(storage::Reader& reader) {
  std::size_t count = 0;
  reader.visit(kName, 1, ~Seq{0}, [&](const storage::EntryView& entry) {
    if (crdt::Update::decode(entry.update).empty()) ++count;
  });
  return count;
}

// --- Examples ---

// Types the text key by key, a tenth of a second for each.
void type_keys(Notebook& notebook, Notebook::Person& person, const std::string& text) {
  for (const char key : text) {
    notebook.pass(100ms);
    notebook.hear(person);
    notebook.type(person, crdt::length_utf16(person.doc.text("content")), {key});
  }
}

TEST_CASE("a burst becomes one entry that carries what it came to", "[retention]") {
  Notebook notebook;
  Notebook::Person ada(1);
  type_keys(notebook, ada, "one tow");
  notebook.erase(ada, 4, 3);
  type_keys(notebook, ada, "two");
  notebook.pass(10min);
  type_keys(notebook, ada, " three");
  notebook.checkpoint();
  notebook.pass(24h - 5min);
  const Pictures before = pictures_of(notebook.history());
  const crdt::Bytes state = notebook.reader().load(kName)->state;

  const auto thinning = notebook.prepare(1);
  REQUIRE(thinning);
  CHECK(thinning->note == Thinned{11, notebook.now(), 1});
  CHECK(thinning->entries == 11);
  CHECK(thinning->emptied == 10);
  CHECK(thinning->bursts == 1);
  REQUIRE(notebook.writer().rewrite(thinning->rewrite, thinning->note));

  const auto log = notebook.reader().log(kName, 1, 100);
  REQUIRE(log.size() == 17);
  CHECK(log[9].update == crdt::Bytes{0, 0});
  CHECK(text_of(log[10].update).empty());
  CHECK(crdt::Doc::load(log[10].update).text("content") == "one two");
  CHECK(std::string(log[10].update.begin(), log[10].update.end()).find("tow") == std::string::npos);
  CHECK(log[0].at == time(kStart + 100));
  CHECK(log[10].at == time(kStart + 1000));
  CHECK(log[16].update != crdt::Bytes{0, 0});
  check_same(before, pictures_of(notebook.history()));
  CHECK(notebook.reader().load(kName)->state == state);
  CHECK(notebook.reader().retention(kName)->thinned == thinning->note);
  CHECK(notebook.reader().verify().empty());

  // Nothing is left to do, until more is old enough.
  CHECK_FALSE(notebook.prepare(1));
  notebook.pass(24h);
  CHECK(notebook.prepare(1)->note.until == 17);
}

TEST_CASE("a moment inside of a thinned burst is the end of the one before", "[retention]") {
  Notebook notebook;
  Notebook::Person ada(1);
  type_keys(notebook, ada, "one");
  notebook.pass(10min);
  type_keys(notebook, ada, " two");
  notebook.name("half", 5);
  notebook.pass(10min);
  type_keys(notebook, ada, " three");
  notebook.checkpoint();
  REQUIRE(notebook.thin(0));
  const History history = notebook.history();
  CHECK(history.look_up("2").is_thinned());
  CHECK(history.look_up("2").seq == 0);
  CHECK(history.look_up("3").seq == 3);
  CHECK(history.resolve("4") == 3);
  CHECK(history.resolve("5") == 5);
  CHECK_FALSE(history.look_up("v:half").is_thinned());
  CHECK(history.resolve("6") == 5);
  CHECK(history.resolve("7") == 7);
  CHECK(history.resolve("8") == 7);
  CHECK(history.resolve("13") == 13);
  CHECK(history.resolve("2026-09-21T14:13:20.150Z") == 0);
  History read = notebook.history();
  CHECK(read.text(read.main_text()).text(5) == "one t");
  CHECK(read.text(read.main_text()).text(7) == "one two");
}

TEST_CASE("of several people who write at once each keeps what is theirs", "[retention]") {
  Notebook notebook;
  Notebook::Person ada(1);
  Notebook::Person bob(2);
  for (const char* word : {"apple ", "berry ", "cherry ", "date "}) {
    type_keys(notebook, ada, word);
    type_keys(notebook, bob, word);
  }
  notebook.pass(10min);
  notebook.hear(bob);
  notebook.erase(bob, 0, 6);  // what Ada wrote
  notebook.checkpoint();
  const Pictures before = pictures_of(notebook.history());
  REQUIRE(notebook.thin(0));
  check_same(before, pictures_of(notebook.history()));
  CHECK(notebook.reader().verify().empty());
  // Where Ada stopped and Bob went on is an end, and so is where he did.
  CHECK(empty_entries(notebook.reader()) == notebook.last() - 3);
}

TEST_CASE("what one person deletes of what another just wrote stays theirs", "[retention]") {
  Notebook notebook;
  Notebook::Person ada(1);
  Notebook::Person bob(2);
  type_keys(notebook, ada, "mine");
  notebook.hear(bob);
  notebook.erase(bob, 0, 2);
  type_keys(notebook, ada, " too");
  notebook.checkpoint();
  REQUIRE(notebook.thin(0));
  History history = notebook.history();
  const auto found = history.text(history.main_text()).search("mi");
  REQUIRE(found.occurrences.size() == 1);
  CHECK(found.occurrences[0].writers == std::vector<crdt::ClientId>{1});
  CHECK(found.occurrences[0].spans[0].ended_by == 2);
}

TEST_CASE("what is not behind a checkpoint is not thinned", "[retention]") {
  Notebook notebook;
  Notebook::Person ada(1);
  type_keys(notebook, ada, "one");
  CHECK_FALSE(notebook.prepare(0));
  notebook.pass(10min);
  type_keys(notebook, ada, "two");
  notebook.checkpoint();
  notebook.pass(10min);
  type_keys(notebook, ada, "three");
  notebook.pass(1h);
  CHECK(notebook.prepare(0)->note.until == 6);
}

TEST_CASE("a thinning that was prepared of another log does nothing", "[retention]") {
  Notebook notebook;
  Notebook::Person ada(1);
  type_keys(notebook, ada, std::string(200, 'x'));
  notebook.checkpoint();
  const auto thinning = notebook.prepare(0);
  REQUIRE(thinning);
  SECTION("packed") { notebook.pack(); }
  SECTION("named") { notebook.name("here", 7); }
  SECTION("checkpointed") {
    type_keys(notebook, ada, "y");
    notebook.checkpoint();
  }
  SECTION("thinned") { REQUIRE(notebook.writer().rewrite(thinning->rewrite, thinning->note)); }
  const auto before = notebook.reader().log(kName, 1, 1000);
  CHECK_FALSE(notebook.writer().rewrite(thinning->rewrite, thinning->note));
  const auto behind = notebook.reader().log(kName, 1, 1000);
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(before[i].update == behind[i].update);
}

TEST_CASE("a history that was open before reads the thinned log", "[retention]") {
  Notebook notebook;
  Notebook::Person ada(1);
  type_keys(notebook, ada, "one");
  notebook.checkpoint();
  History history = notebook.history();
  CHECK(history.resolve("2") == 2);
  REQUIRE(notebook.thin(0));
  REQUIRE(history.catch_up(notebook.reader()));
  CHECK(history.resolve("2") == 0);
  CHECK(history.thinned()->until == 3);
}

TEST_CASE("which histories are to be thinned is by their own rule or by that of all",
          "[retention]") {
  Notebook notebook;
  Notebook::Person ada(1);
  type_keys(notebook, ada, "one");
  notebook.checkpoint();
  const auto names = [&](std::uint32_t days, Seq entries) {
    std::vector<std::pair<std::string, std::uint32_t>> found;
    for (const auto& one : notebook.reader().thinnable(days, entries, notebook.now()))
      found.emplace_back(one.document, one.days);
    return found;
  };
  const auto rule = [&](std::optional<std::uint32_t> days) {
    storage::DocumentEdit edit;
    edit.document = kName;
    edit.history_days = days;
    REQUIRE(notebook.writer().edit(edit));
  };
  using Found = decltype(names(0, 0));
  CHECK(names(0, 1).empty());
  CHECK(names(90, 3) == Found{{kName, 90}});
  CHECK(names(90, 4).empty());
  rule(7);
  CHECK(names(0, 1) == Found{{kName, 7}});
  CHECK(names(90, 1) == Found{{kName, 7}});
  CHECK(notebook.reader().find(kName, "")->history_days == 7);
  rule(0);
  CHECK(names(90, 1).empty());
  CHECK(notebook.reader().retention(kName)->days == 0);
  rule(std::nullopt);
  CHECK(names(90, 1) == Found{{kName, 90}});
  REQUIRE(notebook.thin(0));
  CHECK(names(90, 1).empty());  // nothing has come since
  notebook.writer().put_into_bin(kName, notebook.now());
  CHECK(names(90, 0).empty());
}

// --- Anything that people do ---

class Session {
 public:
  Session(Notebook& notebook, std::uint64_t seed) : notebook_(notebook), chance_(seed) {
    const std::size_t count = 1 + chance_.below(4);
    for (std::size_t i = 0; i < count; ++i) people_.emplace_back(i + 1);
    pause_ = 1 + chance_.below(30);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    for (Notebook::Person& person : people_) come_back(person);
  }

 private:
  void step() {
    Notebook::Person& person = chance_.of(people_);
    notebook_.pass(std::chrono::milliseconds(50 + chance_.below(400)));
    if (chance_.one_in(pause_)) {
      constexpr std::chrono::milliseconds kPauses[] = {20s, 31s, 45s, 60s, 61s, 90s, 20min, -5s};
      notebook_.pass(chance_.of(kPauses));
    }
    if (chance_.one_in(3)) notebook_.hear(person);
    if (chance_.one_in(40)) name_a_moment();
    if (chance_.one_in(60)) notebook_.checkpoint();
    if (chance_.one_in(80)) notebook_.pack();
    const crdt::Bytes update =
        person.doc.transact(person.author.client, [&](crdt::Transaction& t) { edit(person, t); });
    if (update.empty()) return;
    if (!person.offline.empty() || chance_.one_in(40)) {
      person.offline.emplace_back(notebook_.now(), update);
      if (chance_.one_in(8)) come_back(person);
    } else if (chance_.one_in(60)) {
      relay(person, update);
    } else {
      notebook_.send(person.author, update);
    }
  }

  // In any order: what needs another one waits for it.
  void come_back(Notebook::Person& person) {
    if (chance_.one_in(3))
      std::shuffle(person.offline.begin(), person.offline.end(), chance_.engine());
    for (const auto& [made_at, update] : person.offline) {
      notebook_.pass(std::chrono::milliseconds(chance_.below(50)));
      notebook_.send(person.author, update, made_at);
    }
    person.offline.clear();
  }

  // Somebody brings what another has not sent yet.
  void relay(Notebook::Person& person, const crdt::Bytes& update) {
    Notebook::Person& other = chance_.of(people_);
    std::vector<crdt::ByteView> updates{update};
    for (const auto& one : other.offline) updates.push_back(one.second);
    notebook_.send(person.author, crdt::merge_updates(updates));
  }

  void name_a_moment() {
    if (notebook_.last() == 0) return;
    notebook_.name("v" + std::to_string(++versions_), chance_.below(notebook_.last() + 1));
  }

  void edit(Notebook::Person& person, crdt::Transaction& t) {
    static const std::string kWords[] = {"a", "b", "word ", "\U0001F600", "é", "\n"};
    const std::size_t length = crdt::length_utf16(person.doc.text("content"));
    const std::size_t at = chance_.one_in(4) ? chance_.below(length + 1) : length;
    const std::size_t most = std::min<std::size_t>(length - at, 1 + chance_.below(6));
    switch (chance_.below(12)) {
      case 0:
      case 1:
        if (length > 0) t.text_delete("content", length - 1, 1);
        return;
      case 2:
        if (most > 0) t.text_delete("content", at, most);
        return;
      case 3:
        if (most > 0)
          t.text_format("content", at, most,
                        crdt::Any(crdt::Any::Object{{"b", chance_.one_in(2)}}));
        return;
      case 4:
        t.map_set("map", chance_.one_in(2) ? "k" : "l", static_cast<int>(chance_.below(100)));
        return;
      case 5:
        t.text_embed("content", at, crdt::Any(crdt::Any::Object{{"i", 1}}));
        return;
      default:
        t.text_insert("content", at, chance_.of(kWords));
    }
  }

  Notebook& notebook_;
  Chance chance_;
  std::vector<Notebook::Person> people_;
  std::size_t pause_ = 1;
  int versions_ = 0;
};

TEST_CASE("whatever people did, no end of a burst and no named moment becomes another",
          "[retention]") {
  const auto seed = GENERATE(range(0, 60));
  CAPTURE(seed);
  Notebook notebook;
  Session session(notebook, static_cast<std::uint64_t>(seed));
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    session.run(100);
    if (round != 1) notebook.checkpoint();
    if (round != 2) notebook.pack();
    const crdt::Bytes state = notebook.reader().load(kName)->state;
    const Pictures before = pictures_of(notebook.history());
    const bool is_thinned = notebook.thin(0);
    if (!is_thinned) continue;
    check_same(before, pictures_of(notebook.history()));
    CHECK(notebook.reader().load(kName)->state == state);
    for (const storage::Finding& finding : notebook.reader().verify()) FAIL_CHECK(finding.cause);
    CHECK_FALSE(notebook.prepare(0));
  }
  // Somebody who opens it gets what is on disk, and so does who replays it all.
  crdt::Doc replayed;
  notebook.reader().visit(kName, 1, ~Seq{0}, [&](const storage::EntryView& entry) {
    replayed.apply(crdt::Update::decode(entry.update));
  });
  CHECK(replayed.text("content") == notebook.server().text("content"));
  CHECK(replayed.state_vector() == notebook.server().state_vector());
}

TEST_CASE("a history thinned day by day is as one that is thinned at once", "[retention]") {
  const auto seed = GENERATE(range(0, 20));
  CAPTURE(seed);
  std::vector<std::vector<storage::LogEntry>> logs;
  for (const bool is_daily : {true, false}) {
    Notebook notebook;
    Notebook::Person ada(1);
    Notebook::Person bob(2);
    Chance chance(static_cast<std::uint64_t>(seed));
    for (int day = 0; day < 4; ++day) {
      for (int sitting = 0; sitting < 3; ++sitting) {
        type_keys(notebook, chance.one_in(2) ? ada : bob, "some ");
        type_keys(notebook, chance.one_in(2) ? ada : bob, "words ");
        if (chance.one_in(2)) notebook.pass(10min);
      }
      notebook.pass(24h);
      notebook.checkpoint();
      if (is_daily) notebook.thin(1);
    }
    notebook.thin(1);
    logs.push_back(notebook.reader().log(kName, 1, 10'000));
  }
  REQUIRE(logs[0].size() == logs[1].size());
  for (std::size_t i = 0; i < logs[0].size(); ++i) {
    CAPTURE(i);
    CHECK(logs[0][i].update == logs[1][i].update);
    CHECK(logs[0][i].at == logs[1][i].at);
  }
}

}  // namespace
}  // namespace palimpsest::testing
