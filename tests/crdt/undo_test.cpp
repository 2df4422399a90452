#include <algorithm>
#include <deque>
#include <random>
#include <stdexcept>

#include <rapidcheck.h>

#include "crdt/change_set.hpp"
#include "crdt/doc.hpp"
#include "support/catch.hpp"
#include "support/chance.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::Chance;
using palimpsest::testing::Replica;

constexpr Doc::Options kKeepAll{.gc = false};
constexpr ClientId kRestorer = 999;

ChangeSet changes_of(std::initializer_list<Bytes> updates) {
  ChangeSet changes;
  for (const Bytes& update : updates) changes.add(Update::decode(update));
  return changes;
}

Undone undo(Replica& replica, const ChangeSet& changes) {
  Undone undone;
  replica.doc().transact(kRestorer, [&](Transaction& t) { undone = t.undo(changes); });
  replica.doc().check_invariants();
  return undone;
}

Any bold(Any value = true) { return Any(Any::Object{{"bold", std::move(value)}}); }

// The keys of maps have no order that means something.
Any sorted(Any value) {
  if (auto* members = std::get_if<Any::Object>(&value.value())) {
    std::sort(members->begin(), members->end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [key, member] : *members) member = sorted(std::move(member));
  }
  if (auto* elements = std::get_if<Any::Array>(&value.value())) {
    for (Any& element : *elements) element = sorted(std::move(element));
  }
  return value;
}

TEST_CASE("undoing takes out what was typed and puts back what was deleted", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "the quick brown fox");
  const Bytes erased = writer.erase(4, 6);
  const Bytes typed = writer.insert(4, "slow ");
  writer.insert(15, "red ");
  CHECK(writer.text() == "the slow brown red fox");

  const Undone undone = undo(writer, changes_of({erased, typed}));
  CHECK(writer.text() == "the quick brown red fox");
  CHECK(undone == Undone{.deleted = 5, .restored = 6});
}

TEST_CASE("what comes back stands where it stood, whatever was written around it", "[undo]") {
  Replica ann(1, kKeepAll);
  Replica bob(2, kKeepAll);
  ann.insert(0, "abcdef");
  bob.pull(ann);
  const Bytes erased = ann.erase(2, 2);
  bob.insert(2, "<");
  bob.insert(5, ">");
  ann.pull(bob);
  CHECK(ann.text() == "ab<>ef");
  undo(ann, changes_of({erased}));
  CHECK(ann.text() == "ab<cd>ef");
}

TEST_CASE("undoing is an edit like any other: it travels and can be undone", "[undo]") {
  Replica writer(1, kKeepAll);
  Replica reader(2);
  writer.insert(0, "one two");
  const Bytes erased = writer.erase(0, 4);
  const Bytes undone =
      writer.doc().transact(kRestorer, [&](Transaction& t) { t.undo(changes_of({erased})); });
  reader.apply(writer.doc().encode());
  CHECK(reader.text() == "one two");
  undo(writer, changes_of({undone}));
  CHECK(writer.text() == "two");
}

TEST_CASE("undoing twice does no more than undoing once", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "one two three");
  const Bytes erased = writer.erase(4, 4);
  undo(writer, changes_of({erased}));
  CHECK(undo(writer, changes_of({erased})) == Undone{});
  CHECK(writer.text() == "one two three");
  const Snapshot moment = writer.doc().snapshot();
  writer.erase(0, 8);
  writer.doc().transact(kRestorer, [&](Transaction& t) { t.restore(moment); });
  CHECK(writer.text() == "one two three");
  CHECK(writer.doc().transact(kRestorer, [&](Transaction& t) { t.restore(moment); }).empty());
}

TEST_CASE("undoing what a restorer has undone already does nothing", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "one two three");
  const Snapshot moment = writer.doc().snapshot();
  const Bytes erased = writer.erase(4, 4);
  writer.doc().transact(kFirstRestorer + 1, [&](Transaction& t) { t.undo(changes_of({erased})); });
  const auto by_another = [&](auto&& work) {
    return writer.doc().transact(kFirstRestorer + 2, work);
  };
  CHECK(by_another([&](Transaction& t) { t.undo(changes_of({erased})); }).empty());
  CHECK(by_another([&](Transaction& t) { t.restore(moment); }).empty());
  CHECK(writer.text() == "one two three");
}

TEST_CASE("what one change both wrote and deleted stays away", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "keep");
  const Bytes typed = writer.insert(4, " draft");
  const Bytes erased = writer.erase(4, 6);
  CHECK(undo(writer, changes_of({typed, erased})) == Undone{});
  CHECK(writer.text() == "keep");
}

