#include "crdt/weave.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <random>
#include <tuple>

#include <rapidcheck.h>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "support/catch.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::Replica;
using Op = WovenText::Change::Op;

// A log as a server keeps it, and what a plain document shows behind each of its updates.
class Log {
 public:
  void add(ClientId sender, const Bytes& update) {
    const Seq seq = texts_.size();
    weave_.add({seq, sender, update});
    plain_.apply(Update::decode(update));
    texts_.push_back(plain_.text("t"));
    updates_.push_back(update);
  }
  void add(Replica& writer, const Bytes& update) { add(writer.client(), update); }

  const Weave& weave() const { return weave_; }
  WovenText text() const { return *weave_.text("t"); }
  Seq last() const { return texts_.size() - 1; }
  const std::string& text_at(Seq seq) const { return texts_[seq]; }
  const std::vector<Bytes>& updates() const { return updates_; }

 private:
  Weave weave_;
  Doc plain_;
  std::vector<std::string> texts_{""};
  std::vector<Bytes> updates_;
};

// "+word" and "-word" for what came and went, "word" for what stayed; who and when behind it.
std::string to_string(const std::vector<WovenText::Change>& changes) {
  std::string all;
  for (const auto& change : changes) {
    if (!all.empty()) all += ' ';
    all += change.op == Op::kKeep ? "" : change.op == Op::kInsert ? "+" : "-";
    all += change.text;
    if (change.op == Op::kKeep) continue;
    all += "@" + std::to_string(change.mark.client) + ":" + std::to_string(change.mark.first);
    if (change.mark.last != change.mark.first) all += "-" + std::to_string(change.mark.last);
  }
  return all;
}

std::string to_string(const std::vector<WovenText::Blame>& runs) {
  std::string all;
  for (const auto& run : runs) {
    if (!all.empty()) all += ' ';
    all += run.text + "@" + std::to_string(run.inserted.client) + ":" +
           std::to_string(run.inserted.first);
  }
  return all;
}

TEST_CASE("every moment of a text can be read, and who wrote it", "[weave]") {
  Log log;
  Replica ada(1);
  Replica bob(2);
  log.add(ada, ada.insert(0, "hello world"));
  bob.pull(ada);
  log.add(bob, bob.insert(5, " old"));
  ada.pull(bob);
  log.add(ada, ada.erase(5, 4));
  bob.pull(ada);
  log.add(bob, bob.insert(5, " new"));

  const WovenText text = log.text();
  CHECK(text.text(0).empty());
  CHECK(text.text(1) == "hello world");
  CHECK(text.text(2) == "hello old world");
  CHECK(text.text(3) == "hello world");
  CHECK(text.text(4) == "hello new world");
  CHECK(text.text(99) == "hello new world");

  CHECK(to_string(text.diff(2, 4)) == "hello - old@1:3 + new@2:4  world");
  CHECK(to_string(text.diff(0, 1)) == "+hello world@1:1");
  CHECK(to_string(text.diff(3, 3)) == "hello world");
  CHECK(to_string(text.diff(2, 1)) == "hello - old@2:2  world");
  CHECK(to_string(text.diff(3, 2)) == "hello + old@1:3  world");
  CHECK(to_string(text.blame(4)) == "hello@1:1  new@2:4  world@1:1");
}

TEST_CASE("what is typed key by key is one run, and so is what is erased key by key", "[weave]") {
  Log log;
  Replica ada(1);
  for (std::size_t i = 0; i < 6; ++i) log.add(ada, ada.insert(i, std::string(1, "abcdef"[i])));
  for (std::size_t i = 6; i-- > 3;) log.add(ada, ada.erase(i, 1));
  const std::vector<WovenText::Run> runs = log.text().runs();
  REQUIRE(runs.size() == 2);
  CHECK((runs[0].inserted == 1 && runs[0].inserted_step == 1 && runs[0].end == 3));
  CHECK(runs[0].deleted == WovenText::kNever);
  CHECK((runs[1].inserted == 4 && runs[1].inserted_step == 1 && runs[1].end == 6));
  CHECK((runs[1].deleted == 9 && runs[1].deleted_step == -1 && runs[1].deleted_by == 1));
}

