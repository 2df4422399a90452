#include "crdt/purge.hpp"

#include <random>

#include <rapidcheck.h>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/merge.hpp"
#include "support/catch.hpp"
#include "support/chance.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::Chance;
using palimpsest::testing::Replica;

DeleteSet units(ClientId client, Clock clock, std::uint64_t length) {
  DeleteSet set;
  set.append(client, clock, length);
  return set;
}

bool contains(const Bytes& bytes, std::string_view phrase) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find(phrase) !=
         std::string_view::npos;
}

// The text of the root `t` after these updates.
std::string text_after(const std::vector<Bytes>& updates) {
  Doc doc;
  for (const Bytes& update : updates) doc.apply(Update::decode(update));
  doc.check_invariants();
  CHECK_FALSE(doc.has_pending());
  return doc.text("t");
}

TEST_CASE("content that is taken out leaves its neighbours where they are", "[purge]") {
  Replica writer(1);
  const Bytes typed = writer.insert(0, "keep secret keep");
  const Bytes more = writer.insert(8, "<>");  // inside of what goes
  const Bytes purged = without_content(typed, units(1, 5, 7));
  CHECK_FALSE(contains(purged, "secret"));
  CHECK(text_after({purged, more}) == "keep <>keep");
  CHECK(text_after({typed, more}) == "keep sec<>ret keep");
}

TEST_CASE("what goes may be the whole of a block, its start or its end", "[purge]") {
  Replica writer(1);
  const Bytes typed = writer.insert(0, "abcdef");
  CHECK(text_after({without_content(typed, units(1, 0, 6))}).empty());
  CHECK(text_after({without_content(typed, units(1, 0, 2))}) == "cdef");
  CHECK(text_after({without_content(typed, units(1, 4, 9))}) == "abcd");
  DeleteSet two = units(1, 1, 1);
  two.append(1, 3, 2);
  CHECK(text_after({without_content(typed, two)}) == "acf");
}

TEST_CASE("an update that has none of the units stays as it is to the byte", "[purge]") {
  Replica writer(1);
  const Bytes typed = writer.insert(0, "abc");
  CHECK(without_content(typed, units(1, 3, 5)) == typed);
  CHECK(without_content(typed, units(2, 0, 5)) == typed);
  CHECK_THROWS_AS(without_content({}, units(1, 0, 1)), DecodeError);
}

TEST_CASE("half of a surrogate pair takes the other half with it", "[purge]") {
  Replica writer(1);
  const Bytes typed = writer.insert(0, "a\U0001F600b");
  CHECK(text_after({without_content(typed, units(1, 2, 1))}) == "ab");
  CHECK(text_after({without_content(typed, units(1, 0, 2))}) == "b");
}

TEST_CASE("values of maps and arrays, embeds and formats are taken out whole", "[purge]") {
  Replica writer(1);
  const Bytes set = writer.set("key", Any(std::string("my secret")));
  const Bytes listed = writer.change([](Transaction& t) {
    t.array_insert("a", 0, {Any(1.0), Any(std::string("a \"secret\"")), Any(true)});
    t.text_embed("t", 0, Any(Any::Object{{"alt", Any(std::string("secret"))}}));
    t.text_insert("t", 1, "linked", Any(Any::Object{{"href", Any(std::string("secret"))}}));
  });
  Doc doc;
  for (const Bytes& update : {set, listed}) {
    const Bytes purged = without_content(update, units_containing(update, "secret"));
    CHECK_FALSE(contains(purged, "secret"));
    doc.apply(Update::decode(purged));
  }
  doc.check_invariants();
  CHECK(doc.map("m").to_json() == "{}");
  CHECK(doc.array("a").to_json() == "[1,true]");
  CHECK(doc.delta("t").to_json() == R"([{"insert":"linked"}])");
}

TEST_CASE("a phrase is found in text, and where JSON escapes it", "[purge]") {
  Replica writer(1);
  const Bytes typed = writer.insert(0, "\U0001F600aaa b");
  DeleteSet found = units_containing(typed, "aa");
  REQUIRE(found.clients().contains(1));
  CHECK(found.clients().at(1) == DeleteSet::Ranges{{2, 3}});
  const Bytes embed = writer.change([](Transaction& t) {
    t.text_embed("t", 0, Any(Any::Object{{"x", Any(std::string("say \"hi\""))}}));
  });
  CHECK(
      units_containing(embed, "\"hi\"").contains({1, writer.doc().state_vector().clock_of(1) - 1}));
  CHECK(units_containing(embed, "nothing").empty());
}

// Whoever has the content and deletes it, and whoever never gets it, come to the same document.
TEST_CASE("replicas with and without the content converge", "[purge]") {
  CHECK(rc::check("converge", [](std::uint64_t seed) {
    Chance chance(seed);
    Replica ann(1);
    Replica bob(2);
    for (int i = 0; i < 30; ++i) {
      Replica& one = chance.one_in(2) ? ann : bob;
      Replica& other = &one == &ann ? bob : ann;
      const std::size_t length = one.length();
      if (chance.one_in(4) && length > 0) {
        const std::size_t at = chance.below(length);
        one.erase(at, std::min<std::size_t>(length - at, 1 + chance.below(4)));
      } else {
        one.insert(chance.below(length + 1), chance.one_in(3) ? "\U0001F600" : "xyz");
      }
      if (chance.one_in(4)) other.pull(one);
    }
    ann.pull(bob);
    bob.pull(ann);
    DeleteSet gone;
    const Clock known = ann.doc().state_vector().clock_of(1);
    for (Clock clock = chance.below(4); clock < known; clock += 3 + chance.below(8))
      gone.append(1, clock, 1 + chance.below(3));
    gone.normalize();

    Doc purged;
    std::vector<Bytes> updates = ann.updates();
    updates.insert(updates.end(), bob.updates().begin(), bob.updates().end());
    for (const Bytes& update : updates) purged.apply(Update::decode(without_content(update, gone)));
    purged.check_invariants();
    // Pairs go whole: what is deleted in the purged document is deleted for all.
    ann.apply(purged.encode());
    purged.apply(Update::decode(ann.doc().encode()));
    RC_ASSERT(purged.text("t") == ann.text());
    RC_ASSERT(purged.state_vector() == ann.doc().state_vector());
    RC_ASSERT(!purged.has_pending());
    for (const auto& range :
         gone.clients().contains(1) ? gone.clients().at(1) : DeleteSet::Ranges{})
      RC_ASSERT(ann.doc().delete_set().contains({1, range.clock}) || range.clock >= known);
  }));
}

}  // namespace