TEST_CASE("formatting is undone with the text", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "plain bold plain");
  writer.change([](Transaction& t) { t.text_format("t", 6, 4, bold()); });
  const std::string before = writer.doc().delta("t").to_json();

  SECTION("formatting put on") {
    const Bytes formatted =
        writer.change([](Transaction& t) { t.text_format("t", 0, 16, bold()); });
    undo(writer, changes_of({formatted}));
  }
  SECTION("formatting taken off") {
    const Bytes formatted =
        writer.change([](Transaction& t) { t.text_format("t", 6, 4, bold(Any::Null{})); });
    undo(writer, changes_of({formatted}));
  }
  SECTION("formatted text deleted") { undo(writer, changes_of({writer.erase(4, 8)})); }
  CHECK(writer.doc().delta("t").to_json() == before);
}

TEST_CASE("a map entry gets its value back, unless somebody else has set it since", "[undo]") {
  Replica ann(1, kKeepAll);
  ann.set("title", "first");
  const Bytes second = ann.set("title", "second");
  const Bytes third = ann.set("title", "third");

  SECTION("all that came after is undone too") {
    undo(ann, changes_of({second, third}));
    CHECK(ann.doc().map("m").to_json() == R"({"title":"first"})");
  }
  SECTION("the last value stays") {
    const Undone undone = undo(ann, changes_of({second}));
    CHECK(ann.doc().map("m").to_json() == R"({"title":"third"})");
    CHECK(undone.superseded == 1);
  }
  SECTION("a deleted entry comes back") {
    const Bytes deleted = ann.change([](Transaction& t) { t.map_delete("m", "title"); });
    undo(ann, changes_of({deleted}));
    CHECK(ann.doc().map("m").to_json() == R"({"title":"third"})");
  }
  SECTION("one that was new goes") {
    undo(ann, changes_of({ann.set("new", 1)}));
    CHECK(ann.doc().map("m").to_json() == R"({"title":"third"})");
  }
}

TEST_CASE("a nested type comes back with all that was in it", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.change([](Transaction& t) {
    const Id list = t.map_set("m", "list", NewType{SharedType::kArray});
    t.array_insert(list, 0, {1, 2, Bytes{3}});
    const Id inner = t.array_insert(list, 1, NewType{SharedType::kMap});
    t.map_set(inner, "deep", "down");
    const Id text = t.map_set(inner, "text", NewType{SharedType::kText});
    t.text_insert(text, 0, "some text");
    t.text_format(text, 0, 4, bold());
    const Id p = t.array_insert("x", 0, NewType{SharedType::kXmlElement, "p"});
    t.map_set(p, "id", "7");
    t.text_insert(t.array_insert(p, 0, NewType{SharedType::kXmlText}), 0, "words");
  });
  const Any map = sorted(writer.doc().map("m"));
  const std::string xml = writer.doc().xml("x");
  const Bytes deleted = writer.change([](Transaction& t) {
    t.map_delete("m", "list");
    t.array_delete("x", 0, 1);
  });
  CHECK(writer.doc().map("m").to_json() == "{}");
  const Undone undone = undo(writer, changes_of({deleted}));
  CHECK(sorted(writer.doc().map("m")) == map);
  CHECK(writer.doc().xml("x") == xml);
  CHECK(undone.homeless + undone.superseded + undone.collected == 0);
}

TEST_CASE("what was in something that others have deleted since has no place", "[undo]") {
  Replica ann(1, kKeepAll);
  Id text{};
  ann.change([&](Transaction& t) {
    text = t.map_set("m", "note", NewType{SharedType::kText});
    t.text_insert(text, 0, "words");
  });
  const Bytes erased = ann.change([&](Transaction& t) { t.text_delete(text, 0, 2); });
  ann.change([](Transaction& t) { t.map_delete("m", "note"); });
  CHECK(undo(ann, changes_of({erased})) == Undone{.homeless = 2});
  CHECK(ann.doc().map("m").to_json() == "{}");
}

TEST_CASE("what the document has dropped is counted, not invented", "[undo]") {
  Replica writer(1);
  writer.insert(0, "gone");
  const Bytes erased = writer.erase(1, 3);
  CHECK(undo(writer, changes_of({erased})) == Undone{.collected = 3});
  CHECK(writer.text() == "g");
}

TEST_CASE("a set that speaks of what is not there does no harm", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "abc");
  ChangeSet changes;
  changes.inserted.add(1, 2, 1'000'000);
  changes.inserted.add(55, 0, 10);
  changes.deleted.add(1, 0, 2);  // not deleted at all
  changes.deleted.add(1, 90, 2);
  CHECK(undo(writer, changes) == Undone{.deleted = 1});
  CHECK(writer.text() == "ab");
}

