#include <new>
#include <optional>

#include "crdt/awareness.hpp"
#include "crdt/doc.hpp"
#include "crdt/events.hpp"
#include "crdt/merge.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::AllocationPeak;
using palimpsest::testing::from_hex;

constexpr std::size_t kMessageBytes = 1024;
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

// All that a server does with an update from outside, and the reading of what came of it.
void take(const Bytes& bytes) {
  Doc doc;
  try {
    const Update update = Update::decode(bytes);
    doc.touched_by(update);
    if (doc.check(update, Limits{})) return;
    doc.novel_part(update);
    Events events;
    doc.apply(update, events);
    doc.apply(update);
    doc.covers(update);
    merge_updates(std::vector<ByteView>{bytes, bytes});
    diff_update(bytes, doc.state_vector());
    const Bytes state = doc.encode();
    for (const std::string& root : doc.root_names()) {
      doc.text(root), doc.delta(root), doc.array(root), doc.map(root), doc.xml(root);
    }
  } catch (const DecodeError&) {
  }
}

std::size_t peak_of_taking(const Bytes& bytes) {
  const AllocationPeak peak;
  take(bytes);
  return peak.bytes();
}

// An update whose blocks fill a message: `write(writer, i)` writes the i-th. One client, or each
// block one of its own.
template <class WriteBlock>
Bytes full_update(bool many_clients, WriteBlock&& write) {
  Writer blocks;
  std::uint64_t count = 0;
  while (blocks.size() + 16 < kMessageBytes) {
    if (many_clients) {
      blocks.write_var_uint(1);
      blocks.write_var_uint(count + 1);
      blocks.write_var_uint(0);
    }
    write(blocks, count++);
  }
  Writer update;
  update.write_var_uint(many_clients ? count : 1);
  if (!many_clients) {
    update.write_var_uint(count);
    update.write_var_uint(1);
    update.write_var_uint(0);
  }
  update.write_bytes(blocks.view());
  update.write_var_uint(0);
  return std::move(update).take();
}

void write_in_root(Writer& writer, std::uint8_t kind) {
  writer.write_byte(kind);
  writer.write_var_uint(1);
  writer.write_var_string("r");
}

TEST_CASE("F12: memory that runs out is thrown, leaks nothing, and what was decoded is whole",
          "[hostile]") {
  using palimpsest::testing::AllocationFault;
  Doc doc;
  for (ClientId client = 1; client <= 5; ++client) {
    doc.transact(client, [&](Transaction& t) {
      t.text_insert("t", client / 2, "some words \U0001F600");
      t.map_set("m", "key", Any(std::string(40, 'v')));
    });
    doc.transact(client, [](Transaction& t) { t.text_delete("t", 1, 3); });
  }
  const Bytes state = doc.encode();
  const Bytes half = doc.encode_since(doc.state_vector());
  std::size_t runs = 0;
  for (bool has_struck = true; has_struck; ++runs) {
    Doc replica = Doc::load(half);
    std::optional<Update> update;
    Bytes encoded;
    {
      const AllocationFault fault(runs, false);
      try {
        update = Update::decode(state);
        replica.apply(*update);
        encoded = replica.encode();
        Doc::load(state).encode();
      } catch (const std::bad_alloc&) {
      }
      has_struck = fault.has_struck();
    }
    if (!update) continue;
    Doc other;
    other.apply(*update);
    CHECK(other.encode() == state);
    if (!encoded.empty()) CHECK(encoded == state);
  }
  CHECK(runs > 20);
}

