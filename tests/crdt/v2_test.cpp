#include "crdt/v2.hpp"

#include <ctime>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <rapidcheck.h>

#include "crdt/delete_set.hpp"
#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "crdt/snapshot.hpp"
#include "crdt/update.hpp"
#include "crdt/writer.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"
#include "support/replicas.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::AllocationPeak;
using palimpsest::testing::from_hex;
using palimpsest::testing::Replica;
using palimpsest::testing::Replicas;
using palimpsest::testing::to_hex;

// An update in format v2, column by column, as hex.
struct Columns {
  std::string key_clocks{}, clients{}, left_clocks{}, right_clocks{}, infos{};
  std::string text{}, text_lengths{};
  std::string parent_infos{}, type_refs{}, lengths{}, rest{};

  Bytes update() const {
    Writer strings;
    strings.write_var_string(as_text(text));
    strings.write_bytes(from_hex(text_lengths));
    Writer update;
    update.write_var_uint(0);
    for (const auto& column : {key_clocks, clients, left_clocks, right_clocks, infos}) {
      update.write_var_bytes(from_hex(column));
    }
    update.write_var_bytes(strings.view());
    for (const auto& column : {parent_infos, type_refs, lengths}) {
      update.write_var_bytes(from_hex(column));
    }
    update.write_bytes(from_hex(rest));
    return std::move(update).take();
  }

 private:
  static std::string as_text(const std::string& hex) {
    const Bytes bytes = from_hex(hex);
    return {bytes.begin(), bytes.end()};
  }
};

std::string hex_of(std::uint64_t number) {
  Writer writer;
  writer.write_var_uint(number);
  return to_hex(writer.view());
}

std::string repeated(const std::string& hex, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += hex;
  return result;
}

struct Refusal {
  std::size_t offset_bytes;
  std::string cause;
};
Refusal refusal_of(ByteView update, const V2Limits& limits = {}) {
  try {
    update_v1_from_v2(update, limits);
    return {0, "nothing"};
  } catch (const DecodeError& error) {
    return {error.offset_bytes(), error.cause()};
  }
}

// Written by Yjs 13.6: encodeStateAsUpdate() and encodeStateAsUpdateV2() of one document.
struct StateByYjs {
  std::string what, v1, v2;
};
const std::vector<StateByYjs> kStatesByYjs = {
    {"an empty document", "0000", "00000000000001000000000000"},
    {"text with a surrogate pair", "01010100040101740661f09f98806200",
     "00000101000001040a077461f09f98806201040101000001010000"},
    {"formatting marks, true, null and an object",
     "0107010004010174016184010001628401010163c60100010104626f6c640474727565c6010301"
     "01046c696e6b0c7b2268726566223a2278227dc60101010204626f6c64046e756c6cc601050102"
     "046c696e6b046e756c6c00",
     "00030003010241090600024206440804020002000504008401c6191474616263626f6c646c696e"
     "6b626f6c646c696e6b410244020101000001070078760104687265667701787e7e00"},
    {"an embed with keys in the order of JavaScript",
     "01010100050101742a7b2231223a5b6e756c6c2c2d312c22c3a95c6e225d2c2232223a312e352c"
     "22696d616765223a2278227d00",
     "000001010000010503017401010100000101007603013175037e7d417703c3a90a01327c3fc000"
     "0005696d61676577017800"},
    {"an array with every kind of value",
     "01020100080101610d7d017d427c3fc000007b7e37e43c8800759c7c4f0000007e75017f787977"
     "017875017d01760101627d0175017a112210f47de9811583010c02010200",
     "00000241000118000308008303016101010100010d0102007d017d427c3fc000007b7e37e43c88"
     "00759c7c4f0000007e75017f787977017875017d01760101627d0175017a112210f47de9811502"
     "010200"},
    {"a map entry set twice", "010301002101016d016b01a80100017d022801016d016c017701780101010001",
     "0000024100010000052100a8002807046d6b6d6c41020101000241010103007d02770178010101"
     "0000"},
    {"types within types",
     "010501002701016d0161000700010002040001010268698701010128000104016b017d0100",
     "0000024103040002000600092700070004008700280a056d6168696b4100020103010000030002"
     "0101010105007d0100"},
    {"XML elements, attributes, text and a hook",
     "0106010007010178030170870100060400010101748701010501682800010005636c6173730177"
     "01610700010003017000",
     "0003000300024104050002004200000b07008700040087002800070f0a78707468636c61737370"
     "41020501030100000403060503010101060077016100"},
    {"a sub-document",
     "010101002901016d0173037375627602086175746f4c6f616478046d657461760101617d0100",
     "000001010000012909056d73737562410003010100000101007602086175746f4c6f616478046d"
     "657461760101617d0100"},
    {"deleted text and a collected type",
     "0105010004010174016881010002840102026c6f2101016d016101000201010201020503",
     "000002410102000400090400810084002100000c0674686c6f6d61410002410001010003020102"
     "01050001010201010202"},
    {"two clients, one with an id of 2^53-1",
     "0202ffffffffffffff0f000401017402616244ffffffffffffff0f000163020700010101740184"
     "070001790107010001",
     "00000bffffffffffffff1f0047000100010007040044000100840b067461626374790102410101"
     "0100010102020002000107010000"},
    {"an update that waits, behind a gap", "0103050001010174010a0144050001630105010001",
     "00000245000001000501000a00440502746341000101000101010300010105010000"},
};

