#include "crdt/doc.hpp"

#include "crdt/writer.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"
#include "support/loading.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::from_hex;
using palimpsest::testing::Replica;
using palimpsest::testing::Replicas;
using palimpsest::testing::to_hex;

Doc doc_of(std::initializer_list<const char*> updates, Doc::Options options = {}) {
  Doc doc(options);
  for (const char* hex : updates) {
    const Bytes bytes = from_hex(hex);
    doc.apply(Update::decode(bytes));
    doc.check_invariants();
    palimpsest::testing::check_loading(bytes);
  }
  palimpsest::testing::check_loading(doc.encode());
  return doc;
}

TEST_CASE("concurrent runs at one place do not interleave", "[doc]") {
  Replicas docs{1, 2};
  docs[1].insert(0, "aaa");
  docs[2].insert(0, "bbb");
  docs.sync();
  CHECK(docs.text() == "aaabbb");  // the lower client id stands first
}

TEST_CASE("words typed letter by letter at one place stay whole", "[doc]") {
  Replicas docs{1, 2, 3};
  docs[1].insert(0, "[]");
  docs.sync();
  for (std::size_t i = 0; i < 4; ++i) {
    docs[1].insert(1 + i, std::string(1, "ada "[i]));
    docs[2].insert(1 + i, std::string(1, "bob "[i]));
    docs[3].insert(1 + i, std::string(1, "cyd "[i]));
  }
  docs.sync();
  CHECK(docs.text() == "[ada bob cyd ]");
}

TEST_CASE("an edit inside a passage that somebody deletes meanwhile survives", "[doc]") {
  Replicas docs{1, 2};
  docs[1].insert(0, "The old text.");
  docs.sync();
  docs[1].erase(4, 4);
  docs[2].insert(7, "er");
  docs.sync();
  CHECK(docs.text() == "The ertext.");
}

TEST_CASE("of concurrent values of one key the one of the higher client stays", "[doc]") {
  Replicas docs{1, 2};
  docs[2].set("k", "two");
  docs[1].set("k", "one");
  docs.sync();
  CHECK(docs[1].doc().map("m").to_json() == R"({"k":"two"})");
  CHECK(docs[2].doc().map("m").to_json() == R"({"k":"two"})");
}

TEST_CASE("a state is written as Yjs writes it", "[doc]") {
  Replica replica(1);
  replica.insert(0, "a😀b");
  CHECK(to_hex(replica.doc().encode()) == "01010100040101740661f09f98806200");
}

TEST_CASE("an insert inside a surrogate pair leaves two replacement characters, as in Yjs",
          "[doc]") {
  Replica replica(1);
  replica.insert(0, "a😀b");
  replica.insert(2, "X");
  CHECK(replica.text() ==
        "a\xEF\xBF\xBDX\xEF\xBF\xBD"
        "b");
  CHECK(to_hex(replica.doc().encode()) ==
        "01030100040101740461efbfbd84010104efbfbd62c401010102015800");
}

TEST_CASE("values of every kind keep their bytes", "[doc]") {
  const char* const state =
      "01040100080101610f7d017d417d80017dbfffffff0f7c4f0000007d407c3fc000007b3fb999999999999a7b7e37"
      "e43c8800759c78797e77017375027d0175017d027602016b7d0101757f2801016d03626967017a00007048860ddf"
      "792801016d0175017f2301016d056279746573030102ff00";
  const Doc doc = doc_of({state});
  CHECK(to_hex(doc.encode()) == state);
  CHECK(doc.array("a").to_json() ==
        R"([1,-1,64,2147483647,2147483648,0,1.5,0.1,1e+300,true,false,null,"s",[1,[2]],{"k":1}])");
  CHECK(doc.map("m").find("big")->get_if<Any::BigInt>()->value == 123456789012345);
}

TEST_CASE("formatting and embeds read as a Quill delta", "[doc]") {
  const char* const state =
      "010501000401017404626f6c648401030620706c61696e46010001620474727565c6010301040162046e756c6cc5"
      "010b0104077b2269223a317d00";
  const Doc doc = doc_of({state});
  CHECK(to_hex(doc.encode()) == state);
  CHECK(doc.delta("t").to_json() ==
        R"([{"insert":"bold","attributes":{"b":true}},{"insert":{"i":1}},{"insert":" plain"}])");
  CHECK(doc.text("t") == "bold plain");
}

