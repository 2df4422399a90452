#include "crdt/events.hpp"

#include "crdt/doc.hpp"
#include "support/catch.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::Replica;

std::string to_text(const EventValue& value) {
  return value.value.to_json() + (value.type ? " (a type)" : "");
}

// One word a step: "4" keeps, "-4" deletes, "+text" inserts; formatting in braces behind.
std::string to_text(const std::vector<DeltaStep>& delta) {
  std::string text;
  for (const DeltaStep& step : delta) {
    if (!text.empty()) text += ' ';
    if (step.action != DeltaStep::Action::kInsert) {
      text += (step.action == DeltaStep::Action::kDelete ? "-" : "") + std::to_string(step.length);
    } else {
      text += "+" + step.text;
      for (const EventValue& value : step.values) text += to_text(value);
    }
    if (!step.attributes.empty()) text += Any(step.attributes).to_json();
  }
  return text;
}

std::string to_text(const Events& events) {
  std::string text;
  for (const TypeEvent& event : events) {
    text += event.root;
    for (const TypeEvent::Step& step : event.path) {
      const auto* const key = std::get_if<std::string>(&step);
      text += "/" + (key != nullptr ? *key : std::to_string(std::get<std::uint64_t>(step)));
    }
    text += ": " + to_text(event.delta);
    for (const KeyChange& change : event.keys) {
      text += change.key + " ";
      text += change.action == KeyChange::Action::kAdd ? "new" : to_text(change.before);
      text += " -> ";
      text += change.action == KeyChange::Action::kDelete ? "gone" : to_text(change.after);
    }
    text += "\n";
  }
  return text;
}

std::string events_of(Replica& replica, const Bytes& update) {
  Events events;
  replica.doc().apply(Update::decode(update), events);
  replica.doc().check_invariants();
  return to_text(events);
}

template <class Change>
std::string events_of_edit(Replica& replica, Change&& change) {
  Events events;
  replica.doc().transact(replica.client(), events, change);
  replica.doc().check_invariants();
  return to_text(events);
}

TEST_CASE("a change of a text is told as a delta in UTF-16 units", "[events]") {
  Replica author(1);
  Replica reader(2);
  CHECK(events_of(reader, author.insert(0, "a😀b c")) == "t: +a😀b c\n");
  CHECK(events_of(reader, author.erase(3, 1)) == "t: 3 -1\n");
  CHECK(events_of(reader, author.insert(3, "d")) == "t: 3 +d\n");
  CHECK(events_of(reader, author.change([](Transaction& t) {
          t.text_delete("t", 0, 1);
          t.text_insert("t", 4, "e");
        })) == "t: -1 4 +e\n");
}

TEST_CASE("formatting is told of what stays and of what is new", "[events]") {
  Replica author(1);
  Replica reader(2);
  reader.apply(author.insert(0, "one two"));
  const Any bold(Any::Object{{"bold", true}});
  CHECK(events_of(reader, author.change([&](Transaction& t) { t.text_format("t", 4, 3, bold); })) ==
        "t: 4 3{\"bold\":true}\n");
  CHECK(events_of(reader, author.insert(5, "x")) == "t: 5 +x{\"bold\":true}\n");
  CHECK(events_of(reader, author.change([](Transaction& t) {
          t.text_format("t", 0, 6, Any(Any::Object{{"bold", Any::Null{}}}));
        })) == "t: 4 2{\"bold\":null}\n");
}

TEST_CASE("a key is told with its value before and behind the change", "[events]") {
  Replica author(1);
  Replica reader(2);
  CHECK(events_of(reader, author.set("k", 1)) == "m: k new -> 1\n");
  CHECK(events_of(reader, author.set("k", "two")) == "m: k 1 -> \"two\"\n");
  CHECK(events_of(reader, author.change([](Transaction& t) {
          t.map_set("m", "k", 3);
          t.map_set("m", "k", 4);
        })) == "m: k \"two\" -> 4\n");
  CHECK(events_of(reader, author.change([](Transaction& t) { t.map_delete("m", "k"); })) ==
        "m: k 4 -> gone\n");
  CHECK(events_of(reader, author.change([](Transaction& t) {
          t.map_set("m", "j", 1);
          t.map_delete("m", "j");
        })) == "m: \n");  // observers are called, with nothing to say
}

TEST_CASE("an update that changes nothing is told as nothing", "[events]") {
  Replica author(1);
  Replica reader(2);
  const Bytes update = author.insert(0, "x");
  reader.apply(update);
  CHECK(events_of(reader, update).empty());
}

TEST_CASE("what waited is told of with the update that it waited for", "[events]") {
  Replica author(1);
  Replica reader(2);
  const Bytes first = author.insert(0, "one");
  const Bytes second = author.insert(3, " two");
  CHECK(events_of(reader, second).empty());
  CHECK(events_of(reader, first) == "t: +one two\n");
}

TEST_CASE("a local edit is told like a remote one", "[events]") {
  Replica replica(1);
  CHECK(events_of_edit(replica, [](Transaction& t) {
          t.text_insert("t", 0, "one");
          t.map_set("m", "k", 1);
        }) == "t: +one\nm: k new -> 1\n");
  // Where the caret is, a key pressed behind or before it.
  CHECK(events_of_edit(replica, [](Transaction& t) { t.text_insert("t", 3, "x"); }) == "t: 3 +x\n");
  CHECK(events_of_edit(replica, [](Transaction& t) { t.text_delete("t", 3, 1); }) == "t: 3 -1\n");
  CHECK(events_of_edit(replica, [](Transaction& t) { t.text_delete("t", 2, 1); }) == "t: 2 -1\n");
  CHECK(events_of_edit(replica, [](Transaction& t) { t.text_delete("t", 0, 2); }) == "t: -2\n");
}

TEST_CASE("to ask for events changes nothing about the document", "[events]") {
  Replica author(1);
  Replica asked(2);
  Replica other(3);
  std::vector<Bytes> updates;
  for (std::size_t i = 0; i < 40; ++i) {
    updates.push_back(author.insert(i, "x"));
    if (i % 5 == 4)
      updates.push_back(author.erase(i - 2, 2)), updates.push_back(author.insert(0, "yy"));
  }
  for (const Bytes& update : updates) {
    events_of(asked, update);
    other.apply(update);
    CHECK(asked.doc().encode() == other.doc().encode());
  }
}

TEST_CASE("a root that holds nothing but types is a text when the caller says so", "[events]") {
  const std::string roots[] = {"t"};
  Replica author(1);
  const Bytes update = author.change([](Transaction& t) {
    t.text_embed("t", 0, Any(Any::Object{{"image", "x"}}), Any(Any::Object{}));
  });
  Doc doc;
  Events events;
  doc.apply(Update::decode(update), events, roots);
  REQUIRE(events.size() == 1);
  CHECK(events[0].is_text);
  CHECK(to_text(events) == "t: +{\"image\":\"x\"}\n");
}

}  // namespace
