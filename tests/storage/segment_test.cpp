// A packed stretch of the log gives every entry back to the byte.

#include "log/segment.hpp"

#include <random>

#include "builders.hpp"
#include "crdt/any.hpp"
#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "log/number.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using crdt::Any;
using crdt::Doc;
using storage::EntryView;
using storage::LogEntry;
using storage::Seq;
using storage::log::Malformed;
using storage::log::read_segment;
using storage::log::SegmentWriter;

using Random = std::mt19937_64;
using Log = std::vector<LogEntry>;

EntryView view_of(const LogEntry& entry) {
  return {entry.seq, entry.at, entry.made_at, entry.author.client, entry.connection, entry.update};
}

crdt::Bytes pack(const Log& log) {
  SegmentWriter segment;
  for (const LogEntry& logged : log) segment.add(view_of(logged));
  return std::move(segment).finish(3);
}

Log unpack(const crdt::Bytes& segment, Seq end, Seq first, Seq last) {
  Log log;
  read_segment(segment, end, first, last, [&](const EntryView& seen) {
    log.push_back({seen.seq,
                   seen.at,
                   seen.made_at,
                   {seen.author, ""},
                   seen.connection,
                   {seen.update.begin(), seen.update.end()}});
  });
  return log;
}

bool same(const LogEntry& left, const LogEntry& right) {
  return left.seq == right.seq && left.at == right.at && left.made_at == right.made_at &&
         left.author.client == right.author.client && left.connection == right.connection &&
         left.update == right.update;
}

void check_same(const Log& found, std::span<const LogEntry> expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    REQUIRE(same(found[i], expected[i]));
  }
}

// People who write at once, in a document with everything in it.
class Writers {
 public:
  explicit Writers(Random& random) : random_(random) {
    for (const crdt::ClientId client : {7U, 4'000'000'000U, 1U}) {
      docs_.emplace_back();
      clients_.push_back(client);
    }
  }

  crdt::Bytes write() {
    const std::size_t who = random_() % docs_.size();
    crdt::Bytes update;
    if (random_() % 8 == 0) {  // what one had from all others, at once
      update = docs_[random_() % docs_.size()].encode_since(docs_[who].state_vector());
    } else {
      const std::size_t length = crdt::length_utf16(docs_[who].text("t"));
      update = docs_[who].transact(clients_[who],
                                   [&](crdt::Transaction& change) { edit(change, length); });
    }
    for (Doc& doc : docs_) {
      if (!update.empty() && random_() % 4 != 0) doc.apply(crdt::Update::decode(update));
    }
    return update;
  }

 private:
  void edit(crdt::Transaction& change, std::size_t length) {
    static const std::vector<std::string> kTexts{"a", "b", " ", "ä", "日本", "𝄞", "word ", "\n"};
    const std::string& text = kTexts[random_() % kTexts.size()];
    switch (random_() % 12) {
      case 0:
      case 1:
        if (length > 2) change.text_delete("t", random_() % (length - 2), 1 + random_() % 2);
        break;
      case 2:
        change.map_set("m", text, Any(Any::Array{Any(1), Any(text), Any(2.5)}));
        break;
      case 3:
        change.map_delete("m", text);
        break;
      case 4:
        change.array_insert("a", 0, {Any(text), Any(true), Any(Any::Null{}), Any(bytes(text))});
        break;
      case 5:
        change.text_embed("t", length, Any(Any::Object{{"image", Any(text)}}));
        break;
      case 6:
        if (length > 0) {
          change.text_format("t", random_() % length, 1, Any(Any::Object{{"bold", Any(true)}}));
        }
        break;
      case 7:
        change.array_insert("x", 0, crdt::NewType{crdt::SharedType::kXmlElement, "p"});
        break;
      default:
        change.text_insert("t", random_() % 3 == 0 ? random_() % (length + 1) : length, text);
    }
  }

  Random& random_;
  std::vector<Doc> docs_;
  std::vector<crdt::ClientId> clients_;
};

// Bytes that are no update, or one that nobody writes like this.
crdt::Bytes junk(Random& random, crdt::Bytes update) {
  switch (random() % 4) {
    case 0:
      return {};
    case 1: {
      crdt::Bytes bytes(random() % 20);
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
      return bytes;
    }
    case 2:
      if (!update.empty()) update.resize(random() % update.size());
      return update;
    default:
      for (int i = 0; i < 3 && !update.empty(); ++i) {
        update[random() % update.size()] = static_cast<std::uint8_t>(random());
      }
      return update;
  }
}

Log random_log(Random& random, Seq first, std::size_t entries) {
  Writers writers(random);
  Log log;
  std::int64_t now = 1'790'000'000'000;
  for (std::size_t i = 0; i < entries; ++i) {
    LogEntry next;
    next.seq = first + i;
    const std::int64_t step = random() % 50 == 0 ? 100'000'000 : 300;
    now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(step));
    if (random() % 40 == 0) now -= 5000;  // the clock was set
    next.at = time(now);
    if (random() % 10 == 0) next.made_at = time(now - static_cast<std::int64_t>(random() % 99999));
    next.author.client = random() % 5;
    next.connection = random() % 50 == 0 ? ~random() % 3 : random() % 3;
    next.update = writers.write();
    if (random() % 6 == 0) next.update = junk(random, next.update);
    log.push_back(std::move(next));
  }
  return log;
}