TEST_CASE("XML reads with its tags, attributes and formatting", "[doc]") {
  const char* const state =
      "010707000701017803015028000700026964017701310700070006040007020368692086070501620474727565"
      "84070603796f758607090162046e756c6c00";
  const Doc doc = doc_of({state});
  CHECK(to_hex(doc.encode()) == state);
  CHECK(doc.xml("x") == R"(<p id="1">hi <b>you</b></p>)");
  CHECK(doc.guess_kind("x") == Doc::RootKind::kXml);
}

TEST_CASE("what is deleted with its parent becomes one GC block", "[doc]") {
  const char* const state =
      "010707000701017803015028000700026964017701310700070006040007020368692086070501620474727565"
      "84070603796f758607090162046e756c6c00";
  const char* const deletion = "000107010001";  // the paragraph alone
  const Doc doc = doc_of({state, deletion});
  CHECK(to_hex(doc.encode()) == "010207000101017801000a010701000b");
  CHECK(doc.xml("x").empty());

  SECTION("and keeps its content without garbage collection") {
    const Doc whole = doc_of({state, deletion}, {.gc = false});
    CHECK(whole.xml("x").empty());
    CHECK(whole.encode().size() > 50);
    CHECK(whole.delete_set() == doc.delete_set());
  }
}

TEST_CASE("the largest client id travels whole", "[doc]") {
  const char* const state = "0101ffffffffffffff0f0004010174017800";
  const Doc doc = doc_of({state});
  CHECK(to_hex(doc.encode()) == state);
  CHECK(doc.state_vector().clock_of(kMaxSafeInteger) == 1);
}

TEST_CASE("a sub-document is kept as it stands", "[doc]") {
  const char* const state = "010101002901016d0164037375627601086175746f4c6f61647800";
  CHECK(to_hex(doc_of({state}).encode()) == state);
}

// "one", "two" and "three" typed one after the other, then the first letter deleted.
const char* const kOne = "0101010004010174036f6e6500";
const char* const kTwo = "010101038401020374776f00";
const char* const kThree = "0101010684010505746872656500";
const char* const kDeletion = "000101010001";

TEST_CASE("an update that comes too early waits, is handed on, and is integrated later", "[doc]") {
  Doc doc = doc_of({kOne, kThree, kDeletion});
  CHECK(doc.text("t") == "ne");
  CHECK(doc.has_pending());
  CHECK(doc.state_vector().clock_of(1) == 3);
  CHECK(to_hex(doc.encode()) == "010401000101017401840100026e650a038401050574687265650101010001");

  Doc joiner;
  const Bytes handed = doc.encode();
  const Doc::Applied applied = joiner.apply(Update::decode(handed));
  CHECK_FALSE(applied.complete);
  const Bytes two = from_hex(kTwo);
  for (Doc* one : {&doc, &joiner}) {
    CHECK(one->apply(Update::decode(two)).complete);
    CHECK(one->text("t") == "netwothree");
    CHECK_FALSE(one->has_pending());
  }
}

TEST_CASE("a deletion of what is not there yet waits for it", "[doc]") {
  Doc doc = doc_of({kTwo, kDeletion});
  CHECK(doc.has_pending());
  CHECK(to_hex(doc.encode()) == "010101038401020374776f0101010001");
  const Bytes one = from_hex(kOne);
  doc.apply(Update::decode(one));
  CHECK(doc.text("t") == "netwo");
  CHECK_FALSE(doc.has_pending());
}

TEST_CASE("applying an update again changes nothing", "[doc]") {
  Doc doc = doc_of({kOne, kTwo, kThree, kDeletion});
  const Bytes state = doc.encode();
  for (const char* hex : {kOne, kThree, kDeletion, kTwo}) {
    const Bytes bytes = from_hex(hex);
    const Update update = Update::decode(bytes);
    CHECK(doc.covers(update));
    CHECK_FALSE(doc.apply(update).changed);
  }
  CHECK(doc.encode() == state);
}

TEST_CASE("a waiting update that comes again changes nothing", "[doc]") {
  Doc doc = doc_of({kOne, kThree});
  const Bytes three = from_hex(kThree);
  const Doc::Applied applied = doc.apply(Update::decode(three));
  CHECK_FALSE(applied.changed);
  CHECK_FALSE(applied.complete);
}

