#include "crdt/merge.hpp"

#include <algorithm>
#include <deque>
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
using palimpsest::testing::to_hex;

// "one", "two" and "three" typed one after the other, then the first letter deleted.
const char* const kOne = "0101010004010174036f6e6500";
const char* const kTwo = "010101038401020374776f00";
const char* const kThree = "0101010684010505746872656500";
const char* const kDeletion = "000101010001";

Bytes merge(const std::vector<Bytes>& updates) {
  return merge_updates(std::vector<ByteView>(updates.begin(), updates.end()));
}

TEST_CASE("merging needs no document and leaves gaps open", "[merge]") {
  const Bytes merged = merge({from_hex(kThree), from_hex(kDeletion), from_hex(kOne)});
  CHECK(to_hex(merged) ==
        "01030100040101740"
        "36f6e650a038401050574687265650101010001");
  Doc doc;
  doc.apply(Update::decode(merged));
  CHECK(doc.text("t") == "ne");
  CHECK(doc.has_pending());
}

TEST_CASE("merging nothing gives the empty update, merging one gives it back", "[merge]") {
  CHECK(to_hex(merge({})) == "0000");
  CHECK(to_hex(merge({from_hex(kTwo)})) == kTwo);
  CHECK_THROWS_AS(merge({from_hex("0101")}), DecodeError);
}

TEST_CASE("the difference to a state has no block that the state has, and every deletion",
          "[merge]") {
  const Bytes all = merge({from_hex(kOne), from_hex(kTwo), from_hex(kDeletion)});
  StateVector known;
  known.set(1, 4);
  CHECK(to_hex(diff_update(all, known)) == "0101010484010302776f0101010001");
  known.set(1, 6);
  CHECK(to_hex(diff_update(all, known)) == "000101010001");
  CHECK(diff_update(all, StateVector()) == all);
}

TEST_CASE("the state of an update ends where its first gap begins", "[merge]") {
  const auto clock_of = [](const Bytes& update) { return state_vector_of(update).clock_of(1); };
  CHECK(clock_of(from_hex(kOne)) == 3);
  CHECK(clock_of(from_hex(kTwo)) == 0);
  CHECK(clock_of(merge({from_hex(kOne), from_hex(kThree)})) == 3);
  CHECK(clock_of(merge({from_hex(kOne), from_hex(kTwo), from_hex(kThree)})) == 11);
  CHECK(state_vector_of(from_hex(kDeletion)).size() == 0);
}

// Updates of some replicas that now and then learn of each other, in any order and some of them
// twice.
std::vector<Bytes> random_updates(std::mt19937_64& random) {
  std::deque<Replica> replicas;
  for (ClientId client = 1; client <= 2 + random() % 4; ++client) replicas.emplace_back(client);
  for (std::size_t step = 5 + random() % 40; step > 0; --step) {
    Replica& replica = replicas[random() % replicas.size()];
    const std::size_t length = replica.length();
    const std::size_t at = random() % (length + 1);
    if (random() % 4 == 0) {
      replica.erase(at, std::min<std::size_t>(length - at, random() % 4));
    } else if (random() % 3 == 0) {
      replica.set(random() % 2 == 0 ? "a" : "b", static_cast<int>(random() % 100));
    } else {
      replica.insert(at, random() % 2 == 0 ? "x" : "y😀z");
    }
    if (random() % 3 == 0) replica.pull(replicas[random() % replicas.size()]);
  }
  std::vector<Bytes> updates;
  for (const Replica& replica : replicas) {
    updates.insert(updates.end(), replica.updates().begin(), replica.updates().end());
  }
  for (std::size_t i = updates.size() / 5; i > 0; --i) {
    updates.push_back(updates[random() % updates.size()]);
  }
  std::shuffle(updates.begin(), updates.end(), random);
  return updates;
}

Doc doc_of(const std::vector<Bytes>& updates) {
  Doc doc;
  for (const Bytes& update : updates) doc.apply(Update::decode(update));
  return doc;
}

bool same_content(const Doc& a, const Doc& b) {
  return a.text("t") == b.text("t") && a.state_vector() == b.state_vector() &&
         a.delete_set() == b.delete_set() && a.has_pending() == b.has_pending();
}

