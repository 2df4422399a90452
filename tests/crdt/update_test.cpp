#include "crdt/update.hpp"

#include <rapidcheck.h>

#include "crdt/delete_set.hpp"
#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/writer.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::from_hex;
using palimpsest::testing::to_hex;

// Written by Yjs 13.6: the state of a document in which client 1 typed "a😀b" into `t`.
constexpr const char* kTyped = "01010100040101740661f09f98806200";

TEST_CASE("an update says whose content it carries", "[update]") {
  const Bytes bytes = from_hex(kTyped);
  const Update update = Update::decode(bytes);
  REQUIRE(update.authored().size() == 1);
  CHECK(update.authored()[0].client == 1);
  CHECK(update.authored()[0].begin == 0);
  CHECK(update.authored()[0].end == 4);  // UTF-16 units
  CHECK(update.deletes_from().empty());
  CHECK_FALSE(update.empty());
  CHECK(Update::decode(Bytes{0, 0}).empty());
}

TEST_CASE("every prefix of an update is refused with the place and the cause", "[update]") {
  const Bytes whole = from_hex(kTyped);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Bytes prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    try {
      Update::decode(prefix);
      FAIL("accepted the first " << length << " bytes");
    } catch (const DecodeError& error) {
      CHECK(error.offset_bytes() <= length);
      CHECK_FALSE(error.cause().empty());
    }
  }
}

TEST_CASE("a malformed update is refused", "[update]") {
  const auto [what, hex] = GENERATE(table<std::string, std::string>({
      {"2^31 clients in five bytes", "ffffffff0700"},
      {"2^31 blocks in five bytes", "01ffffffff07010000"},
      {"2^31 deletions", "000101ffffffff07"},
      {"bytes after the end", "000000"},
      {"block kind 11", "010101000b0100"},
      {"a gap with a flag, which Yjs' mergeUpdates() takes for content", "010101008a0100"},
      {"block kind 31", "010101001f0100"},
      {"shared type 7", "01010100070101740700"},
      {"GC of length 2^53-1", "0101010000ffffffffffffff0f00"},
      {"clock beyond 2^53-1", "010101ffffffffffffff0f000100"},
      {"deletion beyond 2^53-1", "0001010101ffffffffffffff0f"},
      {"an origin in the future of its own client",
       "010101008401050161"
       "00"},
      {"an origin that is the block itself",
       "010101008401000161"
       "00"},
      {"a parent that is the block itself", "0101010004000100016100"},
      {"text that is no UTF-8", "010101000401017401ff00"},
      {"an embed that is no JSON", "0101010005010174027b7b00"},
      {"a formatting value that is no JSON",
       "010101000601017401620178"
       "00"},
      {"a text of no characters", "01010100040101740000"},
      {"an array of no values, at which Yjs breaks", "01010100080101740000"},
      {"a deleted block of nothing", "01010100010101740000"},
      {"a collected block of nothing", "01010100000000"},
      {"a deletion of nothing, which Yjs cannot keep when it waits",
       "00010101"
       "0000"},
      {"a sub-document whose options are null, at which Yjs breaks",
       "0101010009010174"
       "01677e00"},
      {"a value of unknown kind", "0101010008010174010100"},
  }));
  INFO(what);
  const Bytes bytes = from_hex(hex);
  CHECK_THROWS_AS(Update::decode(bytes), DecodeError);
}

TEST_CASE("a state vector keeps the last of repeated clients and nothing at clock 0", "[update]") {
  const StateVector decoded =
      StateVector::decode(from_hex("03"
                                   "0105"
                                   "0200"
                                   "0107"));
  CHECK(decoded.size() == 1);
  CHECK(decoded.clock_of(1) == 7);
  CHECK(decoded.clock_of(2) == 0);
  CHECK_THROWS_AS(StateVector::decode(from_hex("ffffffff07")), DecodeError);
  CHECK_THROWS_AS(StateVector::decode(from_hex("010105"
                                               "00")),
                  DecodeError);
}

TEST_CASE("a state vector is written with the highest client first", "[update]") {
  StateVector vector;
  vector.set(5, 1);
  vector.set(900, 2);
  vector.set(7, 3);
  vector.set(7, 0);
  CHECK(to_hex(vector.encode()) ==
        "02"
        "840702"
        "0501");
  CHECK(StateVector::decode(vector.encode()) == vector);
}

TEST_CASE("a delete set joins ranges that touch or overlap", "[update]") {
  DeleteSet deletes;
  deletes.add(1, 10, 2);
  deletes.add(1, 0, 3);
  deletes.add(1, 3, 1);
  deletes.add(1, 11, 5);
  deletes.normalize();
  CHECK(deletes.clients().at(1) == DeleteSet::Ranges{{0, 4}, {10, 6}});
  CHECK(deletes.contains({1, 3}));
  CHECK_FALSE(deletes.contains({1, 4}));
  CHECK(deletes.contains({1, 15}));
  CHECK_FALSE(deletes.contains({2, 0}));
}

TEST_CASE("any bytes are either an update that applies or refused", "[update]") {
  // Real updates with a few bytes changed get further than noise.
  const Bytes seeds[] = {
      from_hex(kTyped),
      from_hex(
          "010501000401017404626f6c648401030620706c61696e46010001620474727565c6010301040162046e"
          "756c6cc5010b0104077b2269223a317d00"),
      from_hex("01070700070101780301502800070002696401770131070007000604000702036869208607050162047"
               "472756584070603796f758607090162046e756c6c00"),
      from_hex("010103020004010174016101010001"),
  };
  CHECK(rc::check("mutated", [&] {
    Bytes bytes = seeds[*rc::gen::inRange<std::size_t>(0, std::size(seeds))];
    const int changes = *rc::gen::inRange(1, 6);
    for (int i = 0; i < changes; ++i) {
      bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<std::uint8_t>();
    }
    Doc doc;
    try {
      doc.apply(Update::decode(bytes));
    } catch (const DecodeError&) {
      return;
    }
    doc.check_invariants();
    Doc copy;
    const Bytes state = doc.encode();
    copy.apply(Update::decode(state));
    copy.check_invariants();
    RC_ASSERT(copy.state_vector() == doc.state_vector());
    for (const std::string& root : doc.root_names()) {
      RC_ASSERT(copy.text(root) == doc.text(root));
      doc.delta(root);
      doc.array(root);
      doc.map(root);
      doc.xml(root);
    }
  }));
}

}  // namespace