TEST_CASE("one type alone goes back to a moment", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "text then");
  writer.set("k", "then");
  const Snapshot moment = writer.doc().snapshot();
  writer.erase(5, 4);
  writer.insert(5, "now");
  writer.set("k", "now");
  writer.doc().transact(kRestorer, [&](Transaction& t) { t.restore("t", moment); });
  CHECK(writer.text() == "text then");
  CHECK(writer.doc().map("m").to_json() == R"({"k":"now"})");
}

TEST_CASE("a range of a text goes back to a moment, and nothing beside it", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "one two three");
  writer.change([](Transaction& t) { t.text_format("t", 4, 3, bold()); });
  const Snapshot moment = writer.doc().snapshot();
  const auto restore = [&](std::size_t index, std::size_t length) {
    writer.doc().transact(kRestorer, [&](Transaction& t) {
      t.restore("t", {index, length}, moment);
    });
    writer.doc().check_invariants();
  };
  const auto delta = [&] { return writer.doc().delta("t").to_json(); };

  SECTION("a word that was replaced") {
    writer.erase(4, 3);
    writer.insert(4, "2");
    writer.insert(0, "Intro. ");
    writer.erase(12, 4);
    CHECK(writer.text() == "Intro. one 2ee");
    restore(4, 3);
    CHECK(delta() == R"([{"insert":"Intro. one "},{"insert":"two","attributes":{"bold":true}},)"
                     R"({"insert":"ee"}])");
  }
  SECTION("what was inserted beside a range that is still there stays") {
    writer.insert(4, "(");
    writer.insert(8, ")");
    writer.insert(6, "-");
    CHECK(writer.text() == "one (t-wo) three");
    restore(4, 3);
    CHECK(writer.text() == "one (two) three");
  }
  SECTION("formatting that reaches beyond the range is changed in it alone") {
    writer.change([](Transaction& t) { t.text_format("t", 0, 13, bold(Any::Null{})); });
    writer.change([](Transaction& t) {
      t.text_format("t", 0, 13, Any(Any::Object{{"em", true}}));
    });
    restore(2, 6);
    CHECK(delta() == R"([{"insert":"on","attributes":{"em":true}},{"insert":"e "},)"
                     R"({"insert":"two","attributes":{"bold":true}},{"insert":" "},)"
                     R"({"insert":"three","attributes":{"em":true}}])");
  }
  SECTION("all of it, deleted since") {
    writer.erase(0, 13);
    restore(0, 13);
    CHECK(delta() == R"([{"insert":"one "},{"insert":"two","attributes":{"bold":true}},)"
                     R"({"insert":" three"}])");
  }
  SECTION("a range that the text did not have is refused") {
    writer.insert(0, "more");
    CHECK_THROWS_AS(restore(10, 4), std::out_of_range);
    CHECK(writer.text() == "moreone two three");
  }
}

TEST_CASE("a range that cuts a character takes it whole", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "a😀b");
  const Snapshot moment = writer.doc().snapshot();
  writer.erase(0, 4);
  writer.doc().transact(kRestorer, [&](Transaction& t) { t.restore("t", {2, 1}, moment); });
  CHECK(writer.text() == "😀");
}

TEST_CASE("a moment ahead of the document is no moment to restore", "[undo]") {
  Replica writer(1, kKeepAll);
  writer.insert(0, "abc");
  const Snapshot moment = writer.doc().snapshot();
  Replica other(2, kKeepAll);
  CHECK_THROWS_AS(other.change([&](Transaction& t) { t.restore(moment); }), std::invalid_argument);
}

// --- Properties ---

Any random_attributes(Chance& chance) {
  const Any value = chance.one_in(3) ? Any(Any::Null{}) : Any(true);
  return Any(Any::Object{{chance.one_in(2) ? "b" : "i", value}});
}

void edit_text(const Doc& doc, Transaction& t, const TypeRef& text, Chance& chance) {
  static const char* const kWords[] = {"a", "bc", "hello ", "wörld", "日本", "\n"};
  const std::string now = doc.text(text);
  std::size_t length = 0;
  while (doc.relative_position(text, length)->anchor.index() == 0) ++length;
  const std::size_t at = chance.below(length + 1);
  switch (chance.below(6)) {
    case 0:
      return t.text_delete(text, at, std::min(length - at, chance.below(5)));
    case 1:
      return t.text_format(text, at, std::min(length - at, chance.below(5)),
                           random_attributes(chance));
    case 2:
      return t.text_embed(text, at, Any(Any::Object{{"image", "x.png"}}));
    default:
      return t.text_insert(text, at, kWords[chance.below(std::size(kWords))]);
  }
}