TEST_CASE("applying merged updates is applying them one by one", "[merge]") {
  CHECK(rc::check("merge", [](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Bytes> updates = random_updates(random);
    std::vector<Bytes> late;
    if (random() % 2 == 0) {
      late.assign(updates.end() - static_cast<std::ptrdiff_t>(updates.size() / 5), updates.end());
      updates.resize(updates.size() - late.size());
    }
    // As with Yjs, how much of what waits is tried again depends on how it came; in the end it is
    // the same.
    const auto complete = [&](Doc doc) {
      for (const Bytes& update : late) doc.apply(Update::decode(update));
      for (const Bytes& update : updates) doc.apply(Update::decode(update));
      return doc;
    };
    const Bytes merged = merge(updates);
    RC_ASSERT(same_content(complete(doc_of({merged})), complete(doc_of(updates))));

    // In parts, whichever, and again.
    const auto cut = static_cast<std::ptrdiff_t>(random() % (updates.size() + 1));
    const Bytes in_parts = merge({merge({updates.begin(), updates.begin() + cut}),
                                  merge({updates.begin() + cut, updates.end()}), merged});
    RC_ASSERT(same_content(complete(doc_of({in_parts})), complete(doc_of(updates))));
    RC_ASSERT(state_vector_of(in_parts) == state_vector_of(merged));
  }));
}

TEST_CASE("a state and the difference to it are the whole", "[merge]") {
  CHECK(rc::check("difference", [](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const std::vector<Bytes> updates = random_updates(random);
    const Bytes all = doc_of(updates).encode();
    const std::vector<Bytes> some(
        updates.begin(), updates.begin() + static_cast<std::ptrdiff_t>(updates.size() / 2));
    Doc doc = doc_of(some);
    doc.apply(Update::decode(diff_update(all, doc.state_vector())));
    RC_ASSERT(same_content(doc, doc_of(updates)));
    RC_ASSERT(state_vector_of(all) == doc.state_vector());
  }));
}

// One update for each of so many clients, who all wait for client 1.
std::vector<Bytes> waiting_updates(std::size_t count) {
  Replica first(1);
  first.insert(0, "first");
  std::vector<Bytes> updates;
  for (std::size_t i = 0; i < count; ++i) {
    Replica other(2 + i);
    other.apply(first.updates().front());
    updates.push_back(other.insert(5, "and " + std::to_string(i)));
  }
  updates.push_back(first.updates().front());
  return updates;
}

TEST_CASE("updates that wait come to the same however many there are", "[merge]") {
  // More than is merged at once.
  std::vector<Bytes> updates = waiting_updates(600);
  const Bytes first = updates.back();
  updates.pop_back();
  Doc doc;
  for (const Bytes& update : updates) {
    const Doc::Applied applied = doc.apply(Update::decode(update));
    CHECK(applied.changed);
    CHECK_FALSE(applied.complete);
  }
  CHECK(doc.encode() == merge(updates));
  CHECK_FALSE(doc.apply(Update::decode(updates[7])).changed);
  CHECK(doc.encode() == merge(updates));

  CHECK(doc.apply(Update::decode(first)).complete);
  doc.check_invariants();
  CHECK_FALSE(doc.has_pending());
  updates.push_back(first);
  CHECK(same_content(doc, doc_of({merge(updates)})));
}

TEST_CASE("all that waits counts towards the limits, not the last update alone", "[merge]") {
  const std::vector<Bytes> updates = waiting_updates(20);
  Limits limits;
  limits.pending_blocks = 10;
  Doc doc;
  for (std::size_t i = 0; i < 10; ++i) {
    const Update update = Update::decode(updates[i]);
    CHECK_FALSE(doc.check(update, limits));
    doc.apply(update);
    doc.apply(update);  // counts once
  }
  CHECK(doc.check(Update::decode(updates[10]), limits) == Refusal::kPendingFull);
  CHECK_FALSE(doc.check(Update::decode(updates.back()), limits));  // waits for nothing
}

TEST_CASE("deletions that wait count towards the limits", "[merge]") {
  Limits limits;
  limits.pending_blocks = 2;
  Doc doc;
  for (const char* hex : {"000101010101", "000101010301"}) {  // (1, 1) and (1, 3), nobody's yet
    const Bytes bytes = from_hex(hex);
    CHECK_FALSE(doc.check(Update::decode(bytes), limits));
    doc.apply(Update::decode(bytes));
  }
  const Bytes third = from_hex("000101010501");
  CHECK(doc.check(Update::decode(third), limits) == Refusal::kPendingFull);
}

TEST_CASE("a local edit can be what others waited for", "[merge]") {
  // Somebody has what client 1 will write.
  Replica before(1);
  before.insert(0, "a");
  Replica other(2);
  other.apply(before.updates().front());
  const Bytes waits = other.insert(1, "b");
  const Bytes deletes = other.erase(0, 1);

  Doc doc;
  doc.apply(Update::decode(waits));
  doc.apply(Update::decode(deletes));
  doc.transact(1, [](Transaction& t) { t.text_insert("t", 0, "a"); });
  doc.apply(Update::decode(from_hex("0000")));
  CHECK(doc.text("t") == "b");
  CHECK_FALSE(doc.has_pending());
}

}  // namespace
