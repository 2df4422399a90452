// What replaying a log says of a checkpoint that has the right checksum and the wrong content.

#include "log/replay.hpp"

#include <algorithm>
#include <map>
#include <random>

#include "builders.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/replicas.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using storage::Access;
using storage::Finding;
using storage::Seq;

// "notes" with these updates and a checkpoint of that state, as verify() finds it.
std::vector<Finding> verify(const std::vector<crdt::Bytes>& updates, const crdt::Bytes& state,
                            Seq checkpoint_seq) {
  const TempDirectory directory;
  const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
  const auto writer = store->writer();
  for (Seq seq = 1; seq <= updates.size(); ++seq) {
    storage::Append append = entry("notes", seq, "");
    append.update = std::make_shared<const crdt::Bytes>(updates[seq - 1]);
    append_one(*writer, append);
  }
  append_one(*writer, entry("other", 1, "a"));
  writer->write_checkpoint({"notes", checkpoint_seq, state, "", ""});
  return store->reader()->verify();
}

// The only finding, which has to be of "notes".
Finding only(const std::vector<Finding>& findings) {
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].document == "notes");
  CAPTURE(findings[0].cause);
  return findings[0];
}

TEST_CASE("a checkpoint that is not what the log comes to is found", "[replay]") {
  Replica writer(7);
  writer.insert(0, "abc");
  writer.insert(3, "def");
  const crdt::Bytes two = writer.doc().encode();
  writer.erase(1, 1);
  const crdt::Bytes three = writer.doc().encode();

  CHECK(verify(writer.updates(), two, 2).empty());
  CHECK(verify(writer.updates(), three, 3).empty());

  const auto [state, seq, cause] = GENERATE_COPY(table<crdt::Bytes, Seq, std::string>({
      {two, 1, "client 7 has 6 units in it and 3 in the log"},
      {update_of(9, "abcdef"), 2, "client 7 has 0 units in it and 6 in the log"},
      {two, 3, "deleted are 0 units in it and 1 in the log"},
      {three, 2, "deleted are 1 units in it and 0 in the log"},
      {update_of(7, "abcxyz"), 2, "the root \"t\" has other content"},
  }));
  const Finding found = only(verify(writer.updates(), state, seq));
  CHECK(found.seq == seq);
  CHECK(contains(found.cause, "the checkpoint at seq " + std::to_string(seq)));
  CHECK(contains(found.cause, cause));
}

TEST_CASE("what a root of any kind shows is compared", "[replay]") {
  const auto change = GENERATE(table<std::string, std::string>({
      {"map", "m"},
      {"array", "a"},
      {"format", "t"},
      {"xml", "x"},
  }));
  const auto state_of = [&](std::string_view value) {
    crdt::Doc doc;
    return doc.transact(7, [&](crdt::Transaction& t) {
      const std::string& kind = std::get<0>(change);
      if (kind == "map") t.map_set("m", "key", crdt::Any(std::string(value)));
      if (kind == "array") t.array_insert("a", 0, {crdt::Any(std::string(value))});
      if (kind == "format") {
        t.text_insert("t", 0, "x", crdt::Any(crdt::Any::Object{{std::string(value), true}}));
      }
      if (kind == "xml") {
        const auto element =
            t.array_insert("x", 0, crdt::NewType{crdt::SharedType::kXmlElement, "p"});
        t.map_set(element, "key", crdt::Any(std::string(value)));
      }
    });
  };
  CHECK(verify({state_of("one")}, state_of("one"), 1).empty());
  const Finding found = only(verify({state_of("one")}, state_of("two"), 1));
  CHECK(contains(found.cause, "the root \"" + std::get<1>(change) + "\" has other content"));
}

TEST_CASE("what is no update is found, in the log and in a checkpoint", "[replay]") {
  Replica writer(7);
  writer.insert(0, "abc");
  std::vector<crdt::Bytes> updates = writer.updates();
  {
    const Finding found = only(verify(updates, bytes("junk"), 1));
    CHECK(found.seq == 1);
    CHECK(contains(found.cause, "the checkpoint at seq 1 is no update: byte "));
  }
  updates.push_back(bytes("junk"));
  {
    const Finding found = only(verify(updates, writer.doc().encode(), 1));  // behind it
    CHECK(found.seq == 2);
    CHECK(contains(found.cause, "entry 2 of the log is no update: byte "));
  }
  CHECK(only(verify(updates, writer.doc().encode(), 2)).seq == 2);  // told once
}