TEST_CASE("what an update adds can be told from what it repeats", "[doc]") {
  Doc doc = doc_of({kOne});
  const Doc whole = doc_of({kOne, kTwo, kDeletion});
  const Bytes state = whole.encode();
  const Update update = Update::decode(state);
  const std::optional<Bytes> novel = doc.novel_part(update);
  REQUIRE(novel.has_value());
  CHECK(novel->size() < state.size());
  doc.apply(Update::decode(*novel));
  CHECK(doc.text("t") == "netwo");
  CHECK(doc.covers(update));

  const Bytes three = from_hex(kThree);
  CHECK_FALSE(doc.novel_part(Update::decode(three)).has_value());
}

TEST_CASE("a peer at a known state gets the rest only", "[doc]") {
  const Doc doc = doc_of({kOne, kTwo});
  StateVector known;
  known.set(1, 4);
  CHECK(to_hex(doc.encode_since(known)) == "0101010484010302776f00");
  known.set(1, 6);
  CHECK(to_hex(doc.encode_since(known)) == "0000");
}

TEST_CASE("the document refuses more waiting blocks than its limit", "[doc]") {
  Doc doc = doc_of({kOne});
  const Bytes three = from_hex(kThree);
  const Update waiting = Update::decode(three);
  Limits limits;
  limits.pending_bytes = three.size();
  CHECK_FALSE(doc.check(waiting, limits));
  limits.pending_bytes = three.size() - 1;
  CHECK(doc.check(waiting, limits) == Refusal::kPendingFull);

  const Bytes two = from_hex(kTwo);
  limits.pending_bytes = 0;
  CHECK_FALSE(doc.check(Update::decode(two), limits));  // waits for nothing
}

TEST_CASE("the document refuses one client more than its limit", "[doc]") {
  Doc doc = doc_of({kOne});
  const Bytes other = from_hex("0101020004010174016100");
  Limits limits;
  limits.clients = 2;
  CHECK_FALSE(doc.check(Update::decode(other), limits));
  limits.clients = 1;
  CHECK(doc.check(Update::decode(other), limits) == Refusal::kTooManyClients);
}

// A type in a type in a type …, each the child of the one before.
Bytes nested_types(std::size_t depth) {
  Writer writer;
  writer.write_var_uint(1);
  writer.write_var_uint(depth);
  writer.write_var_uint(1);  // client
  writer.write_var_uint(0);
  for (std::size_t i = 0; i < depth; ++i) {
    writer.write_byte(7);
    if (i == 0) {
      writer.write_var_uint(1);
      writer.write_var_string("x");
    } else {
      writer.write_var_uint(0);
      writer.write_var_uint(1);
      writer.write_var_uint(i - 1);
    }
    writer.write_var_uint(4);  // XmlFragment
  }
  writer.write_var_uint(0);
  return std::move(writer).take();
}

TEST_CASE("types nested deeper than the limit are refused", "[doc]") {
  Doc doc;
  Limits limits;
  limits.type_depth = 10;
  CHECK_FALSE(doc.check(Update::decode(nested_types(10)), limits));
  CHECK(doc.check(Update::decode(nested_types(11)), limits) == Refusal::kTooDeep);
}

TEST_CASE("a hundred thousand nested types neither overflow the stack nor stop deletion", "[doc]") {
  Doc doc;
  const Bytes nested = nested_types(100'000);
  doc.apply(Update::decode(nested));
  CHECK(doc.xml("x").empty());
  CHECK(doc.array("x").to_json().size() < 100);
  const Bytes deletion = from_hex("000101010001");
  doc.apply(Update::decode(deletion));
  doc.check_invariants();
  CHECK(doc.encode().size() < 30);
}

TEST_CASE("a block whose parent is no type becomes garbage, as in Yjs", "[doc]") {
  // Client 2 inserts into (1, 0), which is text.
  const Doc doc = doc_of({kOne, "0101020004000100017800"});
  CHECK(doc.text("t") == "one");
  CHECK(doc.state_vector().clock_of(2) == 1);
  CHECK(doc.delete_set().contains({2, 0}));
}

TEST_CASE("a refused update changes nothing", "[doc]") {
  Doc doc = doc_of({kOne});
  const Bytes before = doc.encode();
  // A good block, then a broken one.
  const Bytes broken = from_hex(
      "0102010384010203"
      "74776f"
      "1f00");
  CHECK_THROWS_AS(doc.apply(Update::decode(broken)), DecodeError);
  CHECK(doc.encode() == before);
}

}  // namespace