TEST_CASE("no update of a kilobyte takes a megabyte", "[hostile]") {
  const bool many_clients = GENERATE(false, true);
  const auto [what, write] =
      GENERATE(table<std::string, void (*)(Writer&, std::uint64_t)>({
          {"collected blocks", [](Writer& w, std::uint64_t) { w.write_bytes(from_hex("0001")); }},
          {"collected blocks of 2^31",
           [](Writer& w, std::uint64_t) {
             w.write_byte(0);
             w.write_var_uint(std::uint64_t{1} << 31);
           }},
          {"gaps", [](Writer& w, std::uint64_t) { w.write_bytes(from_hex("0a01")); }},
          {"blocks of nothing", [](Writer& w, std::uint64_t) { w.write_bytes(from_hex("0000")); }},
          {"deleted items",
           [](Writer& w, std::uint64_t) {
             write_in_root(w, 1);
             w.write_var_uint(1);
           }},
          {"shared types",
           [](Writer& w, std::uint64_t) {
             write_in_root(w, 7);
             w.write_var_uint(1);
           }},
          {"shared types in each other",
           [](Writer& w, std::uint64_t i) {
             if (i == 0) {
               write_in_root(w, 7);
             } else {
               w.write_byte(7);
               w.write_var_uint(0);
               w.write_var_uint(1);
               w.write_var_uint(i - 1);
             }
             w.write_var_uint(1);
           }},
          {"roots",
           [](Writer& w, std::uint64_t i) {
             w.write_byte(1);
             w.write_var_uint(1);
             w.write_var_string(std::to_string(i));
             w.write_var_uint(1);
           }},
          {"keys of one map",
           [](Writer& w, std::uint64_t i) {
             write_in_root(w, 8 | 0x20);
             w.write_var_string(std::to_string(i));
             w.write_bytes(from_hex("017e"));
           }},
          {"letters that wait for what never comes",
           [](Writer& w, std::uint64_t i) {
             w.write_byte(4 | 0x80);
             w.write_var_uint(100'000 + i);
             w.write_var_uint(0);
             w.write_var_string("x");
           }},
      }));
  INFO(what << (many_clients ? ", a client each" : ", of one client"));
  CHECK(peak_of_taking(full_update(many_clients, write)) < kMostBytes);
}

TEST_CASE("no value of a kilobyte takes a megabyte", "[hostile]") {
  Writer arrays;   // [[], [], …] as one value
  Writer objects;  // {"": {}, …}
  arrays.write_byte(117), arrays.write_var_uint(400);
  objects.write_byte(118), objects.write_var_uint(300);
  for (int i = 0; i < 400; ++i) arrays.write_bytes(from_hex("7500"));
  for (int i = 0; i < 300; ++i) objects.write_bytes(from_hex("007600"));
  std::string deep;
  for (int i = 0; i < 400; ++i) deep += "\x75\x01";
  deep += "\x7e";
  for (const ByteView value :
       {arrays.view(), objects.view(),
        ByteView(reinterpret_cast<const std::uint8_t*>(deep.data()), deep.size())}) {
    Writer update;
    update.write_bytes(from_hex("01010100"));
    write_in_root(update, 8);
    update.write_var_uint(1);
    update.write_bytes(value);
    update.write_var_uint(0);
    CHECK(peak_of_taking(std::move(update).take()) < kMostBytes);
  }
}

TEST_CASE("a count that the bytes can't hold allocates next to nothing", "[hostile]") {
  constexpr std::size_t kNextToNothing = 4096;
  const auto [what, hex] = GENERATE(table<std::string, std::string>({
      {"clients", "ffffffff0700"},
      {"blocks", "01ffffffff07010000"},
      {"clients with deletions", "00ffffffff07"},
      {"deletions", "000101ffffffff07"},
      {"values", "0101010008010174ffffffff0700"},
      {"members of an array", "01010100080101740175ffffffff0700"},
  }));
  INFO(what);
  const Bytes bytes = from_hex(hex);
  const AllocationPeak peak;
  CHECK_THROWS_AS(Update::decode(bytes), DecodeError);
  CHECK(peak.bytes() < kNextToNothing);
}

TEST_CASE("a state vector or awareness of 2^31 clients is refused for its five bytes",
          "[hostile]") {
  const Bytes bytes = from_hex("ffffffff07");
  const AllocationPeak peak;
  CHECK_THROWS_AS(StateVector::decode(bytes), DecodeError);
  CHECK_THROWS_AS(decode_awareness(bytes), DecodeError);
  CHECK(peak.bytes() < 4096);
}

TEST_CASE("a number of more than 53 bits, or without an end, is refused", "[hostile]") {
  const char* const hex = GENERATE("8080808080808080808001", "ffffffffffffff1f", "ffffffff", "");
  const Bytes bytes = from_hex(hex);
  Reader reader(bytes);
  CHECK_THROWS_AS(reader.read_var_uint(), DecodeError);
}

TEST_CASE("values nested deeper than JavaScript can read are refused, not followed", "[hostile]") {
  constexpr std::size_t kDeep = 200'000;
  std::string any;
  for (std::size_t i = 0; i < kDeep; ++i) any += "\x75\x01";
  any += "\x7e";
  const std::string json = std::string(kDeep, '[') + std::string(kDeep, ']');

  Writer values;
  values.write_bytes(from_hex("01010100"));
  write_in_root(values, 8);
  values.write_var_uint(1);
  values.write_bytes(any);
  values.write_var_uint(0);
  CHECK_THROWS_AS(Update::decode(values.view()), DecodeError);

  Writer embed;
  embed.write_bytes(from_hex("01010100"));
  write_in_root(embed, 5);
  embed.write_var_string(json);
  embed.write_var_uint(0);
  CHECK_THROWS_AS(Update::decode(embed.view()), DecodeError);
}

TEST_CASE("half a surrogate pair in UTF-8 is refused", "[hostile]") {
  // U+D83D and U+DE00, each in three bytes.
  for (const char* hex : {"0101010004010174"
                          "03eda0bd"
                          "00",
                          "0101010004010174"
                          "03edb880"
                          "00"}) {
    CHECK_THROWS_AS(Update::decode(from_hex(hex)), DecodeError);
  }
}

TEST_CASE("deletions that overlap are one deletion", "[hostile]") {
  // The whole of a text, again and again, in a message.
  Doc doc;
  doc.transact(1, [](Transaction& t) { t.text_insert("t", 0, std::string(1000, 'x')); });
  Writer update;
  update.write_bytes(
      from_hex("0001"
               "01"));
  update.write_var_uint(200);
  for (std::uint64_t i = 0; i < 200; ++i) {
    update.write_var_uint(i % 7);
    update.write_var_uint(1000 - i % 7);
  }
  const Update decoded = Update::decode(update.view());
  CHECK(doc.touched_by(decoded).deletions.clients().at(1) == DeleteSet::Ranges{{0, 1000}});
  doc.apply(decoded);
  doc.check_invariants();
  CHECK(doc.text("t").empty());
  CHECK(doc.covers(decoded));
}

TEST_CASE("references to itself, the future, a circle or no type neither hang nor break",
          "[hostile]") {
  const char* const hex = GENERATE(
      "020102008401000161"
      "0101008402000161"
      "00",  // stand behind each other
      "020102000700010000"
      "0101000700020000"
      "00",  // are in each other
      "010102008401050161"
      "00",  // behind what never came
      "020102000400010001"
      "6101010004010174"
      "0178"
      "00");  // inside a letter
  Doc doc;
  const Bytes bytes = from_hex(hex);
  try {
    const Update update = Update::decode(bytes);
    doc.touched_by(update);
    doc.check(update, Limits{});
    doc.apply(update);
    doc.apply(update);
  } catch (const DecodeError&) {
  }
  doc.check_invariants();
}

// A letter of client `c` behind the first of a client that never comes.
Bytes waiting(ClientId c) {
  Writer update;
  update.write_bytes(from_hex("0101"));
  update.write_var_uint(c);
  update.write_bytes(from_hex("0084"));
  update.write_var_uint(1'000'000);
  update.write_var_uint(0);
  update.write_var_string("x");
  update.write_var_uint(0);
  return std::move(update).take();
}

TEST_CASE("thousands of updates that wait are kept within the limits, and the rest refused",
          "[hostile]") {
  Doc doc;
  const Limits limits;
  std::size_t refused = 0;
  for (ClientId c = 1; c <= 12'000; ++c) {
    const Bytes bytes = waiting(c);
    const Update update = Update::decode(bytes);
    if (doc.check(update, limits)) {
      ++refused;
    } else {
      doc.apply(update);
    }
  }
  CHECK(refused == 2'000);
  CHECK(doc.encode().size() < limits.pending_bytes);
  CHECK(doc.memory_bytes() < 8 * limits.pending_bytes);
}

}  // namespace
