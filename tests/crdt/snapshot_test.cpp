#include "crdt/snapshot.hpp"

#include <deque>
#include <random>
#include <stdexcept>

#include <rapidcheck.h>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::from_hex;
using palimpsest::testing::Replica;
using palimpsest::testing::to_hex;

constexpr Doc::Options kKeepAll{.gc = false};

TEST_CASE("a snapshot is a few bytes and reads back", "[snapshot]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "hello");
  writer.erase(1, 2);
  const Snapshot moment = writer.doc().snapshot();
  // One client deleted from, one range of two from clock 1; one client, at clock 5.
  CHECK(to_hex(moment.encode()) ==
        "01010101020"
        "10105");
  CHECK(Snapshot::decode(moment.encode()) == moment);
  CHECK(moment.shows({1, 0}));
  CHECK_FALSE(moment.shows({1, 2}));
  CHECK_FALSE(moment.shows({1, 5}));
  CHECK(to_hex(Doc().snapshot().encode()) == "0000");
}

TEST_CASE("bytes that are no snapshot are refused with their place", "[snapshot]") {
  CHECK_THROWS_AS(Snapshot::decode({}), DecodeError);
  CHECK_THROWS_AS(Snapshot::decode(from_hex("00")), DecodeError);
  CHECK_THROWS_AS(Snapshot::decode(from_hex("000000")), DecodeError);
  // More clients than bytes.
  CHECK_THROWS_AS(Snapshot::decode(from_hex("ffffffff0f00")), DecodeError);
}

TEST_CASE("a document can be read as it was", "[snapshot]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "hello 😀 world");
  writer.change([](Transaction& t) {
    t.text_format("t", 0, 5, Any(Any::Object{{"bold", true}}));
    t.map_set("m", "title", "one");
    const Id list = t.map_set("m", "list", NewType{SharedType::kArray});
    t.array_insert(list, 0, {1, "two", Bytes{3}});
    const Id p = t.array_insert("x", 0, NewType{SharedType::kXmlElement, "p"});
    t.map_set(p, "class", "lead");
  });
  const Snapshot moment = writer.doc().snapshot();
  const std::string delta = writer.doc().delta("t").to_json();
  const std::string map = writer.doc().map("m").to_json();
  const std::string xml = writer.doc().xml("x");

  writer.erase(0, 8);
  writer.insert(0, "bye");
  writer.change([&](Transaction& t) {
    t.map_set("m", "title", "two");
    t.map_delete("m", "list");
    t.array_delete("x", 0, 1);
  });
  CHECK(writer.text() == "bye world");

  CHECK_FALSE(writer.doc().check(moment).has_value());
  const Doc then = writer.doc().at(moment);
  CHECK(then.delta("t").to_json() == delta);
  CHECK(then.map("m").to_json() == map);
  CHECK(then.xml("x") == xml);
  CHECK(xml == "<p class=\"lead\"></p>");
  CHECK(then.snapshot() == moment);
}

TEST_CASE("a moment that has not come or is lost is refused by name", "[snapshot]") {
  Replica ahead(1, kKeepAll);
  ahead.insert(0, "abc");
  const Snapshot moment = ahead.doc().snapshot();
  CHECK(Doc().check(moment) == SnapshotRefusal::kAhead);
  CHECK_THROWS_AS(Doc().encode_at(moment), std::invalid_argument);

  Replica collecting(2);
  collecting.apply(ahead.doc().encode());
  CHECK_FALSE(collecting.doc().check(moment).has_value());  // all is still there
  collecting.erase(0, 1);
  CHECK(collecting.doc().check(moment) == SnapshotRefusal::kCollected);
  CHECK_THROWS_AS(collecting.doc().at(moment), std::invalid_argument);
  // What had been deleted before is no loss.
  const Snapshot later = collecting.doc().snapshot();
  collecting.insert(0, "x");
  CHECK(collecting.doc().at(later).text("t") == "bc");
}

TEST_CASE("a cut inside a character leaves the mark of a broken one, as in Yjs", "[snapshot]") {
  Replica writer(7, kKeepAll);
  writer.insert(0, "a😀b");
  Snapshot moment = writer.doc().snapshot();
  moment.state_vector.set(7, 2);
  CHECK(writer.doc().at(moment).text("t") == "a\xEF\xBF\xBD");
  moment.state_vector.set(7, 1);
  CHECK(writer.doc().at(moment).text("t") == "a");
  CHECK(writer.text() == "a😀b");
}

TEST_CASE("every moment of a document can be read again", "[snapshot]") {
  CHECK(rc::check("moments", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    std::deque<Replica> replicas;
    for (ClientId client = 1; client <= 3; ++client) replicas.emplace_back(client * 77, kKeepAll);
    struct Moment {
      Bytes snapshot;
      std::string text;
      std::string map;
    };
    std::vector<Moment> moments;
    Replica& keeper = replicas.front();
    for (int i = 0; i < 40; ++i) {
      Replica& replica = replicas[chance() % replicas.size()];
      const std::size_t length = replica.length();
      if (length == 0 || chance() % 3 != 0) {
        const std::string word(1 + chance() % 5, static_cast<char>('a' + chance() % 26));
        replica.insert(chance() % (length + 1), word);
      } else {
        const std::size_t at = chance() % length;
        replica.erase(at, std::min<std::size_t>(length - at, 1 + chance() % 4));
      }
      replica.set("k" + std::to_string(chance() % 3), static_cast<double>(i));
      if (chance() % 2 == 0) replica.pull(replicas[chance() % replicas.size()]);
      if (chance() % 2 == 0) keeper.pull(replica);
      moments.push_back({keeper.doc().snapshot().encode(), keeper.text(),
                         keeper.doc().at(keeper.doc().snapshot()).map("m").to_json()});
    }
    for (Replica& replica : replicas) keeper.pull(replica);
    for (const Moment& moment : moments) {
      const Doc then = keeper.doc().at(Snapshot::decode(moment.snapshot));
      then.check_invariants();
      RC_ASSERT(then.text("t") == moment.text);
      RC_ASSERT(then.map("m").to_json() == moment.map);
      RC_ASSERT(then.snapshot().encode() == moment.snapshot);
    }
  }));
}

}  // namespace