TEST_CASE("runs are grouped as the caller says", "[weave]") {
  Log log;
  Replica ada(1);
  for (std::size_t i = 0; i < 4; ++i) log.add(ada, ada.insert(i, std::string(1, "abcd"[i])));
  const std::vector<std::uint32_t> groups{0, 0, 0, 1, 1};
  CHECK(to_string(log.text().blame(4)) == "abcd@1:1");
  CHECK(to_string(log.text().blame(4, groups)) == "ab@1:1 cd@1:3");
  CHECK(to_string(log.text().diff(1, 4, groups)) == "a +b@1:2 +cd@1:3-4");
}

TEST_CASE("a character outside the basic plane that is torn was whole until then", "[weave]") {
  Log log;
  Replica ada(1);
  log.add(ada, ada.insert(0, "a😀b"));
  log.add(ada, ada.erase(2, 1));
  log.add(ada, ada.insert(3, "!"));
  const WovenText text = log.text();
  CHECK(text.text(1) == "a😀b");
  CHECK(text.text(2) ==
        "a\xEF\xBF\xBD"
        "b");
  for (Seq seq = 0; seq <= log.last(); ++seq) CHECK(text.text(seq) == log.text_at(seq));
}

TEST_CASE("what had to wait came with the update that it waited for", "[weave]") {
  Log log;
  Replica ada(1);
  const Bytes first = ada.insert(0, "one ");
  const Bytes second = ada.insert(4, "two");
  const Bytes third = ada.erase(0, 4);
  log.add(ada, second);
  log.add(ada, third);
  log.add(5, first);
  const WovenText text = log.text();
  CHECK(text.text(2).empty());
  CHECK(text.text(3) == "two");
  // The deletion waited too, and ends what came with the same update before it was seen.
  CHECK(to_string(text.blame(3)) == "two@1:3");
}

TEST_CASE("of two who delete the same, the first did", "[weave]") {
  Log log;
  Replica ada(1);
  Replica bob(2);
  log.add(ada, ada.insert(0, "abc"));
  bob.pull(ada);
  const Bytes by_bob = bob.erase(1, 2);
  const Bytes by_ada = ada.erase(0, 2);
  log.add(bob, by_bob);
  log.add(ada, by_ada);
  log.add(bob, by_bob);
  CHECK(to_string(log.text().diff(1, log.last())) == "-a@1:3 -bc@2:2");
}

TEST_CASE("one update can be several people's work", "[weave]") {
  Log log;
  Replica ada(1);
  Replica bob(2);
  ada.insert(0, "ada");
  bob.pull(ada);
  bob.insert(3, "bob!");
  bob.erase(0, 1);
  log.add(2, bob.doc().encode());
  CHECK(to_string(log.text().blame(1)) == "da@1:1 bob!@2:1");
  const auto contributions = log.weave().contributions();
  REQUIRE(contributions.size() == 2);
  std::map<ClientId, std::uint32_t> inserted;
  for (const auto& one : contributions) {
    inserted[log.weave().client(one.client)] = one.inserted;
    CHECK(one.deleted == 0);  // it was never to be seen
  }
  CHECK(inserted == std::map<ClientId, std::uint32_t>{{1, 2}, {2, 4}});
}

TEST_CASE("texts inside of other types have their weave too", "[weave]") {
  Weave weave;
  Replica ada(1, {.gc = false});
  Id note{};
  weave.add({1, 1, ada.change([&](Transaction& t) {
               note = t.map_set("m", "note", NewType{SharedType::kText});
               t.text_insert(note, 0, "inside");
             })});
  weave.add({2, 1, ada.change([&](Transaction& t) { t.text_delete(note, 0, 2); })});
  weave.add({3, 1, ada.change([&](Transaction& t) { t.map_delete("m", "note"); })});
  weave.add({4, 1, ada.insert(0, "outside")});
  const auto texts = weave.texts();
  REQUIRE(texts.size() == 2);
  CHECK((texts[0].root == "m" && texts[0].type == note));
  CHECK((texts[1].root == "t" && !texts[1].type));
  const WovenText text = *weave.text(note);
  CHECK(text.text(1) == "inside");
  CHECK(text.text(2) == "side");
  CHECK(text.text(3).empty());
  CHECK_FALSE(weave.text("nothing").has_value());
}

TEST_CASE("an embed counts one unit and is no character", "[weave]") {
  Log log;
  Replica ada(1);
  log.add(ada, ada.insert(0, "ab"));
  log.add(ada, ada.change([](Transaction& t) {
    t.text_embed("t", 1, Any(Any::Object{{"image", "x"}}));
    t.text_format("t", 0, 1, Any(Any::Object{{"bold", true}}));
  }));
  const WovenText text = log.text();
  CHECK(text.size() == 3);
  CHECK(text.text(2) == "ab");
  CHECK(text.characters(0, 3) ==
        "a\xEF\xBF\xBC"
        "b");
}

