#include <algorithm>
#include <deque>
#include <random>

#include <rapidcheck.h>

#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "support/catch.hpp"
#include "support/chance.hpp"
#include "support/loading.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::Chance;
using palimpsest::testing::Replica;

void edit(Replica& replica, Chance& chance) {
  static const char* const kWords[] = {"a", "bc", "hello ", "wörld", "日本", "😀", "\n"};
  static const char* const kKeys[] = {"k1", "k2", "k3"};
  const std::size_t length = replica.length();
  replica.change([&](Transaction& t) {
    switch (chance.below(7)) {
      case 0:
      case 1:
      case 2:
        t.text_insert("t", chance.below(length + 1), chance.of(kWords));
        break;
      case 3:
      case 4: {
        const std::size_t at = chance.below(length);
        t.text_delete("t", at, std::min(length - at, 1 + chance.below(4)));
        break;
      }
      case 5: {
        const std::size_t at = chance.below(length);
        const Any value = chance.one_in(3) ? Any(Any::Null{}) : Any(true);
        t.text_format("t", at, std::min(length - at, 1 + chance.below(5)),
                      Any(Any::Object{{chance.one_in(2) ? "b" : "i", value}}));
        break;
      }
      default:
        if (chance.one_in(4)) {
          t.map_delete("m", chance.of(kKeys));
        } else {
          t.map_set("m", chance.of(kKeys), Any(static_cast<int>(chance.below(100))));
        }
    }
  });
}

std::deque<Replica> edited_replicas(Chance& chance) {
  std::deque<Replica> replicas;
  const std::size_t count = 2 + chance.below(5);
  for (std::size_t i = 0; i < count; ++i) replicas.emplace_back(1 + i * 1'000'003);
  const std::size_t steps = 10 + chance.below(60);
  for (std::size_t i = 0; i < steps; ++i) {
    Replica& replica = chance.of(replicas);
    edit(replica, chance);
    if (chance.one_in(3)) replica.pull(chance.of(replicas));
  }
  return replicas;
}

// The keys of a map have no order that replicas agree on.
std::string content_of(const Doc& doc) {
  Any map = doc.map("m");
  auto& members = std::get<Any::Object>(map.value());
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return doc.delta("t").to_json() + map.to_json();
}

TEST_CASE("any order, repetition and grouping of the updates gives the same document",
          "[convergence]") {
  CHECK(rc::check("converges", [](std::uint64_t seed) {
    Chance chance(seed);
    std::deque<Replica> replicas = edited_replicas(chance);
    std::vector<Bytes> updates;
    for (const Replica& replica : replicas) {
      updates.insert(updates.end(), replica.updates().begin(), replica.updates().end());
    }
    Doc in_order;
    for (const Bytes& update : updates) in_order.apply(Update::decode(update));

    for (std::size_t i = updates.size() / 4; i > 0; --i) updates.push_back(chance.of(updates));
    std::shuffle(updates.begin(), updates.end(), chance.engine());
    Doc shuffled;
    for (const Bytes& update : updates) {
      shuffled.apply(Update::decode(update));
      shuffled.check_invariants();
    }
    for (Replica& replica : replicas) {
      replica.pull(replicas.front());
      for (Replica& other : replicas) replica.pull(other);
      RC_ASSERT(content_of(replica.doc()) == content_of(in_order));
    }
    RC_ASSERT_FALSE(shuffled.has_pending());
    RC_ASSERT(content_of(shuffled) == content_of(in_order));
    RC_ASSERT(shuffled.state_vector() == in_order.state_vector());
    RC_ASSERT(shuffled.delete_set() == in_order.delete_set());
  }));
}

TEST_CASE("garbage collection changes neither content nor order", "[convergence]") {
  CHECK(rc::check("gc", [](std::uint64_t seed) {
    Chance chance(seed);
    std::deque<Replica> replicas = edited_replicas(chance);
    Doc collected({.gc = true});
    Doc whole({.gc = false});
    for (const Replica& replica : replicas) {
      for (const Bytes& update : replica.updates()) {
        collected.apply(Update::decode(update));
        whole.apply(Update::decode(update));
      }
    }
    RC_ASSERT(content_of(collected) == content_of(whole));
    RC_ASSERT(collected.state_vector() == whole.state_vector());
    RC_ASSERT(collected.delete_set() == whole.delete_set());
    palimpsest::testing::check_loading(collected.encode());
    palimpsest::testing::check_loading(whole.encode());
  }));
}

TEST_CASE("a document read back from its state is the same, pending blocks too", "[convergence]") {
  CHECK(rc::check("state", [](std::uint64_t seed) {
    Chance chance(seed);
    std::deque<Replica> replicas = edited_replicas(chance);
    Doc doc;
    for (const Replica& replica : replicas) {
      for (const Bytes& update : replica.updates()) {
        if (!chance.one_in(6)) doc.apply(Update::decode(update));
      }
    }
    const Bytes state = doc.encode();
    Doc copy;
    copy.apply(Update::decode(state));
    copy.check_invariants();
    RC_ASSERT(content_of(copy) == content_of(doc));
    RC_ASSERT(copy.state_vector() == doc.state_vector());
    RC_ASSERT(copy.has_pending() == doc.has_pending());
    palimpsest::testing::check_loading(state);
    for (Replica& replica : replicas) {
      const Bytes all = replica.doc().encode();
      doc.apply(Update::decode(all));
      copy.apply(Update::decode(all));
    }
    RC_ASSERT(content_of(copy) == content_of(doc));
    RC_ASSERT(copy.delete_set() == doc.delete_set());
  }));
}

TEST_CASE("the novel part of an update is as good as the whole", "[convergence]") {
  CHECK(rc::check("novel part", [](std::uint64_t seed) {
    Chance chance(seed);
    std::deque<Replica> replicas = edited_replicas(chance);
    Doc whole;
    Doc trimmed;
    for (std::size_t i = 0; i < replicas.size() * 3; ++i) {
      const Bytes update = chance.of(replicas).doc().encode();
      const Update decoded = Update::decode(update);
      const bool known = trimmed.covers(decoded);
      const std::optional<Bytes> novel = trimmed.novel_part(decoded);
      whole.apply(decoded);
      const Bytes& part = novel ? *novel : update;
      RC_ASSERT(trimmed.apply(Update::decode(part)).changed == !known);
      RC_ASSERT(trimmed.covers(decoded));
      RC_ASSERT(content_of(trimmed) == content_of(whole));
      RC_ASSERT(trimmed.delete_set() == whole.delete_set());
    }
  }));
}

}  // namespace
