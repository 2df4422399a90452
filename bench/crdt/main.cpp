// crdt_bench: times the CRDT on one prepared input; what peers/measure.mjs is for others.
//
// usage: crdt_bench INPUT --kind text|map|xml --cases CASE,… [--seconds S]
//   INPUT is a folder: see peers/input.mjs.
//
// Prints one line of JSON for each case when it is done: {"case", "times": [milliseconds, …]} or
// {"case": "memory", "bytes"}. With applying and loading stands how long it takes to decode the
// same bytes and no more: "decoding": [milliseconds, …], run by turns. What was made is checked;
// the exit status is 1 when it is wrong.

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "../program.hpp"
#include "crdt/any.hpp"
#include "crdt/bytes.hpp"
#include "crdt/doc.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/update.hpp"
#include "decode_limit.hpp"
#include "input.hpp"
#include "measure.hpp"

namespace palimpsest::bench {
namespace {

using crdt::Bytes;
using crdt::ByteView;
using crdt::Doc;
using crdt::StateVector;
using crdt::Update;

constexpr crdt::ClientId kAuthor = 1;

void check(bool is_right, const std::string& what) {
  if (!is_right) throw std::runtime_error("wrong result: " + what);
}

// What a server does with an update that has come in.
void receive(Doc& doc, const Update& update) {
  if (doc.check(update, {})) throw std::runtime_error("an update was refused");
  doc.apply(update);
}

Doc apply(std::span<const ByteView> updates) {
  Doc doc;
  for (const ByteView update : updates) receive(doc, Update::decode(update));
  return doc;
}

std::string content_of(const Doc& doc, Kind kind) {
  switch (kind) {
    case Kind::kText:
      return doc.text(kRoot);
    case Kind::kMap:
      return doc.map(kRoot).to_json();
    case Kind::kXml:
      return doc.xml(kRoot);
  }
  throw std::logic_error("no such kind");
}

// A document and what was read from it. Whoever measures lets go of it when the time has been
// taken.
struct Reading {
  Doc doc;
  std::string content;
};

Reading read(Doc doc, Kind kind) {
  std::string content = content_of(doc, kind);
  return {std::move(doc), std::move(content)};
}

// The cases, by name. Each answers the figures of its line.
class Bench {
 public:
  Bench(Input input, std::chrono::duration<double> budget)
      : input_(std::move(input)),
        budget_(budget),
        content_(input_.content()),
        state_(input_.state()) {}

  std::string run(const std::string& name) const {
    const auto found = kCases.find(name);
    if (found == kCases.end()) throw std::invalid_argument("no case " + name);
    return found->second(*this);
  }

 private:
  static std::string list(std::span<const double> times) {
    std::string line;
    for (const double time : times) {
      char number[32];
      std::snprintf(number, sizeof number, "%s%.6f", line.empty() ? "" : ", ", time);
      line += number;
    }
    return "[" + line + "]";
  }

  std::string times(const Run& run) const {
    return "\"times\": " + list(measure(run, nullptr, budget_).run);
  }
  std::string times_beside_decoding(const Run& run, std::span<const ByteView> updates) const {
    const Times times = measure(run, decode_only(updates), budget_);
    return "\"times\": " + list(times.run) + ", \"decoding\": " + list(times.beside);
  }

  void check_content(const Reading& reading) const {
    check(reading.content == content_, "the content");
  }

  // Of a document that `make` makes: the time until it has been read.
  Run reading(const std::function<Doc()>& make) const {
    return timed([this, make] { return read(make(), input_.kind()); },
                 [this](const Reading& reading) { check_content(reading); });
  }

  Doc load() const { return Doc::load(state_); }

  std::string apply_each() const {
    const Input::Updates updates = input_.updates();
    return times_beside_decoding(reading([&] { return apply(updates.each); }), updates.each);
  }

  std::string load_state() const {
    return times_beside_decoding(reading([&] { return load(); }), std::vector<ByteView>{state_});
  }

  std::string load_state_v2() const {
    const Bytes state = input_.state_v2();
    return times(reading([&] { return Doc::load_v2(state); }));
  }

