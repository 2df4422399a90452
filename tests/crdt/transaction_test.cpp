#include <stdexcept>

#include "crdt/doc.hpp"
#include "support/catch.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::Replica;
using palimpsest::testing::Replicas;

Any bold(Any value = true) { return Any(Any::Object{{"bold", std::move(value)}}); }

std::string delta_of(Replica& replica) { return replica.doc().delta("t").to_json(); }

TEST_CASE("text is inserted and deleted by UTF-16 position", "[transaction]") {
  Replica replica(1);
  replica.insert(0, "a日😀z");
  replica.insert(4, "!");
  CHECK(replica.text() == "a日😀!z");
  replica.erase(2, 2);
  CHECK(replica.text() == "a日!z");
  replica.erase(0, 4);
  CHECK(replica.text().empty());
}

TEST_CASE("a position behind the end is refused and changes nothing", "[transaction]") {
  Replica replica(1);
  replica.insert(0, "abc");
  CHECK_THROWS_AS(replica.insert(4, "x"), std::out_of_range);
  CHECK_THROWS_AS(replica.erase(2, 2), std::out_of_range);
  CHECK_THROWS_AS(replica.change([](Transaction& t) { t.text_format("t", 0, 4, bold()); }),
                  std::out_of_range);
  CHECK(replica.text() == "abc");
  replica.doc().check_invariants();
}

TEST_CASE("a change that changes nothing yields no update", "[transaction]") {
  Replica replica(1);
  CHECK(replica.change([](Transaction&) {}).empty());
  CHECK(replica.change([](Transaction& t) { t.map_delete("m", "never set"); }).empty());
  CHECK(replica.insert(0, "").empty());
}

TEST_CASE("one transaction is one update, whatever it did", "[transaction]") {
  Replica writer(1);
  const Bytes update = writer.change([](Transaction& t) {
    t.text_insert("t", 0, "draft");
    t.text_insert("t", 5, " two");
    t.text_delete("t", 0, 1);
    t.text_insert("t", 0, "D");
    t.map_set("m", "state", "open");
  });
  Replica reader(2);
  CHECK(reader.apply(update).complete);
  CHECK(reader.text() == "Draft two");
  CHECK(reader.doc().map("m").to_json() == R"({"state":"open"})");
}

TEST_CASE("formatting covers what was asked and nothing else", "[transaction]") {
  Replica replica(1);
  replica.insert(0, "one two three");
  replica.change([](Transaction& t) { t.text_format("t", 4, 3, bold()); });
  CHECK(delta_of(replica) ==
        R"([{"insert":"one "},{"insert":"two","attributes":{"bold":true}},{"insert":" three"}])");

  SECTION("typed inside, it goes on") {
    replica.insert(6, "w");
    CHECK(
        delta_of(replica) ==
        R"([{"insert":"one "},{"insert":"twwo","attributes":{"bold":true}},{"insert":" three"}])");
  }
  SECTION("asked for plain, what is typed inside is plain") {
    replica.change([](Transaction& t) { t.text_insert("t", 5, "-", Any(Any::Object{})); });
    CHECK(delta_of(replica) ==
          R"([{"insert":"one "},{"insert":"t","attributes":{"bold":true}},{"insert":"-"},)"
          R"({"insert":"wo","attributes":{"bold":true}},{"insert":" three"}])");
  }
  SECTION("taken away again, no mark is left") {
    replica.change([](Transaction& t) { t.text_format("t", 0, 13, bold(Any::Null{})); });
    CHECK(delta_of(replica) == R"([{"insert":"one two three"}])");
  }
  SECTION("extended over more, it is one run") {
    replica.change([](Transaction& t) { t.text_format("t", 0, 13, bold()); });
    CHECK(delta_of(replica) == R"([{"insert":"one two three","attributes":{"bold":true}}])");
  }
  SECTION("deleted with its text, it leaves no mark in force") {
    replica.erase(4, 3);
    replica.insert(4, "plain");
    CHECK(delta_of(replica) == R"([{"insert":"one plain three"}])");
  }
}

TEST_CASE("formatting of two people merges", "[transaction]") {
  Replicas docs{1, 2};
  docs[1].insert(0, "abcdef");
  docs.sync();
  docs[1].change([](Transaction& t) { t.text_format("t", 0, 4, bold()); });
  docs[2].change([](Transaction& t) { t.text_format("t", 2, 4, Any(Any::Object{{"em", true}})); });
  docs.sync();
  const std::string merged = R"([{"insert":"ab","attributes":{"bold":true}},)"
                             R"({"insert":"cd","attributes":{"bold":true,"em":true}},)"
                             R"({"insert":"ef","attributes":{"em":true}}])";
  CHECK(delta_of(docs[1]) == merged);
  CHECK(delta_of(docs[2]) == merged);
}

TEST_CASE("a map keeps the last value and forgets a deleted one", "[transaction]") {
  Replica replica(1);
  replica.set("k", 1);
  replica.set("k", Any(Any::Array{1, "two"}));
  replica.set("bytes", Bytes{1, 2});
  CHECK(replica.doc().map("m").to_json() == R"({"k":[1,"two"],"bytes":{"0":1,"1":2}})");
  replica.change([](Transaction& t) { t.map_delete("m", "k"); });
  CHECK(replica.doc().map("m").to_json() == R"({"bytes":{"0":1,"1":2}})");
}

TEST_CASE("typing goes on in one block", "[transaction]") {
  Replica replica(1);
  for (std::size_t i = 0; i < 1000; ++i) replica.insert(i, "x");
  CHECK(replica.doc().encode().size() < 1020);
}

TEST_CASE("the memory of text typed and deleted again is given back", "[transaction]") {
  Replica replica(1);
  for (int i = 0; i < 200; ++i) {
    replica.insert(0, std::string(10'000, 'x'));
    replica.erase(0, 10'000);
  }
  CHECK(replica.doc().memory_bytes() < 200'000);
}

}  // namespace