TEST_CASE("a heading is found as it stood at that moment", "[weave]") {
  Log log;
  Replica ada(1);
  log.add(ada, ada.insert(0, "intro\n# One #\ntext\n## Two\nmore"));
  log.add(ada, ada.erase(8, 3));
  log.add(ada, ada.insert(8, "Eins"));
  const WovenText text = log.text();
  const auto unit_of = [&](std::string_view what) {
    return text.characters(0, text.size()).find(what);
  };
  CHECK_FALSE(text.heading_before(unit_of("intro"), 1));
  CHECK(text.heading_before(unit_of("text"), 1) == "One");
  CHECK(text.heading_before(unit_of("text"), 3) == "Eins");
  CHECK(text.heading_before(unit_of("more"), 3) == "Two");
  const WovenText::SeqIndex index(text);
  CHECK(text.heading_before(*index.unit_of(3), 3) == "Eins");
  CHECK_FALSE(index.unit_of(0));
}

// --- Search ---

using Spans = std::vector<std::pair<Seq, Seq>>;
Spans spans_of(const WovenText::Occurrence& occurrence) {
  Spans spans;
  for (const auto& span : occurrence.spans) spans.emplace_back(span.from, span.until);
  return spans;
}

TEST_CASE("a phrase is found however it came together", "[weave][search]") {
  Log log;
  Replica ada(1);
  Replica bob(2);
  log.add(ada, ada.insert(0, "secret plan"));
  bob.pull(ada);
  log.add(bob, bob.insert(6, "ly xx bad"));  // secretly xx bad plan
  log.add(bob, bob.erase(9, 3));             // secretly bad plan
  ada.pull(bob);
  log.add(ada, ada.erase(6, 6));  // secret plan again
  log.add(ada, ada.erase(0, 11));

  const WovenText text = log.text();
  const auto written = text.search("secret plan").occurrences;
  REQUIRE(written.size() == 1);
  CHECK(spans_of(written[0]) == Spans{{1, 2}, {4, 5}});
  CHECK(written[0].writers == std::vector<ClientId>{1});
  CHECK(written[0].spans[0].ended_by == 2);      // who wrote into it
  CHECK(written[0].spans[1].completed_by == 1);  // who deleted what stood between
  CHECK(written[0].spans[1].ended_by == 1);

  // Two people's characters, whole only between two deletions.
  const auto between = text.search("secretly bad").occurrences;
  REQUIRE(between.size() == 1);
  CHECK(spans_of(between[0]) == Spans{{3, 4}});
  CHECK(between[0].writers == std::vector<ClientId>{1, 2});
  CHECK(between[0].spans[0].completed_by == 2);
  CHECK(text.search("never").occurrences.empty());
  CHECK(text.search("never").complete);
}

TEST_CASE("a search that takes too long says so", "[weave][search]") {
  Log log;
  Replica ada(1);
  log.add(ada, ada.insert(0, std::string(2000, 'a')));
  const WovenText text = log.text();
  const auto few = text.search("aa", {.occurrences = 10, .steps = 1'000'000});
  CHECK(few.occurrences.size() == 10);
  CHECK_FALSE(few.complete);
  CHECK_FALSE(text.search("aaaaaaaaaaaa", {.occurrences = 5000, .steps = 100}).complete);
  CHECK(text.search("aaaaaaaaaaaab", {.occurrences = 10, .steps = 100}).complete);
  CHECK(text.search("aa", {.occurrences = 5000, .steps = 1'000'000}).occurrences.size() == 1999);
}

// --- Random documents, held against replaying the log ---

const char* const kWords[] = {"a", "b", "ab", "ba", "aab", " ", "x\n", "😀", "é", "a😀b", "# h\n"};

std::size_t length_with_embeds(Replica& replica) {
  std::size_t length = 0;
  const Any delta = replica.doc().delta("t");
  for (const Any& step : *delta.get_if<Any::Array>()) {
    const auto* const characters = step.find("insert")->get_if<std::string>();
    length += characters != nullptr ? length_utf16(*characters) : 1;
  }
  return length;
}

