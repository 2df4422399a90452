#include "crdt/condense.hpp"

#include "crdt/error.hpp"
#include "crdt/merge.hpp"
#include "crdt/writer.hpp"
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

Bytes merged(const std::vector<Bytes>& updates) {
  const std::vector<ByteView> views(updates.begin(), updates.end());
  return merge_updates(views);
}

std::string text_of(const Bytes& update) {
  const Doc doc = Doc::load(update);
  doc.check_invariants();
  CHECK_FALSE(doc.has_pending());
  return doc.text("t");
}

TEST_CASE("what was typed key by key becomes one run", "[condense]") {
  Replica writer(1);
  for (const char* key : {"a", "b", "c"}) writer.insert(writer.length(), key);
  const Bytes condensed = condense(merged(writer.updates()), {}, {});
  CHECK(Update::decode(condensed).block_count() == 1);
  CHECK(text_of(condensed) == "abc");
  CHECK(condensed == writer.doc().encode());
}

TEST_CASE("runs are joined only where one hangs on the other", "[condense]") {
  Replica writer(1);
  writer.insert(0, "b");
  writer.insert(0, "a");
  writer.insert(2, "c");
  const Bytes condensed = condense(merged(writer.updates()), {}, {});
  CHECK(Update::decode(condensed).block_count() == 3);
  CHECK(text_of(condensed) == "abc");
}

TEST_CASE("what came and went leaves its place and nothing else", "[condense]") {
  Replica writer(1);
  writer.insert(0, "keep");
  writer.insert(4, "SLIP");
  writer.erase(4, 4);
  writer.insert(4, " this");
  const Bytes condensed = condense(merged(writer.updates()), units(1, 4, 4), {});
  CHECK(std::string(condensed.begin(), condensed.end()).find("SLIP") == std::string::npos);
  CHECK(Update::decode(condensed).deletions().empty());
  CHECK(text_of(condensed) == "keep this");
}

TEST_CASE("the deletions are those that are given", "[condense]") {
  Replica writer(1);
  writer.insert(0, "abc");
  writer.erase(0, 1);
  CHECK(text_of(condense(merged(writer.updates()), {}, {})) == "abc");
  CHECK(text_of(condense(merged(writer.updates()), {}, units(1, 2, 1))) == "ab");
}

TEST_CASE("half of a pair that went is deleted, and the other half stays", "[condense]") {
  Replica writer(1);
  writer.insert(0, "a\U0001F600b");
  const Bytes condensed = condense(writer.updates().front(), units(1, 0, 2), {});
  Doc doc;
  doc.apply(Update::decode(writer.updates().front()));
  Writer deletion;
  deletion.write_var_uint(0);
  units(1, 0, 2).write(deletion);
  const Bytes deletes(deletion.view().begin(), deletion.view().end());
  doc.apply(Update::decode(deletes));
  CHECK(text_of(condensed) == doc.text("t"));
}

TEST_CASE("a value of a map is not joined to the one before", "[condense]") {
  Replica writer(1);
  for (int value = 0; value < 3; ++value) writer.set("key", value);
  DeleteSet gone = units(1, 0, 2);
  const Bytes condensed = condense(merged(writer.updates()), gone, {});
  CHECK(Doc::load(condensed).map("m").to_json() == "{\"key\":2}");
}

TEST_CASE("bytes that are no update are refused", "[condense]") {
  CHECK_THROWS_AS(condense(Bytes{1, 2, 3}, {}, {}), DecodeError);
}

// Whatever two people did who heard of each other now and then: what each wrote, condensed without
// what that one deleted of it, comes to the same document, in whatever order.
TEST_CASE("condensed changes come to what the changes come to", "[condense]") {
  const auto seed = GENERATE(range(0, 200));
  CAPTURE(seed);
  Chance chance(static_cast<std::uint64_t>(seed));
  Replica people[] = {Replica(1), Replica(2)};
  for (int step = 0; step < 60; ++step) {
    Replica& one = chance.of(people);
    if (chance.one_in(5)) one.pull(people[2 - one.client()]);
    const std::size_t length = one.length();
    const std::size_t at = chance.below(length + 1);
    switch (chance.below(6)) {
      case 0:
      case 1:
        if (at < length) one.erase(at, 1 + chance.below(std::min<std::size_t>(4, length - at)));
        break;
      case 2:
        one.set(chance.one_in(2) ? "a" : "b", static_cast<int>(step));
        break;
      case 3:
        one.insert(at, "\U0001F600");
        break;
      default:
        one.insert(length, "ab");
    }
  }
  Doc whole;
  Doc condensed;
  std::vector<Bytes> parts;
  for (Replica& one : people) {
    DeleteSet own;
    DeleteSet others;
    for (const Bytes& update : one.updates()) {
      whole.apply(Update::decode(update));
      const DeleteSet deletions = Update::decode(update).deletions();
      for (const auto& [client, ranges] : deletions.clients())
        for (const auto& range : ranges)
          (client == one.client() ? own : others).append(client, range.clock, range.length);
    }
    own.normalize();
    others.normalize();
    parts.push_back(condense(merged(one.updates()), own, others));
  }
  if (chance.one_in(2)) std::swap(parts[0], parts[1]);
  for (const Bytes& part : parts) condensed.apply(Update::decode(part));
  condensed.check_invariants();
  DeleteSet gone = whole.delete_set();
  DeleteSet gone_condensed = condensed.delete_set();
  gone.normalize();
  gone_condensed.normalize();
  CHECK(condensed.text("t") == whole.text("t"));
  CHECK(condensed.state_vector() == whole.state_vector());
  CHECK(gone_condensed == gone);
  CHECK(condensed.has_pending() == whole.has_pending());
}

TEST_CASE("what of a set is not in another one", "[delete-set]") {
  DeleteSet all = units(1, 0, 10);
  all.append(1, 20, 5);
  all.append(2, 3, 1);
  DeleteSet cut = units(1, 2, 3);
  cut.append(1, 8, 14);
  DeleteSet rest = units(1, 0, 2);
  rest.append(1, 5, 3);
  rest.append(1, 22, 3);
  rest.append(2, 3, 1);
  CHECK(all.without(cut) == rest);
  CHECK(all.without(all).empty());
  CHECK(all.without({}) == all);
}

}  // namespace
