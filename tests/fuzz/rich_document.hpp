#pragma once

#include "crdt/doc.hpp"

namespace palimpsest::testing {

// The state of a small document by two clients, 1 and 2, with something of every kind in it,
// visible, deleted and overwritten.
inline crdt::Bytes rich_document() {
  using namespace crdt;
  Doc doc({.gc = false});
  doc.transact(1, [](Transaction& t) {
    t.text_insert("t", 0, "some text 😀 with a pair");
    t.text_format("t", 2, 9, Any(Any::Object{{"bold", true}}));
    t.text_embed("t", 4, Any(Any::Object{{"image", "x"}}));
    const Id list = t.map_set("m", "list", NewType{SharedType::kArray});
    t.array_insert(list, 0, {1, 2, "three", Bytes{4}});
    t.map_set(t.array_insert(list, 2, NewType{SharedType::kMap}), "deep", true);
    const Id p = t.array_insert("x", 0, NewType{SharedType::kXmlElement, "p"});
    t.map_set(p, "class", "lead");
    t.text_insert(t.array_insert(p, 0, NewType{SharedType::kXmlText}), 0, "words");
  });
  doc.transact(2, [&](Transaction& t) {
    t.text_delete("t", 3, 12);
    t.text_insert("t", 3, "new");
    t.map_set("m", "k", 1);
    t.map_set("m", "k", 2);
    t.array_delete(*doc.nested("m", "list"), 1, 2);
    t.array_delete("x", 0, 1);
  });
  doc.transact(1, [](Transaction& t) {
    t.map_delete("m", "list");
    t.text_insert("t", 0, "more ");
  });
  return doc.encode();
}

}  // namespace palimpsest::testing
