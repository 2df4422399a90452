#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "crdt/doc.hpp"
#include "support/catch.hpp"

namespace palimpsest::crdt {
namespace {

using Updates = std::vector<Bytes>;

Doc doc_of(const Updates& updates) {
  Doc doc;
  for (const Bytes& update : updates) doc.apply(Update::decode(update));
  return doc;
}

// The clients' updates one after the other, the highest client first: then the conflict scan finds
// its place at once, so that this order shows what all others have to come to.
Updates highest_first(const std::vector<Updates>& of_client) {
  Updates all;
  for (auto updates = of_client.rbegin(); updates != of_client.rend(); ++updates) {
    all.insert(all.end(), updates->begin(), updates->end());
  }
  return all;
}

// In a random order that keeps each client's own.
Updates shuffled(std::vector<Updates> of_client, std::mt19937& random) {
  std::vector<std::size_t> turns;
  for (std::size_t c = 0; c < of_client.size(); ++c) {
    turns.insert(turns.end(), of_client[c].size(), c);
  }
  std::shuffle(turns.begin(), turns.end(), random);
  std::vector<std::size_t> next(of_client.size(), 0);
  Updates all;
  for (const std::size_t c : turns) all.push_back(std::move(of_client[c][next[c]++]));
  return all;
}

void check_orders(const std::vector<Updates>& of_client) {
  const Doc expected = doc_of(highest_first(of_client));
  std::mt19937 random(1);
  for (int order = 0; order < 6; ++order) {
    const Doc doc = doc_of(shuffled(of_client, random));
    doc.check_invariants();
    CHECK(doc.text("text") == expected.text("text"));
    CHECK(doc.map("map").to_json() == expected.map("map").to_json());
    CHECK(doc.state_vector() == expected.state_vector());
    CHECK(doc.delete_set() == expected.delete_set());
  }
}

// What each client does to a copy of `base`, knowing nothing of the others.
template <class Edit>
std::vector<Updates> clients(std::size_t count, const Bytes& base, Edit&& edit) {
  std::vector<Updates> of_client;
  for (ClientId client = 2; client < 2 + count; ++client) {
    Doc doc;
    if (!base.empty()) doc.apply(Update::decode(base));
    of_client.push_back(edit(doc, client));
  }
  return of_client;
}

Bytes insert(Doc& doc, ClientId client, std::size_t at, const std::string& text) {
  return doc.transact(client, [&](Transaction& t) { t.text_insert("text", at, text); });
}

TEST_CASE("a flood of clients that write at one place comes to one order", "[flood]") {
  Doc base;
  const Bytes start = insert(base, 1, 0, "[]");
  auto of_client = clients(400, start, [](Doc& doc, ClientId client) {
    return Updates{insert(doc, client, 1, std::string(1, static_cast<char>('a' + client % 26)))};
  });
  for (auto& updates : of_client) updates.insert(updates.begin(), start);
  check_orders(of_client);
}

TEST_CASE("a flood of clients that write backwards at one place comes to one order", "[flood]") {
  check_orders(clients(30, {}, [](Doc& doc, ClientId client) {
    Updates updates;
    for (int key = 0; key < 25; ++key) {
      updates.push_back(insert(doc, client, 0, std::string(1, static_cast<char>('a' + key))));
    }
    return updates;
  }));
}

TEST_CASE("a flood of clients that write, go back and erase comes to one order", "[flood]") {
  std::mt19937 random(5);
  check_orders(clients(60, {}, [&](Doc& doc, ClientId client) {
    Updates updates;
    std::size_t length = 0;
    for (int key = 0; key < 14; ++key) {
      if (length > 1 && random() % 4 == 0) {
        const std::size_t at = random() % length--;
        updates.push_back(
            doc.transact(client, [&](Transaction& t) { t.text_delete("text", at, 1); }));
      } else {
        updates.push_back(insert(doc, client, random() % (length + 1), std::to_string(key % 10)));
        ++length;
      }
    }
    return updates;
  }));
}

TEST_CASE("a flood of clients that set one key comes to one value", "[flood]") {
  check_orders(clients(300, {}, [](Doc& doc, ClientId client) {
    return Updates{doc.transact(client, [&](Transaction& t) {
      t.map_set("map", "key", Any(static_cast<double>(client)));
    })};
  }));
}

TEST_CASE("five thousand clients at one place are no attack", "[flood]") {
  // By linear scans this took 12,500,000 steps and half a second.
  Doc doc;
  for (ClientId client = 1; client <= 5000; ++client) {
    Doc own;
    doc.apply(Update::decode(insert(own, client, 0, "x")));
  }
  CHECK(doc.text("text").size() == 5000);
}

}  // namespace
}  // namespace palimpsest::crdt
