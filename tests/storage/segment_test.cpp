// A packed stretch of the log gives every entry back to the byte.

#include "log/segment.hpp"

#include <random>

#include "builders.hpp"
#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
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
  CHECK(pack(log).size() < 400);
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