// Every form of update, by three clients, with all that can be said of an entry.
Log log_of_all_kinds() {
  Doc doc;
  Log log;
  std::int64_t now = 1'790'000'000'000;
  const auto add = [&](crdt::Bytes update, std::int64_t step, crdt::ClientId author = 7) {
    now += step;
    log.push_back({log.size() + 1, time(now), std::nullopt, {author, ""}, 3 * author, update});
  };
  const auto change = [&](auto edit, std::int64_t step, crdt::ClientId client = 7) {
    add(doc.transact(client, edit), step, client);
  };
  const auto type = [&](std::size_t index, const std::string& text, std::int64_t step) {
    for (const char key : text) {
      change([&](crdt::Transaction& t) { t.text_insert("t", index, {&key, 1}); }, step);
      ++index;
    }
  };
  const auto erase = [&](std::size_t index, std::size_t units, std::int64_t step) {
    change([&](crdt::Transaction& t) { t.text_delete("t", index, units); }, step);
  };

  type(0, "It is a truth, universally acknowledged", 120);
  for (std::size_t i = 0; i < 6; ++i) erase(38 - i, 1, 33);  // back
  for (std::size_t i = 0; i < 3; ++i) erase(4, 1, 250);      // forward
  erase(10, 4, 700);
  change([](crdt::Transaction& t) { t.text_insert("t", 4, "日本 𝄞"); }, 40'000);
  change([](crdt::Transaction& t) { t.text_insert("t", 2, "()"); }, 300, 4'000'000'000);
  change([](crdt::Transaction& t) { t.text_insert("t", 3, "x"); }, 0, 4'000'000'000);
  change(
      [](crdt::Transaction& t) {
        t.text_delete("t", 0, 2);
        t.text_delete("t", 9, 3);
        t.text_insert("t", 5, "and more");
      },
      -5000);  // the clock was set
  change([](crdt::Transaction& t) { t.map_set("m", "key", Any(2.5)); }, 100'000'000, 1);
  change([](crdt::Transaction& t) { t.array_insert("a", 0, {Any("b"), Any(true)}); }, 191, 1);
  change([](crdt::Transaction& t) { t.text_embed("t", 1, Any(Any::Object{{"i", Any(1)}})); }, 192);
  change(
      [](crdt::Transaction& t) {
        t.text_format("t", 2, 4, Any(Any::Object{{"b", Any(true)}}));
      },
      16'320);
  change(
      [](crdt::Transaction& t) {
        t.array_insert("x", 0, crdt::NewType{crdt::SharedType::kXmlElement, "p"});
      },
      1);
  add(doc.encode(), 500, 1);
  add({1, 2, 3}, 0);  // no update
  add({}, 120);
  log.back().made_at = time(now - 99'999);
  log.back().connection = ~std::uint64_t{0};
  type(0, "again", 130);
  return log;
}

// log_of_all_kinds() as version 1 of segments had it.
constexpr std::string_view kFirstVersion =
    "0142be071212f0b183c5986880f1048f4e8084af5f80ff0105050000000000050500be9a0c0003033b000409"
    "09000100020002000300090931010001020000000411111580f085da2c03ffffffffffffffffff0104040000"
    "00001010030004010402040305030503050603001010002500040001000200020000000100030b0b01030100"
    "020301030f02050b0b02000000000000000000000b0b01000200030002010001000b0b000100020004000000"
    "000007070780d0acf30e010303000000050500056f050005050900000000282804c4012808c501c60107c401"
    "01840181018401810184018101c401c101c401c501c601072808c401181428b52ffd00005d000082c1018232"
    "10df7f63cf000a0a010201020302040601020a0a000003000000000005000c0c010b020108010204100a0801"
    "0c0c000000000002000000000000111103070503040807030807030705030403001111000000000000010200"
    "01010000000000000d0d050205000500020005000500050d0d01000100010000060000010001050500010001"
    "0005050600000105020202050202000909090104020102050406010909010001000000000000090900020100"
    "010002010009090800000200010001051717390e0d090a0b0e48550c09020a02010b0c0b0812281453171328"
    "b52ffd000055000018000100020060e306d8311b28b52ffd000095000060782121212121c0c0828282820100"
    "1e20041111ff21c0c1ffc000ffffbfc0ff01c100788207073a3a3afc6c00346d6128b52ffd0000c502007404"
    "497420697320612074727574682c20756e6976657273616c6c792061636b6e6f776c6564676564e697a5e69c"
    "ac20f09d849e282978616e64206d6f72652069efbfbd616761696e05004e91912a03ac107015e03650a06446"
    "28b52ffd0000ed010052430c1290cf01c000c6669a81bbebbaadb9eb26261bf2870ff56f6d3ed157334ad1cf"
    "e69455eea87d9a7e0008c256b1e07ef9070200514840094641010303010203";

crdt::Bytes from_hex(std::string_view hex) {
  crdt::Bytes bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// The segment, but saying that its updates have so many bytes.
crdt::Bytes saying_bytes(const crdt::Bytes& segment, std::uint64_t update_bytes) {
  storage::log::Source source(segment);
  crdt::Bytes changed;
  storage::log::put_number(changed, source.number());
  storage::log::put_number(changed, source.number());
  storage::log::put_number(changed, update_bytes);
  source.number();
  storage::log::put_bytes(changed, source.bytes(source.remaining()));
  return changed;
}

TEST_CASE("whatever is packed comes out again to the byte, all of it or a part", "[segment]") {
  for (int round = 0; round < 60; ++round) {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    Random random(seed);
    const Seq first = 1 + random() % 1000;
    const std::size_t entries = 1 + random() % 200;
    const Log log = random_log(random, first, entries);
    const crdt::Bytes segment = pack(log);
    const Seq end = first + entries - 1;
    check_same(unpack(segment, end, 1, ~Seq{0}), log);

    const std::size_t skipped = random() % entries;
    const std::size_t taken = random() % (entries - skipped);
    check_same(unpack(segment, end, first + skipped, first + skipped + taken),
               std::span(log).subspan(skipped, taken + 1));
  }
}

TEST_CASE("every kind of entry comes out of a segment, of the first version too", "[segment]") {
  const Log log = log_of_all_kinds();
  const crdt::Bytes segment = pack(log);
  const crdt::Bytes first = from_hex(kFirstVersion);
  REQUIRE(first[0] == 1);
  REQUIRE(segment[0] == 2);
  for (const crdt::Bytes* bytes : {&segment, &first}) {
    check_same(unpack(*bytes, log.size(), 1, log.size()), log);
    check_same(unpack(*bytes, log.size(), 40, 50), std::span(log).subspan(39, 11));
    CHECK_NOTHROW(storage::log::check_foreign_segment(*bytes, log.size()));
  }
  CHECK(segment.size() < first.size());
}

TEST_CASE("a segment of a version to come is refused", "[segment]") {
  crdt::Bytes segment = pack(log_of_all_kinds());
  segment[0] = 3;
  CHECK_THROWS_AS(unpack(segment, 66, 1, 66), Malformed);
}

TEST_CASE("a segment that is cut off anywhere is refused", "[segment]") {
  const Log log = log_of_all_kinds();
  const crdt::Bytes packed = pack(log);
  const crdt::Bytes first = from_hex(kFirstVersion);
  for (const crdt::Bytes* whole : {&packed, &first}) {
    for (std::size_t size = 0; size < whole->size(); ++size) {
      CAPTURE(size);
      const crdt::Bytes cut(whole->begin(), whole->begin() + static_cast<std::ptrdiff_t>(size));
      REQUIRE_THROWS_AS(unpack(cut, log.size(), 1, log.size()), Malformed);
    }
  }
}

TEST_CASE("updates of a segment have no more parts than their bytes can hold", "[segment]") {
  const Log log = log_of_all_kinds();
  for (const crdt::Bytes& segment : {pack(log), from_hex(kFirstVersion)}) {
    CHECK_THROWS_AS(unpack(saying_bytes(segment, 8), log.size(), 1, log.size()), Malformed);
  }
}

TEST_CASE("typing takes a fraction of a byte", "[segment]") {
  Doc doc;
  Log log;
  const std::string sentence = "It is a truth universally acknowledged. ";
  for (std::size_t i = 0; i < 4000; ++i) {
    const crdt::Bytes update = doc.transact(1'234'567'890, [&](crdt::Transaction& change) {
      change.text_insert("content", i, sentence.substr(i % sentence.size(), 1));
    });
    log.push_back({i + 1,
                   time(static_cast<std::int64_t>(i) * 120),
                   std::nullopt,
                   {1'234'567'890, ""},
                   17,
                   update});
  }
  CHECK(pack(log).size() < 200);
}

TEST_CASE("a segment that was damaged does nothing worse than to be refused", "[segment]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  Random random(seed);
  const Log log = random_log(random, 1, 100);
  const crdt::Bytes good = pack(log);
  constexpr std::size_t kHeaderBytes = 5;
  std::size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    crdt::Bytes bad = good;
    for (std::size_t changes = 1 + random() % 3; changes > 0; --changes) {
      // Behind the sizes at its start, which bound what is reserved.
      bad[kHeaderBytes + random() % (bad.size() - kHeaderBytes)] =
          static_cast<std::uint8_t>(random());
    }
    if (random() % 4 == 0) bad.resize(kHeaderBytes + random() % (bad.size() - kHeaderBytes));
    try {
      unpack(bad, 100, 1, 100);
    } catch (const Malformed&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
}

}  // namespace
}  // namespace palimpsest::testing
