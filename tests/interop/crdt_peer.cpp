// A replica for the tests that compare with real Yjs: what the command line has no words for.
//
// Reads a JSON array of requests per line and answers with an array of results, one per request, in
// one line. Bytes are hex; a type is the name of a root or [client, clock]. A request that throws
// is answered with {"error": what}.
#include <iostream>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "support/hex.hpp"

namespace {

using namespace palimpsest::crdt;
using nlohmann::json;
using palimpsest::testing::from_hex;
using palimpsest::testing::to_hex;

Id to_id(const json& id) { return {id.at(0).get<ClientId>(), id.at(1).get<Clock>()}; }
json from_id(Id id) { return {id.client, id.clock}; }

// Borrows the name from the request.
TypeRef to_type(const json& type) {
  if (type.is_array()) return to_id(type);
  return TypeRef(type.get_ref<const std::string&>());
}

// Borrows the name from the request.
NewType to_new_type(const json& type) {
  static const std::map<std::string, SharedType> kKinds{
      {"Array", SharedType::kArray},     {"Map", SharedType::kMap},
      {"Text", SharedType::kText},       {"XmlElement", SharedType::kXmlElement},
      {"XmlText", SharedType::kXmlText}, {"XmlFragment", SharedType::kXmlFragment},
      {"XmlHook", SharedType::kXmlHook},
  };
  NewType made{kKinds.at(type.at("type"))};
  if (type.contains("name")) made.name = type.at("name").get_ref<const std::string&>();
  return made;
}

Any to_any(const json& value) { return Any::from_json(value.dump()); }

class Peer {
 public:
  json answer(const json& request) {
    const std::string what = request.at("do");
    if (what == "open") return open(request);
    Doc& doc = docs_.at(request.at("doc"));
    if (what == "apply") return apply(doc, request);
    if (what == "encode") return to_hex(doc.encode());
    if (what == "snapshot") return to_hex(doc.snapshot().encode());
    if (what == "at") {
      docs_.insert_or_assign(request.at("as").get<int>(), doc.at(to_snapshot(request)));
      return nullptr;
    }
    if (what == "read") return read(doc, request);
    if (what == "position") return position(doc, request);
    if (what == "resolve") return resolve(doc, request);
    if (what == "change") return change(doc, request);
    throw std::invalid_argument("no such request: " + what);
  }

 private:
  json open(const json& request) {
    docs_.insert_or_assign(request.at("doc").get<int>(), Doc({.gc = request.value("gc", true)}));
    return nullptr;
  }

  // With "note" what it changes is added to the set of that name.
  json apply(Doc& doc, const json& request) {
    const Snapshot before = doc.snapshot();
    const Bytes update = from_hex(request.at("update").get<std::string>());
    doc.apply(Update::decode(update));
    doc.check_invariants();
    if (request.contains("note")) {
      noted_[request.at("note")].add(doc.changes_since(before));
    }
    return nullptr;
  }

  static Snapshot to_snapshot(const json& request) {
    return Snapshot::decode(from_hex(request.at("snapshot").get<std::string>()));
  }

  static json read(const Doc& doc, const json& request) {
    const TypeRef type = to_type(request.at("type"));
    const std::string as = request.at("as");
    if (as == "text") return doc.text(type);
    if (as == "xml") return doc.xml(type);
    if (as == "delta") return json::parse(doc.delta(type).to_json());
    if (as == "array") return json::parse(doc.array(type).to_json());
    return json::parse(doc.map(type).to_json());
  }

  static json position(const Doc& doc, const json& request) {
    const auto position = doc.relative_position(to_type(request.at("type")), request.at("index"),
                                                request.at("assoc"));
    return position ? json(to_hex(position->encode())) : json();
  }

  static json resolve(const Doc& doc, const json& request) {
    const auto place =
        doc.resolve(RelativePosition::decode(from_hex(request.at("position").get<std::string>())));
    if (!place) return nullptr;
    const auto* const root = std::get_if<std::string>(&place->of);
    return {{"type", root != nullptr ? json(*root) : from_id(std::get<Id>(place->of))},
            {"index", place->index}};
  }

  // {"client", "calls": [[name, arguments…]…]}: answers the update and what each call answered. A
  // type may be {"made": n}, the one that call n made.
  json change(Doc& doc, const json& request) {
    json results = json::array();
    const Bytes update = doc.transact(request.at("client").get<ClientId>(), [&](Transaction& t) {
      for (json call : request.at("calls")) {
        if (call.size() > 1 && call[1].is_object())
          call[1] = results.at(call[1].at("made").get<std::size_t>());
        results.push_back(run(t, call));
      }
    });
    doc.check_invariants();
    return {{"update", to_hex(update)}, {"results", results}};
  }

  json run(Transaction& t, const json& call) {
    const std::string name = call.at(0);
    if (name == "undo") return from_undone(t.undo(noted_[call.at(1)]));
    if (name == "restore") {
      return from_undone(t.restore(Snapshot::decode(from_hex(call.at(1).get<std::string>()))));
    }
    const TypeRef type = to_type(call.at(1));
    const auto at = [&](std::size_t i) { return call.at(i).get<std::size_t>(); };
    const auto text = [&](std::size_t i) { return call.at(i).get<std::string>(); };
    if (name == "text_insert" && call.size() > 4) {
      t.text_insert(type, at(2), text(3), to_any(call.at(4)));
    } else if (name == "text_insert") {
      t.text_insert(type, at(2), text(3));
    } else if (name == "text_embed") {
      t.text_embed(type, at(2), to_any(call.at(3)), to_any(call.at(4)));
    } else if (name == "text_delete") {
      t.text_delete(type, at(2), at(3));
    } else if (name == "text_format") {
      t.text_format(type, at(2), at(3), to_any(call.at(4)));
    } else if (name == "text_apply") {
      t.text_apply(type, to_any(call.at(2)));
    } else if (name == "array_insert") {
      t.array_insert(type, at(2), *to_any(call.at(3)).get_if<Any::Array>());
    } else if (name == "array_insert_type") {
      return from_id(t.array_insert(type, at(2), to_new_type(call.at(3))));
    } else if (name == "array_delete") {
      t.array_delete(type, at(2), at(3));
    } else if (name == "map_set") {
      t.map_set(type, text(2), to_any(call.at(3)));
    } else if (name == "map_set_type") {
      return from_id(t.map_set(type, text(2), to_new_type(call.at(3))));
    } else if (name == "map_delete") {
      t.map_delete(type, text(2));
    } else {
      throw std::invalid_argument("no such call: " + name);
    }
    return nullptr;
  }

  static json from_undone(const Undone& undone) {
    return {{"deleted", undone.deleted},
            {"restored", undone.restored},
            {"collected", undone.collected},
            {"superseded", undone.superseded},
            {"homeless", undone.homeless}};
  }

  std::map<int, Doc> docs_;
  std::map<std::string, ChangeSet> noted_;
};

}  // namespace

int main() {
  Peer peer;
  for (std::string line; std::getline(std::cin, line);) {
    json answers = json::array();
    for (const json& request : json::parse(line)) {
      try {
        answers.push_back(peer.answer(request));
      } catch (const std::exception& error) {
        answers.push_back({{"error", error.what()}});
      }
    }
    std::cout << answers.dump() << std::endl;
  }
  return 0;
}