TEST_CASE("a checkpoint has what waits, and nothing else that waits", "[replay]") {
  Replica writer(7);
  writer.insert(0, "abc");
  writer.insert(3, "def");
  const std::vector<crdt::Bytes> early{writer.updates()[1]};
  crdt::Doc waiting;
  waiting.apply(crdt::Update::decode(early[0]));
  REQUIRE(waiting.has_pending());
  CHECK(verify(early, waiting.encode(), 1).empty());
  CHECK(contains(only(verify(early, {0, 0}, 1)).cause, "something waits"));
}

// As a room does: what is new of each update goes to the log, and now and then the document is
// unloaded and comes back from its checkpoint.
class Kept {
 public:
  void take(const crdt::Bytes& update) {
    const auto novel = doc_.novel_part(crdt::Update::decode(update));
    if (!novel) return;
    doc_.apply(crdt::Update::decode(*novel));
    log_.push_back(*novel);
  }
  void reload() { doc_ = crdt::Doc::load(doc_.encode()); }
  const std::vector<crdt::Bytes>& log() const { return log_; }
  crdt::Bytes state() const { return doc_.encode(); }

 private:
  crdt::Doc doc_;
  std::vector<crdt::Bytes> log_;
};

void change_at_random(Replica& replica, std::mt19937& random) {
  using crdt::Any;
  using crdt::NewType;
  using crdt::SharedType;
  const std::size_t length = replica.length();
  const std::size_t at = random() % (length + 1);
  const std::string key(1, static_cast<char>('a' + random() % 3));
  replica.change([&](crdt::Transaction& t) {
    switch (random() % 9) {
      case 0:
        if (at < length)
          t.text_delete("t", at, 1 + random() % std::min<std::size_t>(length - at, 5));
        break;
      case 1:
        if (at < length) t.text_format("t", at, 1, Any(Any::Object{{"bold", random() % 2 == 0}}));
        break;
      case 2:
        t.map_set("m", key, Any(static_cast<int>(random() % 100)));
        break;
      case 3: {
        const crdt::Id list = t.map_set("m", key, NewType{SharedType::kArray});
        t.array_insert(list, 0, {Any(1), Any("two")});
        t.text_insert(t.array_insert(list, 1, NewType{SharedType::kText}), 0, "deep");
        break;
      }
      case 4:
        t.map_delete("m", key);
        break;
      case 5: {
        const crdt::Id p = t.array_insert("x", 0, NewType{SharedType::kXmlElement, "p"});
        t.map_set(p, key, Any("v"));
        t.text_insert(t.array_insert(p, 0, NewType{SharedType::kXmlText}), 0, "words");
        break;
      }
      case 6:
        if (replica.doc().nested("x", std::size_t{0})) t.array_delete("x", 0, 1);
        break;
      default:
        t.text_insert("t", at, random() % 4 == 0 ? "😀" : "ab");
    }
  });
  const auto list = replica.doc().nested("m", key);
  if (list && replica.doc().kind(*list) == SharedType::kArray) {
    replica.change([&](crdt::Transaction& t) { t.array_insert(*list, 0, {Any(3)}); });
  }
}

TEST_CASE("a checkpoint made in several loads is what the log comes to", "[replay]") {
  const auto seed = GENERATE(take(20, random(0U, ~0U)));
  CAPTURE(seed);
  std::mt19937 random(seed);
  Replicas replicas{1, 2, 3};
  std::map<crdt::ClientId, std::size_t> sent;
  Kept kept;
  for (int step = 0; step < 120; ++step) {
    Replica& replica = replicas[1 + random() % 3];
    change_at_random(replica, random);
    if (random() % 3 == 0) {
      std::vector<crdt::Bytes> updates(
          replica.updates().begin() + static_cast<std::ptrdiff_t>(sent[replica.client()]),
          replica.updates().end());
      sent[replica.client()] = replica.updates().size();
      if (random() % 2 == 0) std::shuffle(updates.begin(), updates.end(), random);  // some wait
      for (const crdt::Bytes& update : updates) kept.take(update);
    }
    if (random() % 10 == 0) kept.take(replica.doc().encode());
    if (random() % 10 == 0) replica.pull(replicas[1 + random() % 3]);
    if (random() % 10 == 0) kept.reload();
  }
  const std::vector<Finding> findings = verify(kept.log(), kept.state(), kept.log().size());
  for (const Finding& finding : findings) UNSCOPED_INFO(finding.cause);
  CHECK(findings.empty());
}

}  // namespace
}  // namespace palimpsest::testing
