#include "crdt/touched.hpp"

#include "crdt/doc.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::from_hex;
using palimpsest::testing::Replica;

using Roots = std::vector<std::string>;

Touched touched(const Doc& doc, const Bytes& update) {
  return doc.touched_by(Update::decode(update));
}

TEST_CASE("an update says under which roots it writes before it is applied", "[touched]") {
  Replica author(1);
  Doc doc;
  const Bytes first = author.change([](Transaction& t) {
    t.text_insert("t", 0, "one");
    t.map_set("m", "k", 1);
  });
  CHECK(touched(doc, first).roots == Roots{"m", "t"});
  CHECK_FALSE(touched(doc, first).only("t"));
  CHECK(doc.text("t").empty());

  // Without a parent written in it: the document knows what stands beside.
  const Bytes second = author.insert(3, " two");
  CHECK(touched(doc, second).unknown_roots);
  CHECK_FALSE(touched(doc, second).only("t"));
  doc.apply(Update::decode(first));
  CHECK(touched(doc, second).only("t"));
  CHECK(touched(doc, author.set("k", 2)).only("m"));
}

TEST_CASE("an update says whose content it brings, and where from", "[touched]") {
  Replica author(7);
  Doc doc;
  const Bytes first = author.insert(0, "one");
  doc.apply(Update::decode(first));
  author.insert(3, "😀");
  const Touched all = touched(doc, author.doc().encode());
  CHECK(all.content == std::vector<Touched::Content>{{7, 3, 5, 1}});
  CHECK(all.deletions.empty());
  CHECK(all.size_bytes == author.doc().encode().size());
  CHECK(all.only("t"));
}

TEST_CASE("what the document has already is not touched again", "[touched]") {
  Replica author(1);
  author.insert(0, "one two");
  author.erase(0, 4);
  CHECK(touched(author.doc(), author.doc().encode()).nothing());
  CHECK(touched(author.doc(), author.doc().encode()).roots.empty());
}

TEST_CASE("a deletion touches the root that it deletes from", "[touched]") {
  Replica author(1);
  Doc doc;
  doc.apply(Update::decode(author.insert(0, "one two")));
  doc.apply(Update::decode(author.set("k", 1)));
  const Bytes deletion = author.erase(2, 3);
  CHECK(touched(doc, deletion).only("t"));
  CHECK(touched(doc, deletion).deletions.clients().at(1) == DeleteSet::Ranges{{2, 3}});
  CHECK(touched(Doc(), deletion).unknown_roots);
  doc.apply(Update::decode(deletion));
  CHECK(touched(doc, deletion).nothing());
}

TEST_CASE("what is nested belongs to the root around it", "[touched]") {
  // Types in types under "x", the child of each the next.
  Replica author(1);
  Id inner{};
  const Bytes outer = author.change(
      [&](Transaction& t) { inner = t.map_set("x", "nested", NewType{SharedType::kMap}); });
  const Bytes value = author.change([&](Transaction& t) { t.map_set(inner, "k", 1); });
  Doc doc;
  CHECK(touched(doc, value).unknown_roots);
  CHECK(touched(doc, author.doc().encode()).only("x"));
  doc.apply(Update::decode(outer));
  CHECK(touched(doc, value).only("x"));
}

TEST_CASE("references in a circle lead nowhere", "[touched]") {
  // (1, 0) stands behind (2, 0) and (2, 0) behind (1, 0).
  const Bytes circle = from_hex(
      "0201020084010001610101008402000161"
      "00");
  const Touched answer = touched(Doc(), circle);
  CHECK(answer.unknown_roots);
  CHECK(answer.content.size() == 2);
}

TEST_CASE("what hangs on collected blocks touches nothing", "[touched]") {
  // A GC block of client 1, and a letter of client 2 behind it.
  const Bytes update = from_hex(
      "02"
      "0102008401000161"
      "0101000001"
      "00");
  CHECK(touched(Doc(), update).only("anything"));
  CHECK(touched(Doc(), update).content.size() == 2);
}

}  // namespace
