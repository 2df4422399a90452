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

TEST_CASE("arrays take values of every kind, and give them up by index", "[transaction]") {
  Replica replica(1);
  replica.change([](Transaction& t) {
    t.array_insert("a", 0, {1, "two", Any(Any::Null{}), Bytes{3, 4}, Any(Any::Array{5.5})});
    t.array_insert("a", 1, {true});
    t.array_delete("a", 2, 2);
  });
  CHECK(replica.doc().array("a").to_json() == R"([1,true,{"0":3,"1":4},[5.5]])");
  CHECK_THROWS_AS(replica.change([](Transaction& t) { t.array_insert("a", 5, {1}); }),
                  std::out_of_range);
  CHECK_THROWS_AS(replica.change([](Transaction& t) { t.array_delete("a", 3, 2); }),
                  std::out_of_range);
  CHECK(replica.doc().array("a").to_json() == R"([1,true,{"0":3,"1":4},[5.5]])");
}

TEST_CASE("a type in a type is named by its id, and found again by its place", "[transaction]") {
  Replica writer(1);
  Id card{};
  writer.change([&](Transaction& t) {
    const Id cards = t.map_set("m", "cards", NewType{SharedType::kArray});
    card = t.array_insert(cards, 0, NewType{SharedType::kMap});
    t.map_set(card, "title", "first");
    const Id body = t.map_set(card, "body", NewType{SharedType::kText});
    t.text_insert(body, 0, "words");
  });
  Replica reader(2);
  reader.apply(writer.doc().encode());
  const Doc& doc = reader.doc();
  CHECK(doc.map("m").to_json() == R"({"cards":[{"title":"first","body":"words"}]})");
  REQUIRE(doc.nested("m", "cards").has_value());
  CHECK(doc.nested(*doc.nested("m", "cards"), 0) == card);
  CHECK(doc.kind(card) == SharedType::kMap);
  CHECK(doc.map(card).to_json() == R"({"title":"first","body":"words"})");
  CHECK(doc.text(*doc.nested(card, "body")) == "words");
  CHECK_FALSE(doc.nested(card, "title").has_value());
  CHECK_FALSE(doc.nested(card, "none").has_value());
  CHECK_FALSE(doc.nested("none", 0).has_value());
}

TEST_CASE("what is in a deleted type cannot be written to", "[transaction]") {
  Replica replica(1);
  Id map{};
  replica.change([&](Transaction& t) { map = t.map_set("m", "k", NewType{SharedType::kMap}); });
  replica.change([](Transaction& t) { t.map_delete("m", "k"); });
  CHECK_THROWS_AS(replica.change([&](Transaction& t) { t.map_set(map, "a", 1); }),
                  std::invalid_argument);
  CHECK_THROWS_AS(replica.change([](Transaction& t) {
    t.map_set(Id{9, 9}, "a", 1);
  }),
                  std::invalid_argument);
  CHECK(replica.doc().map(map).to_json() == "{}");
}

TEST_CASE("XML is elements with attributes, children and formatted text", "[transaction]") {
  Replica replica(1);
  replica.change([](Transaction& t) {
    const Id list = t.array_insert("x", 0, NewType{SharedType::kXmlElement, "UL"});
    t.map_set(list, "class", "plain");
    t.map_set(list, "id", "gone");
    t.map_delete(list, "id");
    for (std::size_t i = 0; i < 3; ++i) {
      const Id entry = t.array_insert(list, i, NewType{SharedType::kXmlElement, "li"});
      const Id text = t.array_insert(entry, 0, NewType{SharedType::kXmlText});
      t.text_insert(text, 0, std::to_string(i));
      t.text_format(text, 0, 1, Any(Any::Object{{"b", Any(Any::Object{})}}));
    }
    t.array_delete(list, 1, 1);
  });
  CHECK(replica.doc().xml("x") == R"(<ul class="plain"><li><b>0</b></li><li><b>2</b></li></ul>)");
}

TEST_CASE("a text holds embeds, and types", "[transaction]") {
  Replica replica(1);
  replica.insert(0, "ab");
  replica.change([](Transaction& t) {
    t.text_embed("t", 1, Any(Any::Object{{"image", "x.png"}}), bold());
    const Id map = t.text_embed("t", 2, NewType{SharedType::kMap});
    t.map_set(map, "k", 1);
  });
  CHECK(delta_of(replica) ==
        R"([{"insert":"a"},{"insert":{"image":"x.png"},"attributes":{"bold":true}},)"
        R"({"insert":{"k":1}},{"insert":"b"}])");
  CHECK(replica.doc().nested("t", 2).has_value());
  replica.erase(1, 2);
  CHECK(delta_of(replica) == R"([{"insert":"ab"}])");
}

TEST_CASE("a delta is applied from left to right", "[transaction]") {
  Replica replica(1);
  replica.insert(0, "one two three");
  const auto apply = [&](std::string_view json) {
    replica.change([&](Transaction& t) { t.text_apply("t", Any::from_json(json)); });
  };
  apply(R"([{"retain":4},{"delete":3},{"insert":"2","attributes":{"bold":true}},)"
        R"({"retain":1},{"retain":5,"attributes":{"em":true}},{"insert":{"image":"x"}}])");
  CHECK(delta_of(replica) ==
        R"([{"insert":"one "},{"insert":"2","attributes":{"bold":true}},{"insert":" "},)"
        R"({"insert":"three","attributes":{"em":true}},{"insert":{"image":"x"}}])");
  apply(R"([{"retain":12,"attributes":{"bold":null,"em":null}}])");
  CHECK(delta_of(replica) == R"([{"insert":"one 2 three"},{"insert":{"image":"x"}}])");
}

TEST_CASE("a delta that does not fit is refused and changes nothing", "[transaction]") {
  Replica replica(1);
  replica.insert(0, "abc");
  const auto apply = [&](std::string_view json) {
    replica.change([&](Transaction& t) { t.text_apply("t", Any::from_json(json)); });
  };
  CHECK_THROWS_AS(apply(R"([{"insert":"x"},{"retain":4}])"), std::out_of_range);
  CHECK_THROWS_AS(apply(R"([{"insert":"x"},{"retain":2},{"delete":2}])"), std::out_of_range);
  for (const char* const bad :
       {"{}", R"([{"insert":"x"},{}])", R"([{"insert":"x"},{"retain":-1}])",
        R"([{"insert":"x"},{"delete":0.5}])", R"([{"insert":"x"},{"delete":"1"}])",
        R"([{"insert":"x","attributes":1}])", "[1]"}) {
    INFO(bad);
    CHECK_THROWS_AS(apply(bad), std::invalid_argument);
  }
  CHECK(replica.text() == "abc");
}

TEST_CASE("a document in a document is a value with a name and options", "[transaction]") {
  Replica writer(1);
  const Any::SubDocument chapter{"chapter-1", {{"autoLoad", true}}};
  writer.change([&](Transaction& t) {
    t.map_set("m", "doc", chapter);
    t.array_insert("a", 0, {1, chapter, 2});
  });
  Replica reader(2);
  reader.apply(writer.doc().encode());
  const Any map = reader.doc().map("m");
  const auto* const found = map.find("doc")->get_if<Any::SubDocument>();
  REQUIRE(found != nullptr);
  CHECK(found->guid == "chapter-1");
  CHECK(*found == chapter);
  CHECK(map.to_json() == R"({"doc":{}})");
  CHECK(reader.doc().array("a") == Any(Any::Array{1, chapter, 2}));
}

}  // namespace