void change_at_random(Replica& replica, std::mt19937_64& chance) {
  const std::size_t length = length_with_embeds(replica);
  const auto any_of = [&](std::size_t count) { return chance() % count; };
  switch (any_of(10)) {
    case 0:
    case 1:
    case 2:
      if (length > 0) {
        const std::size_t at = any_of(length);
        replica.erase(at, std::min<std::size_t>(length - at, 1 + any_of(4)));
        return;
      }
      break;
    case 3:
      if (length > 0) {
        const std::size_t at = any_of(length);
        replica.change([&](Transaction& t) {
          t.text_format("t", at, 1 + any_of(length - at),
                        Any(Any::Object{{"bold", any_of(2) == 0 ? Any(true) : Any(Any::Null{})}}));
        });
        return;
      }
      break;
    case 4:
      replica.change([&](Transaction& t) {
        t.text_embed("t", any_of(length + 1), Any(Any::Object{{"image", "x"}}));
      });
      return;
    default:
      break;
  }
  replica.insert(any_of(length + 1), kWords[any_of(std::size(kWords))]);
}

struct Sent {
  ClientId sender;
  Bytes update;
};

// What several people write at once, in an order in which a server may take it: some of it early,
// some twice.
std::vector<Sent> random_log(std::mt19937_64& chance, std::size_t edits) {
  std::deque<Replica> replicas;
  for (ClientId client = 1; client <= 3; ++client) replicas.emplace_back(client * 77);
  std::vector<Sent> log;
  std::vector<std::size_t> sent(replicas.size(), 0);
  for (std::size_t i = 0; i < edits; ++i) {
    const std::size_t who = chance() % replicas.size();
    change_at_random(replicas[who], chance);
    if (chance() % 3 == 0) replicas[who].pull(replicas[chance() % replicas.size()]);
    for (std::size_t r = 0; r < replicas.size(); ++r) {
      if (chance() % 3 == 0) continue;
      const auto& updates = replicas[r].updates();
      for (; sent[r] < updates.size(); ++sent[r]) {
        log.push_back({replicas[r].client(), updates[sent[r]]});
      }
    }
  }
  for (std::size_t r = 0; r < replicas.size(); ++r) {
    log.push_back({replicas[r].client(), replicas[r].doc().encode()});
  }
  for (std::size_t i = 0; i + 1 < log.size(); ++i) {
    if (chance() % 8 == 0)
      std::swap(log[i], log[i + chance() % std::min<std::size_t>(4, log.size() - i)]);
    if (chance() % 16 == 0) log.push_back(log[i]);
  }
  return log;
}

Log woven(const std::vector<Sent>& sent) {
  Log log;
  for (const Sent& one : sent) log.add(one.sender, one.update);
  return log;
}

TEST_CASE("the weave's text at each moment is that of replaying the log", "[weave]") {
  CHECK(rc::check("texts", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const Log log = woven(random_log(chance, 40));
    const WovenText text = log.text();
    for (Seq seq = 0; seq <= log.last(); ++seq) RC_ASSERT(text.text(seq) == log.text_at(seq));
  }));
}

TEST_CASE("a weave that is read now and then is the one read at the end", "[weave]") {
  CHECK(rc::check("growing", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const std::vector<Sent> sent = random_log(chance, 30);
    Weave weave;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      weave.add({i + 1, sent[i].sender, sent[i].update});
      if (chance() % 4 == 0) weave.text("t");
    }
    const auto grown = weave.text("t");
    RC_ASSERT(grown.has_value());
    RC_ASSERT(grown->encode() == woven(sent).text().encode());
  }));
}

// What can be asked of a weave, of every moment.
void check_equal(const Weave& one, const Weave& other) {
  RC_ASSERT(one.last_seq() == other.last_seq());
  RC_ASSERT(one.doc().snapshot() == other.doc().snapshot());
  RC_ASSERT(one.doc().has_pending() == other.doc().has_pending());
  RC_ASSERT(one.tears() == other.tears());
  const auto told = [](const Weave& weave) {
    std::vector<std::tuple<Seq, ClientId, std::uint32_t, std::uint32_t>> all;
    for (const auto& each : weave.contributions())
      all.emplace_back(each.seq, weave.client(each.client), each.inserted, each.deleted);
    return all;
  };
  RC_ASSERT(told(one) == told(other));
  const auto names = [](const Weave& weave) {
    std::vector<std::pair<std::string, std::optional<Id>>> all;
    for (const Weave::Text& text : weave.texts()) all.emplace_back(text.root, text.type);
    return all;
  };
  RC_ASSERT(names(one) == names(other));
  for (const auto& [root, type] : names(one)) {
    const TypeRef name = type ? TypeRef(*type) : TypeRef(root);
    RC_ASSERT(one.text(name)->encode() == other.text(name)->encode());
    RC_ASSERT(one.ids(name) == other.ids(name));
  }
  for (Seq seq = 0; seq <= one.last_seq(); ++seq) {
    const Snapshot then = one.snapshot(seq);
    RC_ASSERT(then == other.snapshot(seq));
    RC_ASSERT(one.doc().encode_at(then) == other.doc().encode_at(then));
  }
}

