#include <string>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/merge.hpp"
#include "crdt/v2.hpp"
#include "crdt/writer.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"
#include "support/loading.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::check_loading;
using palimpsest::testing::check_loading_v2;
using palimpsest::testing::from_hex;
using palimpsest::testing::Replicas;

// Each prefix of the update, and it with each of its bytes changed.
void for_each_flaw(Bytes update, void (*check)(ByteView)) {
  for (std::size_t i = 0; i < update.size(); ++i) {
    check(ByteView(update).first(i));
    for (const std::uint8_t flip : {std::uint8_t{0x01}, std::uint8_t{0x81}}) {
      update[i] = static_cast<std::uint8_t>(update[i] ^ flip);
      check(update);
      update[i] = static_cast<std::uint8_t>(update[i] ^ flip);
    }
  }
}

TEST_CASE("a text of one author is loaded as it was", "[load]") {
  Replicas docs{7};
  std::uint32_t random = 1;
  for (int i = 0; i < 3000; ++i) {
    random = random * 1'664'525 + 1'013'904'223;
    const std::size_t length = docs[7].length();
    const std::size_t at = (random >> 8) % (length + 1);
    if (random % 5 == 0 && at < length) {
      docs[7].erase(at, std::min<std::size_t>(length - at, 1 + random % 7));
    } else {
      docs[7].insert(at, std::string(1 + (random >> 4) % 50, static_cast<char>('a' + i % 26)));
    }
  }
  const Bytes state = docs[7].doc().encode();
  const Doc loaded = Doc::load(state);
  loaded.check_invariants();
  CHECK(loaded.encode() == state);
  CHECK(loaded.text("t") == docs[7].doc().text("t"));
  check_loading(state);
}

TEST_CASE("a loaded document is edited on as any other", "[load]") {
  Replicas docs{1, 2};
  docs[1].insert(0, "hello");
  docs.sync();
  docs[2].insert(5, " world");
  docs[1].insert(0, "> ");
  docs.sync();
  Doc loaded = Doc::load(docs[1].doc().encode());
  const Bytes update = loaded.transact(3, [](Transaction& t) { t.text_insert("t", 2, "well, "); });
  loaded.apply(
      Update::decode(docs[2].doc().transact(2, [](Transaction& t) { t.text_delete("t", 0, 2); })));
  CHECK(loaded.text("t") == "well, hello world");
  loaded.check_invariants();
  CHECK_FALSE(update.empty());
}

TEST_CASE("blocks that wait for a client further down are loaded after it", "[load]") {
  Replicas docs{1, 2, 3};
  // Each writes beside what the other has written, so that no client's blocks can go in as one.
  for (int round = 0; round < 20; ++round) {
    for (const ClientId client : {1, 2, 3}) {
      docs[client].insert(docs[client].length() / 2, "ab");
      docs.sync();
    }
  }
  check_loading(docs[2].doc().encode());
  CHECK(Doc::load(docs[2].doc().encode()).text("t") == docs[2].doc().text("t"));
}

TEST_CASE("concurrent runs at one place are loaded in Yjs' order", "[load]") {
  Replicas docs{5, 2, 9, 1};
  for (const ClientId client : {5, 2, 9, 1}) {
    docs[client].insert(0, "one");
    docs[client].insert(0, "two");
    docs[client].insert(3, "three");
  }
  docs.sync();
  check_loading(docs[9].doc().encode());
}

TEST_CASE("values of every kind are loaded", "[load]") {
  Doc doc({.gc = false});
  doc.transact(2, [](Transaction& t) {
    const Id list = t.map_set("m", "list", NewType{SharedType::kArray});
    t.array_insert(list, 0, {1, 2, "three", Bytes{4}});
    const Id p = t.array_insert("x", 0, NewType{SharedType::kXmlElement, "p"});
    t.text_insert(t.array_insert(p, 0, NewType{SharedType::kXmlText}), 0, "nested text 😀");
    t.map_set(p, "class", "lead");
  });
  doc.transact(1, [](Transaction& t) {
    t.map_set("m", "list", "overwritten");
    t.text_insert("t", 0, "ü");
    t.text_format("t", 0, 1, Any(Any::Object{{"bold", true}}));
    t.array_delete("x", 0, 1);
  });
  check_loading(doc.encode());
  Doc collected;
  collected.apply(Update::decode(doc.encode()));
  check_loading(collected.encode());
}