TEST_CASE("both formats of a state are those of Yjs, to the byte", "[v2]") {
  const auto [what, v1, v2] = GENERATE(from_range(kStatesByYjs));
  INFO(what);
  CHECK(to_hex(update_v2_from_v1(from_hex(v1))) == v2);
  CHECK(to_hex(update_v1_from_v2(from_hex(v2))) == v1);
}

TEST_CASE("an update decoded from v2 is the one decoded from v1", "[v2]") {
  const auto [what, v1, v2] = GENERATE(from_range(kStatesByYjs));
  INFO(what);
  const Bytes bytes = from_hex(v1);
  const Update expected = Update::decode(bytes);
  Update decoded = Update::decode_v2(from_hex(v2));
  const Update moved = std::move(decoded);  // with what it owns
  CHECK(moved.size_bytes() == expected.size_bytes());
  CHECK(moved.block_count() == expected.block_count());
  CHECK(moved.deletes_from() == expected.deletes_from());
  REQUIRE(moved.authored().size() == expected.authored().size());
  for (std::size_t i = 0; i < moved.authored().size(); ++i) {
    CHECK(moved.authored()[i].client == expected.authored()[i].client);
    CHECK(moved.authored()[i].begin == expected.authored()[i].begin);
    CHECK(moved.authored()[i].end == expected.authored()[i].end);
  }
  Doc from_v1, from_v2;
  from_v1.apply(expected);
  from_v2.apply(moved);
  from_v2.check_invariants();
  CHECK(from_v2.encode() == from_v1.encode());
}

TEST_CASE("every prefix of an update in v2 is refused with the place and the cause", "[v2]") {
  const auto [what, v1, v2] = GENERATE(from_range(kStatesByYjs));
  const Bytes whole = from_hex(v2);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Refusal refusal = refusal_of(ByteView(whole).first(length));
    INFO(what << ", the first " << length << " bytes");
    CHECK(refusal.cause != "nothing");
    CHECK(refusal.offset_bytes <= length);
  }
}

// Edits of some clients who know more or less of each other, as one update in v1.
Bytes random_state(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  const std::vector<std::string> words = {"a", "word ", "é", "🙂", "a🙂b", "漢字", "\n"};
  const std::vector<Any> values = {Any(true), Any(1.5), Any("🙂"), Any(Any::Null{}),
                                   Any(Any::Object{{"7", Any("x")}, {"k", Any(1)}})};
  Replicas replicas{1 + below(100), 1000 + below(1U << 31), kMaxSafeInteger - below(100)};
  std::vector<Replica*> all;
  replicas.for_each([&](Replica& replica) { all.push_back(&replica); });
  for (std::uint64_t step = 5 + below(60); step > 0; --step) {
    Replica& replica = *all[below(all.size())];
    const std::size_t length = replica.length();
    const std::size_t index = below(length + 1);
    const std::size_t count = below(std::min<std::size_t>(length - index, 5) + 1);
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        replica.insert(index, words[below(words.size())]);
        break;
      case 3:
        if (count > 0) replica.erase(index, count);
        break;
      case 4:
        if (count == 0) break;
        replica.change([&](Transaction& t) {
          t.text_format("t", index, count, Any(Any::Object{{"b", values[below(values.size())]}}));
        });
        break;
      case 5:
        replica.set(words[below(words.size())], values[below(values.size())]);
        break;
      default:
        replica.pull(*all[below(all.size())]);
    }
  }
  replicas.sync();
  return all.front()->doc().encode();
}

