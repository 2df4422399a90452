// crdt_bench: times the CRDT on one prepared input; the other side of peers/yjs-bench.mjs.
//
// usage: crdt_bench INPUT [--seconds S] [--only CASE]
//   INPUT is the path of an input without its ending (lib/inputs.mjs makes them):
//   INPUT.updates  (u32 little-endian length, update)*
//   INPUT.state    all of them merged, as one update
//   INPUT.half     the state vector half-way
//   INPUT.txt      what the root "content" says in the end
//
// Prints JSON: {"times": {CASE: [milliseconds, …]}, "memory": bytes, …}. Each case is run until it
// has been tried for S seconds, after a quarter of that for warming up, and at least three times.
// What it made is checked; the exit status is 1 when it is wrong.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <malloc.h>
#include <time.h>

#include "crdt/bytes.hpp"
#include "crdt/doc.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/update.hpp"
#include "decode_limit.hpp"

namespace palimpsest::bench {
namespace {

using crdt::Bytes;
using crdt::ByteView;
using crdt::Doc;
using crdt::Update;

constexpr std::string_view kRoot = "content";
constexpr std::size_t kFewestRuns = 3;
constexpr std::size_t kMostRuns = 1'000;

struct Input {
  Bytes stream;
  std::vector<ByteView> updates;  // in `stream`
  Bytes state;
  crdt::StateVector half;
  std::string text;
};

Bytes read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " cannot be read");
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

std::vector<ByteView> split_stream(ByteView stream) {
  std::vector<ByteView> updates;
  while (!stream.empty()) {
    std::uint32_t length = 0;
    if (stream.size() < sizeof length) throw std::runtime_error("a length is cut off");
    std::memcpy(&length, stream.data(), sizeof length);
    stream = stream.subspan(sizeof length);
    if (stream.size() < length) throw std::runtime_error("an update is cut off");
    updates.push_back(stream.first(length));
    stream = stream.subspan(length);
  }
  return updates;
}

Input read_input(const std::string& path) {
  Input input;
  input.stream = read_file(path + ".updates");
  input.updates = split_stream(input.stream);
  input.state = read_file(path + ".state");
  input.half = crdt::StateVector::decode(read_file(path + ".half"));
  const Bytes text = read_file(path + ".txt");
  input.text.assign(text.begin(), text.end());
  return input;
}

void check(bool is_right, const std::string& what) {
  if (!is_right) throw std::runtime_error("wrong result: " + what);
}

// Bytes that the program holds by malloc.
std::size_t allocated_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// What a server does with an update that has come in.
void receive(Doc& doc, ByteView bytes, const crdt::Limits& limits) {
  const Update update = Update::decode(bytes);
  if (doc.check(update, limits)) throw std::runtime_error("an update was refused");
  doc.apply(update);
}

// A document and what was read from it. Whoever measures lets go of it when the time has been
// taken.
struct Reading {
  Doc doc;
  std::string text;
};

Reading read(Doc doc) {
  std::string text = doc.text(kRoot);
  return {std::move(doc), std::move(text)};
}

Doc apply(std::span<const ByteView> updates) {
  Doc doc;
  for (const ByteView update : updates) receive(doc, update, {});
  return doc;
}

// What a replica half-way lacks, after checking that it makes that replica complete.
Bytes checked_difference(const Input& input, const Doc& loaded) {
  Bytes difference = loaded.encode_since(input.half);
  check(difference.size() < input.state.size(), "the difference is all there is");
  Doc half = apply(std::span(input.updates).first(input.updates.size() / 2));
  check(half.state_vector() == input.half, "the state vector half-way");
  receive(half, difference, {});
  check(half.text(kRoot) == input.text, "the text after the difference");
  return difference;
}

using Milliseconds = std::chrono::duration<double, std::milli>;

// Of this process: what else runs on its core does not count. Alone there, it is the time that goes
// by.
Milliseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

using Case = std::function<Milliseconds()>;

// Times `work`, which answers a value; `verify` looks at that, untimed.
template <class Work, class Verify>
Case timed(Work work, Verify verify) {
  return [=]() mutable {
    const Milliseconds begin = processor_time();
    const auto result = work();
    const Milliseconds time = processor_time() - begin;
    verify(result);
    return time;
  };
}

// The decode-only loop over updates, which appends to a text that is already as long as it gets.
template <class Updates>
Case decoding(const Updates& updates) {
  const auto decode = [&updates, text = std::string()]() mutable {
    text.clear();
    Decoded decoded;
    for (const ByteView update : updates) decode_only(update, text, decoded);
    return decoded;
  };
  return timed(decode, [](const Decoded& decoded) {
    check(decoded.blocks > 0 && decoded.checksum > 0, "nothing was decoded");
  });
}

// All but the memory of `input`, `states` (its state alone), `loaded` and `difference` is their
// own.
std::vector<std::pair<std::string, Case>> cases(const Input& input,
                                                const std::vector<ByteView>& states,
                                                const Doc& loaded, const Bytes& difference) {
  const auto has_text = [&](const Reading& reading) {
    check(reading.text == input.text, "the text");
  };
  const auto is_state = [&](const Bytes& bytes) { check(bytes == input.state, "the state"); };
  const auto is_difference = [&](const Bytes& bytes) { check(bytes == difference, "difference"); };

  return {
      {"apply", timed([&] { return read(apply(input.updates)); }, has_text)},
      {"load", timed([&] { return read(apply(states)); }, has_text)},
      {"encode", timed([&] { return loaded.encode(); }, is_state)},
      {"diff", timed([&] { return loaded.encode_since(input.half); }, is_difference)},
      {"decode_updates", decoding(input.updates)},
      {"decode_state", decoding(states)},
  };
}

std::vector<double> measure(const Case& run, std::chrono::duration<double> budget) {
  using Clock = std::chrono::steady_clock;
  const auto warm_at = Clock::now() + budget / 4;
  do run();
  while (Clock::now() < warm_at);

  std::vector<double> times;
  const auto done_at = Clock::now() + budget;
  while (times.size() < kFewestRuns || (Clock::now() < done_at && times.size() < kMostRuns)) {
    times.push_back(run().count());
  }
  return times;
}

std::size_t memory_of(std::span<const ByteView> states) {
  const std::size_t before = allocated_bytes();
  const Doc doc = apply(states);
  return allocated_bytes() - before;
}

void print(const std::vector<std::pair<std::string, std::vector<double>>>& times,
           const Input& input, std::size_t memory) {
  std::printf("{\"updates\": %zu, \"update_bytes\": %zu, \"state_bytes\": %zu, \"memory\": %zu, ",
              input.updates.size(), input.stream.size() - 4 * input.updates.size(),
              input.state.size(), memory);
  std::printf("\"times\": {");
  for (std::size_t i = 0; i < times.size(); ++i) {
    std::printf("%s\"%s\": [", i == 0 ? "" : ", ", times[i].first.c_str());
    for (std::size_t j = 0; j < times[i].second.size(); ++j) {
      std::printf("%s%.6f", j == 0 ? "" : ", ", times[i].second[j]);
    }
    std::printf("]");
  }
  std::printf("}}\n");
}

struct Arguments {
  std::string input;
  std::chrono::duration<double> budget{2};
  std::string only;
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto value = [&] {
      if (++i == words.size()) throw std::invalid_argument(words[i - 1] + " needs a value");
      return words[i];
    };
    if (words[i] == "--seconds") {
      arguments.budget = std::chrono::duration<double>(std::stod(value()));
    } else if (words[i] == "--only") {
      arguments.only = value();
    } else if (arguments.input.empty()) {
      arguments.input = words[i];
    } else {
      throw std::invalid_argument("unknown argument " + words[i]);
    }
  }
  if (arguments.input.empty()) throw std::invalid_argument("an input is needed");
  return arguments;
}

void run(const Arguments& arguments) {
  const Input input = read_input(arguments.input);
  const std::vector<ByteView> states = {input.state};
  const std::size_t memory = memory_of(states);
  const Doc loaded = apply(states);
  const Bytes difference = checked_difference(input, loaded);

  std::vector<std::pair<std::string, std::vector<double>>> times;
  for (const auto& [name, run_once] : cases(input, states, loaded, difference)) {
    if (!arguments.only.empty() && arguments.only != name) continue;
    times.emplace_back(name, measure(run_once, arguments.budget));
  }
  print(times, input, memory);
}

}  // namespace
}  // namespace palimpsest::bench

int main(int argc, char** argv) {
  try {
    palimpsest::bench::run(palimpsest::bench::parse({argv + 1, argv + argc}));
    return EXIT_SUCCESS;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "crdt_bench: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crdt_bench: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
