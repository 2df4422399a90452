#include "crdt/relative_position.hpp"

#include <random>

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
using palimpsest::testing::Replicas;
using palimpsest::testing::to_hex;

std::size_t index_of(const Doc& doc, const std::optional<RelativePosition>& position) {
  REQUIRE(position.has_value());
  const auto resolved = doc.resolve(RelativePosition::decode(position->encode()));
  REQUIRE(resolved.has_value());
  return resolved->index;
}

TEST_CASE("a position stays beside its character while others type", "[relative_position]") {
  Replicas docs{1, 2};
  docs[1].insert(0, "hello world");
  docs.sync();
  const auto before_w = docs[1].doc().relative_position("t", 6);
  const auto behind_o = docs[1].doc().relative_position("t", 5, -1);
  docs[2].insert(6, "wide ");
  docs[2].insert(5, ",");
  docs.sync();
  CHECK(docs.text() == "hello, wide world");
  CHECK(index_of(docs[1].doc(), before_w) == 12);
  CHECK(index_of(docs[2].doc(), behind_o) == 5);
}

TEST_CASE("a position on something deleted is where that was", "[relative_position]") {
  Replica replica(1);
  replica.insert(0, "abcdef");
  const auto before_d = replica.doc().relative_position("t", 3);
  const auto behind_d = replica.doc().relative_position("t", 4, -1);
  replica.erase(2, 3);
  CHECK(replica.text() == "abf");
  CHECK(index_of(replica.doc(), before_d) == 2);
  CHECK(index_of(replica.doc(), behind_d) == 2);
}

TEST_CASE("the ends of a type are positions of their own", "[relative_position]") {
  Replica replica(1);
  const auto end_of_nothing = replica.doc().relative_position("t", 0);
  CHECK(index_of(replica.doc(), end_of_nothing) == 0);
  CHECK(replica.doc().root_names().empty());
  replica.insert(0, "abc");
  CHECK(index_of(replica.doc(), end_of_nothing) == 3);
  const auto end = replica.doc().relative_position("t", 3);
  const auto start = replica.doc().relative_position("t", 0, -1);
  const auto behind_c = replica.doc().relative_position("t", 3, -1);
  CHECK(end->anchor == RelativePosition::Anchor(std::string("t")));
  CHECK(start->anchor == RelativePosition::Anchor(std::string("t")));
  CHECK(behind_c->anchor == RelativePosition::Anchor(Id{1, 2}));
  replica.insert(3, "def");
  replica.insert(0, "<");
  CHECK(index_of(replica.doc(), end) == 7);
  CHECK(index_of(replica.doc(), start) == 0);
  CHECK(index_of(replica.doc(), behind_c) == 4);
}

TEST_CASE("a nested type is named by the item that carries it", "[relative_position]") {
  Replica replica(1);
  Id text{};
  replica.change([&](Transaction& t) {
    text = t.map_set("m", "note", NewType{SharedType::kText});
    t.text_insert(text, 0, "note");
  });
  const auto inside = replica.doc().relative_position(text, 2);
  const auto end = replica.doc().relative_position(text, 4);
  CHECK(end->anchor == RelativePosition::Anchor(RelativePosition::Nested{text}));
  replica.change([&](Transaction& t) { t.text_insert(text, 0, "my "); });
  CHECK(replica.doc().resolve(*inside) == AbsolutePosition{text, 5});
  CHECK(replica.doc().resolve(*end) == AbsolutePosition{text, 7});
  CHECK_FALSE(replica.doc().relative_position(Id{1, 99}, 0).has_value());
}

TEST_CASE("a position whose anchor is not here, or collected, has no place",
          "[relative_position]") {
  Replica writer(1);
  writer.insert(0, "abc");
  const auto position = writer.doc().relative_position("t", 1);
  CHECK_FALSE(Doc().resolve(*position).has_value());
  CHECK_FALSE(Doc().resolve({RelativePosition::Nested{{1, 0}}, 0}).has_value());

  Id text{};
  writer.change([&](Transaction& t) {
    text = t.map_set("m", "note", NewType{SharedType::kText});
    t.text_insert(text, 0, "note");
  });
  const auto inside = writer.doc().relative_position(text, 2);
  const auto end = writer.doc().relative_position(text, 4);
  writer.change([](Transaction& t) { t.map_delete("m", "note"); });
  CHECK_FALSE(writer.doc().resolve(*inside).has_value());
  CHECK_FALSE(writer.doc().resolve(*end).has_value());
}

TEST_CASE("positions are encoded as Yjs encodes them", "[relative_position]") {
  CHECK(to_hex(RelativePosition{Id{1, 2}, 0}.encode()) == "00010200");
  CHECK(to_hex(RelativePosition{Id{1, 2}, -1}.encode()) == "00010241");
  CHECK(to_hex(RelativePosition{std::string("t"), 0}.encode()) == "01017400");
  CHECK(to_hex(RelativePosition{RelativePosition::Nested{{1, 2}}, 1}.encode()) == "02010201");
  // Old versions wrote no assoc.
  CHECK(RelativePosition::decode(from_hex("000102")) == RelativePosition{Id{1, 2}, 0});
  CHECK_THROWS_AS(RelativePosition::decode({}), DecodeError);
  CHECK_THROWS_AS(RelativePosition::decode(from_hex("03010200")), DecodeError);
  CHECK_THROWS_AS(RelativePosition::decode(from_hex("0001020000")), DecodeError);
  CHECK_THROWS_AS(RelativePosition::decode(from_hex("0101ff00")), DecodeError);
}

TEST_CASE("where nothing is deleted, an index comes back as it went", "[relative_position]") {
  CHECK(rc::check("index", [](std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    Replica replica(1 + chance() % 1000);
    for (int i = 0; i < 12; ++i) {
      const std::string word(1 + chance() % 5, 'x');
      replica.insert(chance() % (replica.length() + 1), word);
      if (replica.length() > 4) replica.erase(chance() % (replica.length() - 2), 2);
    }
    const std::size_t length = replica.length();
    for (std::size_t i = 0; i <= length; ++i) {
      for (const std::int64_t assoc : {-1, 0}) {
        const auto position = replica.doc().relative_position("t", i, assoc);
        const auto resolved = replica.doc().resolve(*position);
        RC_ASSERT(resolved.has_value());
        RC_ASSERT(resolved->index == i);
      }
    }
  }));
}

}  // namespace