TEST_CASE("a state goes to v2 and back without a change", "[v2]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    const Bytes v1 = random_state(seed);
    const Bytes v2 = update_v2_from_v1(v1);
    CHECK(to_hex(update_v1_from_v2(v2)) == to_hex(v1));
    Doc doc;
    doc.apply(Update::decode_v2(v2));
    doc.check_invariants();
    CHECK(to_hex(doc.encode()) == to_hex(v1));
  }
}

TEST_CASE("a random byte more, less or other is refused or read as some update", "[v2]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    Bytes v2 = update_v2_from_v1(random_state(seed));
    for (int i = 0; i < 20; ++i) v2[random() % v2.size()] = static_cast<std::uint8_t>(random());
    try {
      const Bytes v1 = update_v1_from_v2(v2);
      CHECK_NOTHROW(Update::decode(v1));
    } catch (const DecodeError& error) {
      CHECK(error.offset_bytes() <= v2.size());
    }
  }
}

TEST_CASE("each half of a surrogate pair that v2 tears apart becomes U+FFFD", "[v2]") {
  // Yjs writes this when somebody typed the halves one by one: "a\ud83d", then "\ude00b".
  const Columns columns{.clients = "4100",
                        .left_clocks = "02",
                        .infos = "040084",
                        .text = "7461f09f980062",
                        .text_lengths = "010202",
                        .parent_infos = "01",
                        .rest = "01020000"};
  Columns whole = columns;
  whole.text = "7461f09f988062";
  const Bytes v1 = update_v1_from_v2(whole.update());
  Doc doc;
  doc.apply(Update::decode(v1));
  CHECK(doc.text("t") ==
        "a\xEF\xBF\xBD\xEF\xBF\xBD"
        "b");
  CHECK(refusal_of(columns.update()).cause == "a string that is not UTF-8");
}

TEST_CASE("a key of v2 can be used again by its number", "[v2]") {
  const Columns columns{.key_clocks = "0100",  // 0 twice
                        .clients = "4100",
                        .left_clocks = "00",
                        .infos = "060086",
                        .text = "7462",
                        .text_lengths = "4100",
                        .parent_infos = "01",
                        .rest = "010200787e00"};
  CHECK(to_hex(update_v1_from_v2(columns.update())) ==
        "0102010006010174016204747275658601000162046e756c6c00");
}

TEST_CASE("undefined in an embed of v2 becomes null, which v1 can say", "[v2]") {
  const Columns columns{.clients = "01",
                        .infos = "05",
                        .text = "74",
                        .text_lengths = "01",
                        .parent_infos = "01",
                        .rest = "0101007f00"};
  const Bytes bytes = update_v1_from_v2(columns.update());
  CHECK(to_hex(bytes) == "0101010005010174046e756c6c00");
}

TEST_CASE("a malformed update in v2 is refused with the place and the cause", "[v2]") {
  Columns text{.clients = "4100",
               .left_clocks = "00",
               .infos = "040084",
               .text = "746162",
               .text_lengths = "4101",
               .parent_infos = "01",
               .rest = "01020000"};
  REQUIRE(refusal_of(text.update()).cause == "nothing");
  const auto refused = [](const Columns& columns) { return refusal_of(columns.update()).cause; };
  const auto with = [&](std::string Columns::*column, const std::string& hex) {
    Columns changed = text;
    changed.*column = hex;
    return refused(changed);
  };
  CHECK(with(&Columns::clients, "01") == "the column ends before the blocks do");
  CHECK(with(&Columns::clients, "8180808080808020") == "a number above 2^53-1");
  CHECK(with(&Columns::left_clocks, "") == "the column ends before the blocks do");
  CHECK(with(&Columns::left_clocks, "42") == "a step to a number below 0 or above 2^53-1");
  CHECK(with(&Columns::left_clocks, "02") ==
        "a block that refers to itself or to a later one of its client");
  CHECK(with(&Columns::infos, "") == "the column ends before the blocks do");
  CHECK(with(&Columns::infos, "0b") == "an unknown kind of block");
  CHECK(with(&Columns::text, "7461ff") == "a string that is not UTF-8");
  CHECK(with(&Columns::text_lengths, "0109") ==
        "a string that is longer than what is left of the text");
  CHECK(with(&Columns::rest, "0102000000") == "bytes after the end of the update");
  CHECK(with(&Columns::rest, "010200") == "the bytes end inside a number");
  CHECK(with(&Columns::rest, "ff0200") == "more clients than the bytes can hold");
  CHECK(with(&Columns::rest, "0102000101ff01") == "more deletions than the bytes can hold");
  CHECK(with(&Columns::rest, "010200010101feffffffffffff0f01") ==
        "a deletion that ends beyond 2^53-1");
  CHECK(refusal_of(from_hex("01010100040101740661f09f98806200")).cause ==
        "this is not update format v2");
}

