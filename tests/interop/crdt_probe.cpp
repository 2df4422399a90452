// usage: crdt_probe QUESTION FILE [ARGUMENT…]
//
// Answers a question about the updates in FILE, (u32 little-endian length, update)*, a line each:
//
//   events FILE ROOT…   what each update changed, as JSON; the roots named are texts
//   states FILE         the whole document behind each update, as hex
//   merge FILE          all updates merged, as hex
//   differences FILE    the difference of each update to the state before its last block, as hex
//   vectors FILE        the state vector of each update, as hex

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/events.hpp"
#include "crdt/merge.hpp"
#include "support/loading.hpp"

namespace {

using namespace palimpsest::crdt;

std::vector<Bytes> read_updates(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string(path) + " can't be read");
  const Bytes bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<Bytes> updates;
  for (std::size_t at = 0; at + 4 <= bytes.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length |= std::size_t{bytes[at + i]} << (8 * i);
    at += 4;
    if (length > bytes.size() - at) throw std::runtime_error("the file ends inside an update");
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    updates.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(length));
    at += length;
  }
  return updates;
}

void print_hex(const Bytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  std::cout << hex << '\n';
}

Any to_any(const DeltaStep& step) {
  Any::Object object;
  switch (step.action) {
    case DeltaStep::Action::kRetain:
      object.emplace_back("retain", static_cast<double>(step.length));
      break;
    case DeltaStep::Action::kDelete:
      object.emplace_back("delete", static_cast<double>(step.length));
      break;
    case DeltaStep::Action::kInsert: {
      if (step.values.empty()) {
        object.emplace_back("insert", Any(step.text));
        break;
      }
      Any::Array values;
      for (const EventValue& value : step.values) values.push_back(value.value);
      object.emplace_back("insert", Any(std::move(values)));
    }
  }
  if (!step.attributes.empty()) object.emplace_back("attributes", Any(step.attributes));
  return Any(std::move(object));
}

// In JSON, undefined members are left out.
Any null_if_undefined(const Any& value) {
  return value.get_if<Any::Undefined>() != nullptr ? Any(Any::Null{}) : value;
}

Any to_any(const KeyChange& change) {
  const char* const action = change.action == KeyChange::Action::kAdd      ? "add"
                             : change.action == KeyChange::Action::kUpdate ? "update"
                                                                           : "delete";
  return Any(Any::Object{{"action", action},
                         {"before", null_if_undefined(change.before.value)},
                         {"after", null_if_undefined(change.after.value)}});
}

Any to_any(const TypeEvent& event) {
  Any::Array path;
  for (const TypeEvent::Step& step : event.path) {
    const auto* const key = std::get_if<std::string>(&step);
    path.push_back(key != nullptr ? Any(*key)
                                  : Any(static_cast<double>(std::get<std::uint64_t>(step))));
  }
  Any::Array delta;
  for (const DeltaStep& step : event.delta) delta.push_back(to_any(step));
  Any::Object keys;
  for (const KeyChange& change : event.keys) keys.emplace_back(change.key, to_any(change));
  return Any(Any::Object{{"root", event.root},
                         {"path", Any(std::move(path))},
                         {"isText", event.is_text},
                         {"delta", Any(std::move(delta))},
                         {"keys", Any(std::move(keys))}});
}

void print_events(const std::vector<Bytes>& updates, const std::vector<std::string>& text_roots) {
  Doc doc({.clean_formatting = true});
  for (const Bytes& update : updates) {
    Events events;
    doc.apply(Update::decode(update), events, text_roots);
    Any::Array list;
    for (const TypeEvent& event : events) list.push_back(to_any(event));
    std::cout << Any(std::move(list)).to_json() << '\n';
  }
}

void print_states(const std::vector<Bytes>& updates) {
  Doc doc({.clean_formatting = true});
  for (const Bytes& update : updates) {
    doc.apply(Update::decode(update));
    doc.check_invariants();
    const Bytes state = doc.encode();
    palimpsest::testing::check_loading(state);
    palimpsest::testing::check_loading(update);
    print_hex(state);
  }
}

// The first is the state of a document; behind it each of the others alone: what the document is
// then, or "refused".
void print_taken(const std::vector<Bytes>& updates) {
  const Bytes& base = updates.at(0);
  for (std::size_t i = 1; i < updates.size(); ++i) {
    try {
      Doc doc = Doc::load(base);
      doc.apply(Update::decode(updates[i]));
      doc.check_invariants();
      print_hex(doc.encode());
    } catch (const DecodeError&) {
      std::cout << "refused\n";
    }
  }
}

void print_differences(const std::vector<Bytes>& updates) {
  for (const Bytes& update : updates) {
    StateVector known;
    for (const Update::Authored& part : Update::decode(update).authored()) {
      known.set(part.client, part.end - 1);
    }
    print_hex(diff_update(update, known));
  }
}

void answer(const std::string& question, const std::vector<Bytes>& updates,
            const std::vector<std::string>& arguments) {
  if (question == "events") return print_events(updates, arguments);
  if (question == "states") return print_states(updates);
  if (question == "merge") {
    return print_hex(merge_updates(std::vector<ByteView>(updates.begin(), updates.end())));
  }
  if (question == "taken") return print_taken(updates);
  if (question == "differences") return print_differences(updates);
  if (question == "vectors") {
    for (const Bytes& update : updates) print_hex(state_vector_of(update).encode());
    return;
  }
  throw std::runtime_error("no such question: " + question);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 3) throw std::runtime_error("usage: crdt_probe QUESTION FILE [ARGUMENT…]");
    answer(argv[1], read_updates(argv[2]), {argv + 3, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