TEST_CASE("what is no whole state is loaded as it is applied", "[load]") {
  Replicas docs{1, 2};
  docs[1].insert(0, "abc");
  docs.sync();
  docs[2].insert(1, "x");
  docs.sync();
  docs[1].insert(2, "yz");
  docs.sync();
  const Bytes whole = docs[1].doc().encode();
  StateVector known;
  known.set(1, 2);
  check_loading(docs[1].doc().encode_since(known));  // starts within a block
  known.set(2, 1);
  check_loading(docs[1].doc().encode_since(known));
  for (const Bytes& update : docs[1].updates()) check_loading(update);
  for (const Bytes& update : docs[2].updates()) check_loading(update);
  for_each_flaw(whole, check_loading);
}

TEST_CASE("format v2 is loaded as it is applied, malformed or not", "[load]") {
  Replicas docs{1, 2};
  docs[1].insert(0, "some text 😀 of one");
  docs.sync();
  docs[2].insert(3, "and another");
  docs[2].erase(1, 4);
  docs[2].set("key", "value");
  docs.sync();
  const Bytes whole = update_v2_from_v1(docs[1].doc().encode());
  for_each_flaw(whole, check_loading_v2);
}

TEST_CASE("updates merged but not joined are joined when they are loaded", "[load]") {
  Replicas docs{1};
  for (int i = 0; i < 10; ++i) docs[1].insert(docs[1].length(), "x");
  std::vector<ByteView> updates(docs[1].updates().begin(), docs[1].updates().end());
  const Bytes merged = merge_updates(updates);
  check_loading(merged);
  CHECK(Doc::load(merged).encode() == docs[1].doc().encode());
}

TEST_CASE("a deletion that cuts blocks, or comes twice, is loaded as it is applied", "[load]") {
  // Client 1: "abcdef" in root t; deleted are 1–2, 2–3 and 5.
  check_loading(
      from_hex("01010100040101740661626364656601010301020202"
               "0501"));
  check_loading(
      from_hex("01010100040101740661626364656601010101"
               "02"));
  // Of a client that is not there.
  check_loading(
      from_hex("01010100040101740661626364656601090101"
               "02"));
}

TEST_CASE("many blocks behind long ones, and beside them, are no attack", "[load]") {
  // 20,000 deleted blocks of 16,384 units, then as many letters, each behind a unit that the notes
  // of where blocks begin have not come to, or have long passed.
  Writer update;
  constexpr std::uint64_t kBlocks = 20'000;
  constexpr std::uint64_t kLength = 16'384;
  update.write_bytes(from_hex("01"));
  update.write_var_uint(2 * kBlocks);
  update.write_bytes(from_hex("0100"));
  update.write_bytes(from_hex("01010174"));
  update.write_var_uint(kLength);
  for (std::uint64_t i = 1; i < kBlocks; ++i) {
    update.write_bytes(from_hex("8101"));
    update.write_var_uint(i * kLength - 1);
    update.write_var_uint(kLength);
  }
  for (std::uint64_t i = 0; i < kBlocks; ++i) {
    update.write_bytes(from_hex("8401"));
    update.write_var_uint((1 + i % 200) * kLength - 1);
    update.write_var_string("x");
  }
  update.write_var_uint(0);
  const Doc loaded = Doc::load(update.view());
  CHECK(loaded.text("t") == std::string(kBlocks, 'x'));
}

TEST_CASE("a client that comes twice, without blocks the second time, is loaded as applied",
          "[load]") {
  check_loading(
      from_hex("02010100040101740161"
               "00010000"));
  check_loading(
      from_hex("02000100"
               "01010004010174016100"));
}

TEST_CASE("text beside a collected block, first of its client, is loaded", "[load]") {
  // Client 1: a GC block of 2, then "a" behind it.
  check_loading(from_hex("010201000002840101016100"));
  check_loading(from_hex("01020100000244010001610001010002"));
}

TEST_CASE("what was cut off the last block of a client is not looked for among another's",
          "[load]") {
  const Bytes state = from_hex(
      "03060c00040107636f6e74656e74063c31312e303e840c05063c31312e313ec40c050c06063c31312e323ec4"
      "0c050c0c063c31312e333ec409040c00063c31312e343ec409090c18063c31312e353e010900040107636f6e"
      "74656e740a3c382e303e3c382e313e020600040107636f6e74656e74053c352e303e840c0b053c352e313e00");
  const Doc loaded = Doc::load(state);
  loaded.check_invariants();
  CHECK(loaded.text("content") ==
        "<5.0><8.0><8.1><11.5><11.4><11.0><11.3><11.2><11.1><5.1>" /* as Yjs reads it */);
  check_loading(state);
}

TEST_CASE("a block longer than all notes of where blocks begin is found", "[load]") {
  // Client 1: 2^31 deleted units in root t, then "a" behind the unit in the middle of them.
  check_loading(
      from_hex("010201000101017480808080088401"
               "ffffffff03"
               "016100"));
}

}  // namespace