TEST_CASE("a length of v2 that v1 has no room for is refused", "[v2]") {
  const auto gc_of = [](const std::string& length) {
    return refusal_of(Columns{.clients = "01", .infos = "00", .lengths = length, .rest = "01010000"}
                          .update())
        .cause;
  };
  CHECK(gc_of("8180808010") == "a block longer than 2^31");
  CHECK(gc_of("8080808010") == "nothing");
}

TEST_CASE("any and JSON that v2 carries are checked as in v1", "[v2]") {
  Columns embed{.clients = "01",
                .infos = "05",
                .text = "74",
                .text_lengths = "01",
                .parent_infos = "01",
                .rest = "010100" + repeated("7501", 513) + "7e00"};
  CHECK(refusal_of(embed.update()).cause == "a value nested too deep");
  embed.rest = "010100" + repeated("7501", 512) + "7e00";
  CHECK(refusal_of(embed.update()).cause == "nothing");
  embed.rest = "0101000100";
  CHECK(refusal_of(embed.update()).cause == "an unknown kind of value");
  const Columns json{.clients = "01",
                     .infos = "02",
                     .text = "747b",
                     .text_lengths = "4100",
                     .parent_infos = "01",
                     .lengths = "01",
                     .rest = "01010000"};
  CHECK(refusal_of(json.update()).offset_bytes < json.update().size());
  CHECK(refusal_of(json.update()).cause == "not JSON");
}

// Columns whose runs never end, so that they stand for any number of blocks of client 1.
struct Bomb {
  std::string what;
  Columns columns;

  Bytes update(std::uint64_t blocks) const {
    Columns whole = columns;
    whole.rest = "01" + hex_of(blocks) + "0000";
    return whole.update();
  }
};

const std::string kForEver = "feffffffffffff0f";  // 2^53-2 times
const std::string kOnes = "41" + kForEver;
const std::string kZeros = "01" + kForEver;
const std::string kAscending = "0003" + kForEver;

// A type in a list behind the one before, with its name: `t` is the list.
Columns named_types(std::size_t name_length) {
  return {.key_clocks = kZeros,
          .clients = kOnes,
          .left_clocks = kAscending,
          .infos = "070087",
          .text = "74" + repeated("6e", name_length),
          .text_lengths = "01" + (name_length < 64 ? hex_of(name_length) : "ac04"),
          .parent_infos = "01",
          .type_refs = "43" + kForEver};
}

const std::vector<Bomb> kBombs = {
    {"collected blocks", {.clients = kOnes, .infos = "00", .lengths = kOnes}},
    {"deleted items, each in front of the one before",
     {.clients = kOnes,
      .right_clocks = kAscending,
      .infos = "010041",
      .text = "74",
      .text_lengths = "01",
      .parent_infos = "01",
      .lengths = kOnes}},
    {"empty types in a list",
     {.clients = kOnes,
      .left_clocks = kAscending,
      .infos = "070087",
      .text = "74",
      .text_lengths = "01",
      .parent_infos = "01",
      .type_refs = "40" + kForEver}},
    {"XML elements with one name", named_types(40)},
    {"deleted items that wait for another client",
     {.clients = "0142" + kForEver, .left_clocks = kZeros, .infos = "81", .lengths = kOnes}}};

TEST_CASE("runs of v2 that stand for billions of blocks are refused at once", "[v2]") {
  const Bomb bomb = GENERATE(from_range(kBombs));
  const std::uint64_t blocks = GENERATE(std::uint64_t{1} << 31, kMaxSafeInteger);
  INFO(bomb.what << ", " << blocks);
  const Bytes bytes = bomb.update(blocks);
  const AllocationPeak peak;
  const Refusal refusal = refusal_of(bytes);
  CHECK(refusal.cause == "more blocks than an update of this size may bring");
  CHECK(refusal.offset_bytes < bytes.size());
  CHECK(peak.bytes() < 8 * 1024);
}