TEST_CASE("a weave that was kept goes on as if it had never been put away", "[weave]") {
  CHECK(rc::check("kept weaves", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const std::vector<Sent> sent = random_log(chance, 30);
    Weave whole;
    Weave kept;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const Weave::Entry entry{i + 1, sent[i].sender, sent[i].update};
      whole.add(entry);
      kept.add(entry);
      if (chance() % 5 > 0) continue;
      kept = Weave::decode(kept.encode());
      if (chance() % 3 == 0) check_equal(kept, whole);
    }
    check_equal(Weave::decode(kept.encode()), whole);
  }));
}

TEST_CASE("a weave of which bytes are missing or changed is refused or is one", "[weave]") {
  CHECK(rc::check("broken weaves", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const Log log = woven(random_log(chance, 20));
    const Bytes bytes = log.weave().encode();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      RC_ASSERT_THROWS_AS(Weave::decode(ByteView(bytes).first(size)), DecodeError);
    }
    for (int i = 0; i < 200; ++i) {
      Bytes changed = bytes;
      changed[chance() % changed.size()] ^= static_cast<std::uint8_t>(1 + chance() % 255);
      try {
        const Weave weave = Weave::decode(changed);
        weave.text("t");
        weave.snapshot(weave.last_seq() / 2);
        Weave::decode(weave.encode());
      } catch (const DecodeError&) {
      }
    }
  }));
}

TEST_CASE("a difference turns the one text into the other", "[weave]") {
  CHECK(rc::check("differences", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const Log log = woven(random_log(chance, 30));
    const WovenText text = log.text();
    for (int i = 0; i < 30; ++i) {
      const Seq from = chance() % (log.last() + 1);
      const Seq to = chance() % (log.last() + 1);
      std::string before;
      std::string behind;
      for (const auto& change : text.diff(from, to)) {
        if (change.op != Op::kInsert) before += change.text;
        if (change.op != Op::kDelete) behind += change.text;
        if (change.op == Op::kKeep) continue;
        RC_ASSERT(change.mark.first > std::min(from, to));
        RC_ASSERT(change.mark.last <= std::max(from, to));
        RC_ASSERT(change.length == length_utf16(change.text));
      }
      const auto without_objects = [](std::string characters) {
        for (std::size_t at; (at = characters.find("\xEF\xBF\xBC")) != std::string::npos;) {
          characters.erase(at, 3);
        }
        return characters;
      };
      RC_ASSERT(without_objects(before) == log.text_at(from));
      RC_ASSERT(without_objects(behind) == log.text_at(to));
    }
  }));
}

TEST_CASE("the document of a moment is that of replaying the log", "[weave]") {
  CHECK(rc::check("documents", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const std::vector<Sent> sent = random_log(chance, 25);
    const Log log = woven(sent);
    Doc plain;
    for (Seq seq = 1; seq <= log.last(); ++seq) {
      plain.apply(Update::decode(sent[seq - 1].update));
      const Snapshot snapshot = log.weave().snapshot(seq);
      RC_ASSERT(snapshot == plain.snapshot());
    }
  }));
}