  // As an editor does: one transaction and one update for each edit.
  std::string edit_locally() const {
    const Input::Edits edits = input_.edits();
    std::size_t update_bytes = 0;
    const auto type = [&] {
      Doc doc;
      update_bytes = 0;
      for (const Edit& edit : edits.each) {
        const Bytes update = doc.transact(kAuthor, [&](crdt::Transaction& transaction) {
          if (edit.deleted > 0) transaction.text_delete(kRoot, edit.position, edit.deleted);
          if (!edit.inserted.empty()) {
            transaction.text_insert(kRoot, edit.position, edit.inserted);
          }
        });
        update_bytes += update.size();
      }
      return read(std::move(doc), Kind::kText);
    };
    const std::size_t expected_bytes = input_.updates().bytes();
    return times(timed(type, [&](const Reading& reading) {
      check_content(reading);
      check(update_bytes == expected_bytes, "the updates are not as long as those of Yjs");
    }));
  }

  std::string encode() const {
    const Doc loaded = load();
    return times(timed([&] { return loaded.encode(); },
                       [&](const Bytes& bytes) { check(bytes == state_, "the state"); }));
  }

  std::string encode_difference() const {
    const Doc loaded = load();
    const StateVector half = StateVector::decode(input_.half());
    const Bytes difference = loaded.encode_since(half);
    check(difference.size() < state_.size(), "the difference is all there is");

    const Input::Updates updates = input_.updates();
    Doc replica = apply(std::span(updates.each).first(updates.each.size() / 2));
    check(replica.state_vector() == half, "the state vector half-way");
    receive(replica, Update::decode(difference));
    check_content(read(std::move(replica), input_.kind()));

    return times(timed([&] { return loaded.encode_since(half); },
                       [&](const Bytes& bytes) { check(bytes == difference, "the difference"); }));
  }

  std::string memory() const {
    const std::size_t before = allocated_bytes();
    Doc doc = load();
    const std::size_t bytes = allocated_bytes() - before;
    check_content(read(std::move(doc), input_.kind()));
    return "\"bytes\": " + std::to_string(bytes);
  }

  // Appends to a text that is already as long as it gets.
  static Run decode_only(std::span<const ByteView> updates) {
    const auto decode = [updates, text = std::string()]() mutable {
      text.clear();
      Decoded decoded;
      for (const ByteView update : updates) bench::decode_only(update, text, decoded);
      return decoded;
    };
    return timed(decode, [](const Decoded& decoded) {
      check(decoded.blocks > 0 && decoded.checksum > 0, "nothing was decoded");
    });
  }

  static const std::map<std::string, std::function<std::string(const Bench&)>, std::less<>> kCases;

  Input input_;
  std::chrono::duration<double> budget_;
  std::string content_;
  Bytes state_;
};

const std::map<std::string, std::function<std::string(const Bench&)>, std::less<>> Bench::kCases = {
    {"apply", &Bench::apply_each},      {"load", &Bench::load_state},
    {"load_v2", &Bench::load_state_v2}, {"local", &Bench::edit_locally},
    {"encode", &Bench::encode},         {"diff", &Bench::encode_difference},
    {"memory", &Bench::memory},
};

struct Arguments {
  std::string input;
  Kind kind = Kind::kText;
  std::vector<std::string> cases;
  double seconds = 1;
};

void add_options(CLI::App& program, Arguments& arguments) {
  const std::map<std::string, Kind> kinds = {
      {"text", Kind::kText}, {"map", Kind::kMap}, {"xml", Kind::kXml}};
  program.add_option("INPUT", arguments.input, "A folder that peers/input.mjs describes")
      ->required();
  program.add_option("--kind", arguments.kind, "How its root is read")
      ->required()
      ->type_name("text|map|xml")
      ->transform(CLI::CheckedTransformer(kinds).description(""));
  program.add_option("--cases", arguments.cases, "What to measure")->required()->delimiter(',');
  program.add_option("--seconds", arguments.seconds, "How long to try each case");
}

void run(const Arguments& arguments) {
  const Bench bench(Input(arguments.input, arguments.kind),
                    std::chrono::duration<double>(arguments.seconds));
  for (const std::string& name : arguments.cases) {
    std::printf("{\"case\": \"%s\", %s}\n", name.c_str(), bench.run(name).c_str());
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace palimpsest::bench

int main(int argc, char** argv) {
  CLI::App program("Times the CRDT on one prepared input", "crdt_bench");
  palimpsest::bench::Arguments arguments;
  palimpsest::bench::add_options(program, arguments);
  return palimpsest::bench::run_program(program, argc, argv,
                                        [&] { palimpsest::bench::run(arguments); });
}