TEST_CASE("no kilobyte of v2 takes a megabyte of memory or half a second of work", "[v2]") {
  Bomb bomb = GENERATE(from_range(kBombs));
  INFO(bomb.what);
  constexpr std::size_t kKilobyte = 1024;
  const std::uint64_t most = V2Limits{}.blocks(kKilobyte - 8);
  bomb.columns.text += repeated("78", kKilobyte - 5 - bomb.update(most).size());  // read by nobody
  const Bytes bytes = bomb.update(most);
  REQUIRE(bytes.size() <= kKilobyte);

  const AllocationPeak peak;
  // Of this process, so that nothing else that runs here counts. It takes a few milliseconds.
  const std::clock_t begin = std::clock();
  Doc doc;
  const Update update = Update::decode_v2(bytes);
  CHECK(update.block_count() == most);
  doc.apply(update);
  (void)doc.encode();
  const std::clock_t end = std::clock();
  CHECK(peak.bytes() <= 1024 * kKilobyte);
  CHECK(end - begin <= CLOCKS_PER_SEC / 2);
}

TEST_CASE("text of v2 that takes no clock, and so could go on for ever, is refused", "[v2]") {
  const Bomb bomb{"",
                  {.clients = "0142" + kForEver,
                   .left_clocks = kZeros,
                   .infos = "84",
                   .text_lengths = "40" + kForEver}};
  CHECK(refusal_of(bomb.update(100)).cause == "a block of length 0");
}

TEST_CASE("a long key of v2 cannot be used again and again", "[v2]") {
  const Bomb bomb{"", named_types(300)};
  const Bytes bytes = bomb.update(2'000);
  const AllocationPeak peak;
  CHECK(refusal_of(bytes).cause == "more content than an update of this size may unpack to");
  CHECK(peak.bytes() < 512 * 1024);
}

TEST_CASE("a caller who trusts a source takes more blocks of it", "[v2]") {
  const std::uint64_t blocks = 20'000;
  const Bytes bytes = kBombs[2].update(blocks);
  CHECK(refusal_of(bytes).cause == "more blocks than an update of this size may bring");
  const Update update = Update::decode_v2(bytes, {.free_blocks = 20'000});
  CHECK(update.block_count() == blocks);
}

TEST_CASE("a delete set in v2 reads back as it is written", "[v2]") {
  CHECK(rc::check([] {
    DeleteSet set;
    for (const auto& [client, ranges] :
         *rc::gen::arbitrary<std::vector<std::pair<std::uint8_t, std::vector<std::uint8_t>>>>()) {
      Clock clock = 0;
      for (const std::uint8_t step : ranges) {
        set.append(client, clock += step, 1U + step % 7U);
        clock += 8;
      }
    }
    set.normalize();
    Writer writer;
    write_delete_set_v2(writer, set);
    Reader reader(writer.view());
    RC_ASSERT(read_delete_set_v2(reader) == set);
    RC_ASSERT(reader.at_end());
  }));
}

TEST_CASE("ranges without an order are sorted for v2, which has no form for them", "[v2]") {
  DeleteSet set;
  set.append(1, 10, 2);
  set.append(1, 0, 3);
  set.append(1, 2, 4);
  Writer writer;
  write_delete_set_v2(writer, set);
  CHECK(to_hex(writer.view()) == "01010200050401");
}

TEST_CASE("a snapshot in v2 is the one that Yjs writes", "[v2]") {
  // Written by Yjs 13.6: encodeSnapshot() and encodeSnapshotV2() of one document.
  const Snapshot snapshot = Snapshot::decode(from_hex("02ac0201010101020102070202ac0203010b"));
  const Bytes v2 = from_hex("02ac0201010001020101040102ac0203010b");
  CHECK(to_hex(encode_snapshot_v2(snapshot)) == to_hex(v2));
  CHECK(decode_snapshot_v2(v2) == snapshot);
  for (std::size_t length = 0; length < v2.size(); ++length) {
    CHECK_THROWS_AS(decode_snapshot_v2(ByteView(v2).first(length)), DecodeError);
  }
}

}  // namespace