TEST_CASE("what an interval changed is what its two snapshots do not share", "[weave]") {
  CHECK(rc::check("changes", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const Log log = woven(random_log(chance, 25));
    const Seq from = chance() % (log.last() + 1);
    const Seq to = from + chance() % (log.last() - from + 1);
    const Snapshot before = log.weave().snapshot(from);
    const Snapshot behind = log.weave().snapshot(to);
    const ChangeSet changes = log.weave().changes(from, to);
    std::vector<ClientId> people;
    for (const auto& [client, clock] : behind.state_vector.entries()) {
      people.push_back(client);
      for (Clock at = 0; at < clock; ++at) {
        const bool is_new = at >= before.state_vector.clock_of(client);
        const bool is_gone =
            behind.delete_set.contains({client, at}) && !before.delete_set.contains({client, at});
        RC_ASSERT(changes.inserted.contains({client, at}) == is_new);
        RC_ASSERT(changes.deleted.contains({client, at}) == is_gone);
      }
    }
    // Nobody's change is anybody else's, and together they are all.
    ChangeSet together;
    for (const auto& contribution : log.weave().contributions()) {
      const ClientId client = log.weave().client(contribution.client);
      if (std::find(people.begin(), people.end(), client) == people.end()) people.push_back(client);
    }
    for (const ClientId client : people)
      together.add(log.weave().changes(from, to, std::array{client}));
    together.inserted.normalize();
    together.deleted.normalize();
    RC_ASSERT(together.deleted == changes.deleted);
    for (const auto& [client, ranges] : changes.inserted.clients())
      RC_ASSERT(together.inserted.clients().at(client) == ranges);
  }));
}

TEST_CASE("every unit of a text has the id of its character", "[weave]") {
  CHECK(rc::check("ids", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const Log log = woven(random_log(chance, 30));
    const WovenText text = log.text();
    const std::vector<Id> ids = log.weave().ids("t");
    RC_ASSERT(ids.size() == text.size());
    for (std::size_t unit = 0; unit < ids.size(); ++unit) {
      for (const Seq seq : {Seq{0}, log.last() / 2, log.last()}) {
        // What stands for a torn pair is shown while its halves are.
        if (text.shows(unit, seq)) RC_ASSERT(log.weave().snapshot(seq).shows(ids[unit]));
      }
    }
    // A replica of all that was written goes on where the log ended.
    Doc replica = log.weave().replica();
    RC_ASSERT(replica.text("t") == log.text_at(log.last()));
    RC_ASSERT(replica.snapshot() == log.weave().doc().snapshot());
  }));
}

TEST_CASE("a phrase that was found names the units that made it up", "[weave]") {
  Log log;
  Replica ann(1);
  log.add(ann, ann.insert(0, "heXXllo and hello"));
  log.add(ann, ann.erase(2, 2));
  const WovenText text = log.text();
  const auto found = text.search("hello");
  REQUIRE(found.occurrences.size() == 2);
  const auto units = [&](std::size_t i) {
    return text.units_of(found.occurrences[i], found.occurrences[i].spans.front(), "hello");
  };
  CHECK(units(0) == std::vector<std::size_t>{0, 1, 4, 5, 6});
  CHECK(units(1) == std::vector<std::size_t>{12, 13, 14, 15, 16});
}

TEST_CASE("the characters that came and went add up", "[weave]") {
  CHECK(rc::check("contributions", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const Log log = woven(random_log(chance, 30));
    std::int64_t length = 0;
    std::size_t next = 0;
    const auto contributions = log.weave().contributions();
    for (Seq seq = 1; seq <= log.last(); ++seq) {
      const std::size_t first = next;
      for (; next < contributions.size() && contributions[next].seq == seq; ++next) {
        length += contributions[next].inserted;
        length -= contributions[next].deleted;
      }
      RC_ASSERT(next > first);
      RC_ASSERT(length == static_cast<std::int64_t>(length_utf16(log.text_at(seq))));
    }
  }));
}

// Where the phrase stands in a text: at how many places.
std::size_t count_in(const std::string& text, const std::string& phrase) {
  std::size_t count = 0;
  for (std::size_t at = text.find(phrase); at != text.npos; at = text.find(phrase, at + 1)) ++count;
  return count;
}

TEST_CASE("a search finds what looking at every moment finds", "[weave][search]") {
  CHECK(rc::check("search", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const Log log = woven(random_log(chance, 30));
    const WovenText text = log.text();
    for (const char* const phrase :
         {"a", "ab", "ba", "aab", "aba", "abab", "b a", "😀", "b😀", "é"}) {
      const WovenText::Found found = text.search(phrase);
      RC_ASSERT(found.complete);
      for (Seq seq = 0; seq <= log.last(); ++seq) {
        std::size_t standing = 0;
        for (const auto& occurrence : found.occurrences) {
          for (const auto& span : occurrence.spans) {
            if (span.from <= seq && seq < span.until) ++standing;
          }
        }
        std::string shown;  // embeds stand between characters, as they do not in the plain text
        for (const auto& run : text.blame(seq)) shown += run.text;
        RC_ASSERT(standing == count_in(shown, phrase));
      }
      for (const auto& occurrence : found.occurrences) {
        for (const auto& span : occurrence.spans) {
          RC_ASSERT(span.completed_by != 0);
          RC_ASSERT((span.until == WovenText::kNever) == (span.ended_by == 0));
        }
      }
    }
  }));
}