// One edit somewhere in the roots "t", "m" and "a", or in a type nested in those.
void edit(const Doc& doc, Transaction& t, Chance& chance) {
  const std::string key(1, static_cast<char>('k' + chance.below(3)));
  const std::size_t length = std::get<Any::Array>(doc.array("a").value()).size();
  const std::size_t at = chance.below(length + 1);
  switch (chance.below(8)) {
    case 0:
      return t.map_set("m", key, static_cast<double>(chance.below(100)));
    case 1:
      return t.map_delete("m", key);
    case 2: {
      const Id text = t.map_set("m", key, NewType{SharedType::kText});
      return t.text_insert(text, 0, "nested");
    }
    case 3: {
      if (const auto nested = doc.nested("m", key); nested) {
        if (doc.kind(*nested) == SharedType::kText) return edit_text(doc, t, *nested, chance);
      }
      return;
    }
    case 4:
      return t.array_insert("a", at, {static_cast<double>(chance.below(10)), "s"});
    case 5: {
      const Id map = t.array_insert("a", at, NewType{SharedType::kMap});
      return t.map_set(map, key, "v");
    }
    case 6:
      return t.array_delete("a", at, std::min(length - at, chance.below(3)));
    default:
      return edit_text(doc, t, "t", chance);
  }
}

std::string content_of(const Doc& doc) {
  return doc.delta("t").to_json() + sorted(doc.map("m")).to_json() +
         sorted(doc.array("a")).to_json();
}

TEST_CASE("whatever happened since, a restored moment reads as it did", "[undo]") {
  CHECK(rc::check("restore", [](std::uint64_t seed) {
    Chance chance(seed);
    std::deque<Replica> replicas;
    for (ClientId client = 1; client <= 3; ++client) replicas.emplace_back(client, kKeepAll);
    const auto edit_all = [&](std::size_t steps) {
      for (std::size_t i = 0; i < steps; ++i) {
        Replica& replica = replicas[chance.below(replicas.size())];
        replica.change([&](Transaction& t) { edit(replica.doc(), t, chance); });
        if (chance.one_in(3)) replica.pull(replicas[chance.below(replicas.size())]);
      }
    };
    Replica& keeper = replicas.front();
    edit_all(20);
    const Snapshot moment = keeper.doc().snapshot();
    const std::string content = content_of(keeper.doc());
    edit_all(20);
    for (Replica& replica : replicas) keeper.pull(replica);
    const Snapshot end = keeper.doc().snapshot();
    const std::string content_at_end = content_of(keeper.doc());

    keeper.doc().transact(kRestorer, [&](Transaction& t) { t.restore(moment); });
    keeper.doc().check_invariants();
    RC_ASSERT(content_of(keeper.doc()) == content);
    keeper.doc().transact(kRestorer, [&](Transaction& t) { t.restore(end); });
    keeper.doc().check_invariants();
    RC_ASSERT(content_of(keeper.doc()) == content_at_end);
    // Others see the same.
    replicas.back().pull(keeper);
    RC_ASSERT(content_of(replicas.back().doc()) == content_at_end);
  }));
}

TEST_CASE("undoing one author's text leaves what others wrote", "[undo]") {
  CHECK(rc::check("author", [](std::uint64_t seed) {
    Chance chance(seed);
    Replica ann(1, kKeepAll);
    Replica bob(2, kKeepAll);
    ChangeSet of_ann;
    for (int i = 0; i < 30; ++i) {
      Replica& replica = chance.one_in(2) ? ann : bob;
      // Ann writes in lower case, Bob in upper case; Bob deletes nothing.
      const std::size_t length = replica.length();
      const bool is_ann = &replica == &ann;
      const Bytes update = replica.change([&](Transaction& t) {
        if (is_ann && chance.one_in(2)) {
          const std::size_t at = chance.below(length);
          t.text_delete("t", at, std::min(length - at, 1 + chance.below(4)));
        } else {
          t.text_insert("t", chance.below(length + 1), is_ann ? "abc" : "XYZ");
        }
      });
      if (is_ann && !update.empty()) of_ann.add(Update::decode(update));
      if (chance.one_in(3)) replica.pull(is_ann ? bob : ann);
    }
    ann.pull(bob);
    const std::size_t all_of_bob = ann.doc().state_vector().clock_of(2);
    ann.doc().transact(kRestorer, [&](Transaction& t) { t.undo(of_ann); });
    ann.doc().check_invariants();
    const std::string text = ann.text();
    RC_ASSERT(text.size() == all_of_bob);
    RC_ASSERT(text.find_first_of("abc") == std::string::npos);
    ann.doc().transact(kRestorer, [&](Transaction& t) { t.undo(of_ann); });
    RC_ASSERT(ann.text() == text);
  }));
}

}  // namespace
