#pragma once

#include <string>
#include <string_view>

#include "crdt/doc.hpp"
#include "crdt/update.hpp"

namespace palimpsest::testing {

// An update by a client of its own, which writes `text` into the root "t". Those of rising numbers
// put their texts one behind the other: concurrent insertions stand in the order of their clients.
inline crdt::Bytes update_of(crdt::ClientId number, std::string_view text) {
  if (text.empty()) return {0, 0};  // no clients, no deletions
  crdt::Doc doc;
  return doc.transact(number, [&](crdt::Transaction& t) { t.text_insert("t", 0, text); });
}

// What an update_of() writes, or several of them merged.
inline std::string text_of(crdt::ByteView update) { return crdt::Doc::load(update).text("t"); }

// The state that a log of update_of() comes to: what a checkpoint has in it.
class Merged {
 public:
  Merged& add(crdt::ClientId number, std::string_view text) {
    doc_.apply(crdt::Update::decode(update_of(number, text)));
    return *this;
  }
  crdt::Bytes state() const { return doc_.encode(); }

 private:
  crdt::Doc doc_;
};

}  // namespace palimpsest::testing