// --- Words ---

// Small letters, é as e; `b` is a word by itself where it is told so.
Letters simple_letters(bool b_is_alone) {
  Letters letters;
  for (char16_t c = 'a'; c <= 'z'; ++c) letters.letter[c] = c;
  letters.letter[0xE9] = 'e';
  letters.letter[0x0301] = Letters::kMark;
  letters.alone['b'] = b_is_alone;
  for (std::size_t unit = 0; unit < Letters::kUnits; ++unit) {
    const char16_t letter = letters.letter[unit];
    letters.compared[unit] = letter > Letters::kMark ? letter : static_cast<char16_t>(unit);
  }
  return letters;
}

// The words of a text, by looking at each character.
std::vector<std::string> words_of(const std::string& text, bool b_is_alone) {
  std::vector<std::string> words(1);
  const auto next = [&](const std::string& alone) {
    words.push_back(alone);
    if (!alone.empty()) words.emplace_back();
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string character = text.substr(i, length);
    i += length;
    if (length == 4 || (b_is_alone && character == "b")) {
      next(character);
    } else if (character == "é") {
      words.back() += 'e';
    } else if (character >= "a" && character <= "z") {
      words.back() += character;
    } else {
      next("");
    }
  }
  std::erase(words, "");
  return words;
}

bool begins_one_of(const std::vector<std::string>& words, const std::string& word) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& one) { return one.starts_with(word); });
}

TEST_CASE("a word that ever stood in a text is among its words, and no other is",
          "[weave][words]") {
  CHECK(rc::check("words", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const bool b_is_alone = chance() % 2 == 0;
    const Letters letters = simple_letters(b_is_alone);
    const Log log = woven(random_log(chance, 30));
    const WovenText text = log.text();
    const std::vector<std::string> words = text.words(letters);
    std::vector<std::string> stood;
    for (Seq seq = 0; seq <= log.last(); ++seq) {
      std::string shown;
      for (const auto& run : text.blame(seq)) shown += run.text;
      for (std::string& word : words_of(shown, b_is_alone)) stood.push_back(std::move(word));
    }
    for (const std::string& word : stood) RC_ASSERT(begins_one_of(words, word));
    for (const std::string& word : words) {
      RC_ASSERT(std::find(stood.begin(), stood.end(), word) != stood.end());
    }
  }));
}

TEST_CASE("a word that is longer than words are known by is known by its beginning",
          "[weave][words]") {
  Log log;
  Replica ada(1);
  const std::string begin(Letters::kLongestWord, 'a');
  log.add(ada, ada.insert(0, begin + "bcd"));
  log.add(ada, ada.erase(Letters::kLongestWord + 1, 1));  // nothing that it is known by
  log.add(ada, ada.insert(Letters::kLongestWord - 1, "x"));
  log.add(ada, ada.erase(0, 60));
  const std::vector<std::string> words = log.text().words(simple_letters(false));
  const std::string changed = begin.substr(1) + "x";
  CHECK(words == std::vector<std::string>{begin, changed, "aaaxabd"});
}

TEST_CASE("a search by letters finds what is written otherwise", "[weave][search]") {
  Log log;
  Replica ada(1);
  log.add(ada, ada.insert(0, "caf"));
  log.add(ada, ada.insert(3, "é"));
  log.add(ada, ada.erase(1, 1));
  const Letters letters = simple_letters(false);
  WovenText::SearchLimits limits;
  CHECK(log.text().search("cafe", limits).occurrences.empty());
  limits.letters = &letters;
  const auto found = log.text().search("cafe", limits).occurrences;
  REQUIRE(found.size() == 1);
  CHECK((found[0].spans[0].from == 2 && found[0].spans[0].until == 3));
  CHECK(log.text().search("café", limits).occurrences.size() == 1);
}

