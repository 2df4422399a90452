#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"

namespace palimpsest::testing {

// What came of taking an update in.
struct Outcome {
  std::string refusal;
  std::string content;
  crdt::Bytes state;
  bool has_pending = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

template <class Make>
Outcome outcome_of(Make&& make) {
  Outcome outcome;
  try {
    const crdt::Doc doc = make();
    doc.check_invariants();
    outcome.state = doc.encode();
    outcome.has_pending = doc.has_pending();
    std::vector<std::string> roots = doc.root_names();
    std::sort(roots.begin(), roots.end());
    for (const std::string& root : roots) {
      outcome.content += doc.delta(root).to_json() + doc.array(root).to_json() +
                         doc.map(root).to_json() + doc.xml(root);
    }
  } catch (const crdt::DecodeError& error) {
    outcome.refusal = error.what();
  }
  return outcome;
}

inline void check_same(const Outcome& loaded, const Outcome& applied) {
  if (loaded == applied) return;
  throw std::logic_error("loaded: " + loaded.refusal + loaded.content +
                         "\napplied: " + applied.refusal + applied.content);
}

// What comes of applying an update to a new document.
template <class Decode>
Outcome outcome_of_applying(Decode&& decode) {
  return outcome_of([&] {
    crdt::Doc doc;
    doc.apply(decode());
    return doc;
  });
}

// Throws where loading an update in v2 as a state does not end as applying it to a new document
// does: in the same document, but for the order of its roots, or with the same refusal.
inline void check_loading_v2(crdt::ByteView update) {
  check_same(outcome_of([&] { return crdt::Doc::load_v2(update); }),
             outcome_of_applying([&] { return crdt::Update::decode_v2(update); }));
}

// The same for an update in v1, and for what it is in v2.
inline void check_loading(crdt::ByteView update) {
  const Outcome applied = outcome_of_applying([&] { return crdt::Update::decode(update); });
  check_same(outcome_of([&] { return crdt::Doc::load(update); }), applied);
  if (applied.refusal.empty()) check_loading_v2(crdt::update_v2_from_v1(update));
}

}  // namespace palimpsest::testing