TEST_CASE("the units around one are those of that moment, and no half of a pair", "[weave]") {
  Log log;
  Replica ada(1);
  log.add(ada, ada.insert(0, "one 😀 three"));
  log.add(ada, ada.insert(4, "two "));
  const WovenText text = log.text();
  const auto before = text.around(0, 1, 5, 6);
  CHECK((before.place == 0 && before.units == u"one 😀"));
  CHECK(text.around(0, 1, 5, 5).units == u"one ");
  const auto behind = text.around(4, 2, 2, 3);
  CHECK((behind.place == 2 && behind.units == u"e two"));
}

// --- The binary form, read as a browser would ---

struct Decoded {
  std::vector<ClientId> clients;
  std::vector<std::uint64_t> authors;
  std::vector<std::int64_t> inserted;
  std::vector<std::int64_t> deleted;  // -1: not
  std::vector<std::uint64_t> deleters;
  std::string text;
};

std::vector<std::int64_t> read_deltas(Reader& reader, std::size_t count) {
  std::vector<std::int64_t> values;
  std::int64_t last = 0;
  while (values.size() < count) {
    const std::int64_t repeats = reader.read_var_int().value;
    if (repeats > 0) {
      const std::int64_t delta = reader.read_var_int().value;
      for (std::int64_t i = 0; i < repeats; ++i) values.push_back(last += delta);
    } else {
      for (std::int64_t i = 0; i < -repeats; ++i) {
        values.push_back(last += reader.read_var_int().value);
      }
    }
  }
  return values;
}

std::vector<std::uint64_t> read_runs(Reader& reader, std::size_t count) {
  std::vector<std::uint64_t> values;
  while (values.size() < count) {
    const std::uint64_t repeats = reader.read_var_uint();
    values.insert(values.end(), repeats, reader.read_var_uint());
  }
  return values;
}

Decoded decode(const Bytes& bytes) {
  Reader reader(bytes);
  Decoded woven;
  CHECK(reader.read_var_uint() == 1);
  reader.read_var_uint();
  const std::size_t units = reader.read_var_uint();
  woven.clients.resize(reader.read_var_uint());
  for (ClientId& client : woven.clients) client = reader.read_var_uint();
  woven.authors = read_runs(reader, units);
  woven.inserted = read_deltas(reader, units);
  std::size_t gone = 0;
  while (woven.deleted.size() < units) {
    const std::size_t stays = reader.read_var_uint();
    const std::size_t goes = reader.read_var_uint();
    woven.deleted.insert(woven.deleted.end(), stays, -1);
    woven.deleted.insert(woven.deleted.end(), goes, 0);
    gone += goes;
  }
  std::vector<std::int64_t> deleted = read_deltas(reader, gone);
  std::size_t next = 0;
  for (std::int64_t& seq : woven.deleted) {
    if (seq == 0) seq = deleted[next++];
  }
  woven.deleters = read_runs(reader, gone);
  woven.text = reader.read_var_string();
  CHECK(reader.at_end());
  return woven;
}

TEST_CASE("the binary form tells all that the weave knows", "[weave]") {
  CHECK(rc::check("binary", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    const WovenText text = woven(random_log(chance, 40)).text();
    const Decoded decoded = decode(text.encode());
    RC_ASSERT(decoded.text == text.characters(0, text.size()));
    RC_ASSERT(decoded.inserted.size() == text.size());
    std::size_t gone = 0;
    for (const WovenText::Run& run : text.runs()) {
      for (std::size_t unit = run.begin; unit < run.end; ++unit) {
        const auto step = static_cast<std::int64_t>(unit - run.begin);
        RC_ASSERT(decoded.clients[decoded.authors[unit]] == run.inserted_by);
        RC_ASSERT(decoded.inserted[unit] ==
                  static_cast<std::int64_t>(run.inserted) + step * run.inserted_step);
        if (run.deleted == WovenText::kNever) {
          RC_ASSERT(decoded.deleted[unit] == -1);
        } else {
          RC_ASSERT(decoded.deleted[unit] ==
                    static_cast<std::int64_t>(run.deleted) + step * run.deleted_step);
          RC_ASSERT(decoded.clients[decoded.deleters[gone++]] == run.deleted_by);
        }
      }
    }
  }));
}

TEST_CASE("what cannot be decoded changes nothing", "[weave]") {
  Weave weave;
  CHECK_THROWS_AS(weave.add({1, 1, Bytes{1, 2, 3}}), DecodeError);
  CHECK(weave.last_seq() == 0);
  Replica ada(1);
  weave.add({1, 1, ada.insert(0, "fine")});
  CHECK(weave.text("t")->text(1) == "fine");
}

}  // namespace
