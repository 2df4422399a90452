#include <cmath>
#include <limits>

#include <rapidcheck.h>

#include "crdt/any.hpp"
#include "crdt/id.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"

namespace {

using namespace palimpsest::crdt;
using palimpsest::testing::from_hex;
using palimpsest::testing::to_hex;

template <class Write>
std::string written(Write&& write) {
  Writer writer;
  write(writer);
  return to_hex(writer.view());
}

Any round_trip(const Any& value) {
  Writer writer;
  value.write(writer);
  Reader reader(writer.view());
  Any read = Any::read(reader);
  CHECK(reader.at_end());
  Reader skipper(writer.view());
  Any::skip(skipper);
  CHECK(skipper.at_end());
  return read;
}

TEST_CASE("numbers are written as lib0 writes them", "[encoding]") {
  const auto [number, hex] = GENERATE(table<std::uint64_t, std::string>({
      {0, "00"},
      {127, "7f"},
      {128, "8001"},
      {16383, "ff7f"},
      {std::uint64_t{1} << 31, "8080808008"},
      {std::uint64_t{1} << 32, "8080808010"},
      {kMaxSafeInteger, "ffffffffffffff0f"},
  }));
  CHECK(written([n = number](Writer& w) { w.write_var_uint(n); }) == hex);
  const Bytes bytes = from_hex(hex);
  Reader reader(bytes);
  CHECK(reader.read_var_uint() == number);
  CHECK(reader.at_end());
}

TEST_CASE("signed numbers keep their sign apart, minus zero too", "[encoding]") {
  const auto [number, negative_zero, hex] = GENERATE(table<std::int64_t, bool, std::string>({
      {0, false, "00"},
      {0, true, "40"},
      {-1, false, "41"},
      {63, false, "3f"},
      {64, false, "8001"},
      {-64, false, "c001"},
      {2147483647, false, "bfffffff0f"},
      {static_cast<std::int64_t>(kMaxSafeInteger), false, "bfffffffffffff1f"},
  }));
  CHECK(written([n = number, z = negative_zero](Writer& w) { w.write_var_int(n, z); }) == hex);
  const Bytes bytes = from_hex(hex);
  Reader reader(bytes);
  const Reader::VarInt read = reader.read_var_int();
  CHECK(read.value == number);
  CHECK(read.negative_zero == negative_zero);
}

TEST_CASE("a number that needs more than 53 bits is refused where it stands", "[encoding]") {
  const auto hex = GENERATE(as<std::string>{}, "ffffffffffffff1f", "80808080808080808001",
                            "8080808080808080808080808000", "ffffffffffffffffffff7f");
  const Bytes bytes = from_hex("05" + hex);
  Reader reader(bytes);
  reader.read_byte();
  try {
    reader.read_var_uint();
    FAIL("accepted " << hex);
  } catch (const DecodeError& error) {
    CHECK(error.offset_bytes() == 1);
  }
}

TEST_CASE("a number with needless leading zeros reads as lib0 reads it", "[encoding]") {
  const Bytes bytes = from_hex("858000");
  Reader reader(bytes);
  CHECK(reader.read_var_uint() == 5);
  CHECK(reader.at_end());
}

TEST_CASE("any prefix of a value is refused, never read past its end", "[encoding]") {
  Writer writer;
  Any(Any::Object{{"text", "wörld"},
                  {"list", Any::Array{1, 2.5, 1e300, Any::BigInt{-7}, Bytes{1, 2}}}})
      .write(writer);
  const Bytes whole(writer.view().begin(), writer.view().end());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Bytes prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    Reader reader(prefix);
    CHECK_THROWS_AS(Any::read(reader), DecodeError);
    Reader skipper(prefix);
    CHECK_THROWS_AS(Any::skip(skipper), DecodeError);
  }
}

TEST_CASE("a count beyond the remaining bytes is refused before anything is reserved",
          "[encoding]") {
  const auto hex =
      GENERATE(as<std::string>{}, "75ffffffff07", "76ffffffff07", "77ffffffff07", "74ffffffff07");
  const Bytes bytes = from_hex(hex);
  Reader reader(bytes);
  CHECK_THROWS_AS(Any::read(reader), DecodeError);
}

TEST_CASE("values travel as the kinds that lib0 chooses", "[encoding][any]") {
  const auto hex_of = [](const Any& value) { return written([&](Writer& w) { value.write(w); }); };
  CHECK(hex_of(Any()) == "7f");
  CHECK(hex_of(Any(Any::Null{})) == "7e");
  CHECK(hex_of(Any(-1)) == "7d41");
  CHECK(hex_of(Any(-0.0)) == "7d40");
  CHECK(hex_of(Any(2147483648.0)) == "7c4f000000");
  CHECK(hex_of(Any(1.5)) == "7c3fc00000");
  CHECK(hex_of(Any(0.1)) == "7b3fb999999999999a");
  CHECK(hex_of(Any(true)) == "78");
  CHECK(hex_of(Any(Any::BigInt{-1})) == "7affffffffffffffff");
  CHECK(hex_of(Any(Any::Object{{"k", 1}})) == "7601016b7d01");
}

TEST_CASE("a value nested deeper than the limit is refused without recursing", "[encoding][any]") {
  Bytes bytes;
  for (int i = 0; i < 100'000; ++i) {
    bytes.push_back(117);
    bytes.push_back(1);
  }
  bytes.push_back(127);
  Reader reader(bytes);
  CHECK_THROWS_AS(Any::read(reader), DecodeError);
  CHECK_THROWS_AS(Any::from_json(std::string(100'000, '[')), DecodeError);
}

TEST_CASE("numbers are written in JSON as JavaScript writes them", "[json]") {
  const auto [number, text] = GENERATE(table<double, std::string>({
      {0.0, "0"},
      {-0.0, "0"},
      {1.0, "1"},
      {-12.5, "-12.5"},
      {0.1, "0.1"},
      {1e21, "1e+21"},
      {123456789012345680000.0, "123456789012345680000"},
      {1e-6, "0.000001"},
      {1e-7, "1e-7"},
      {1.5e-9, "1.5e-9"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {std::numeric_limits<double>::infinity(), "null"},
  }));
  CHECK(Any(number).to_json() == text);
}

TEST_CASE("JSON reads as JavaScript reads it", "[json]") {
  CHECK(Any::from_json(R"({"a":1,"b":[true,null],"a":2})") ==
        Any(Any::Object{{"a", 2}, {"b", Any::Array{true, Any::Null{}}}}));
  CHECK(Any::from_json(R"("\ud83d\ude00")") == Any("😀"));
  CHECK(Any::from_json(R"("\ud83d")") == Any("\xEF\xBF\xBD"));
  const auto bad = GENERATE(as<std::string>{}, "", "{", "[1,]", "01", "1.", "+1", "'x'", "nul",
                            "\"\\x\"", "\"\n\"", "1 2", "{\"a\"}", "{1:2}");
  CHECK_THROWS_AS(Any::from_json(bad), DecodeError);
}

TEST_CASE("what is no UTF-8 is refused", "[encoding]") {
  const auto hex = GENERATE(as<std::string>{}, "80", "c0af", "e08080", "eda080", "f4908080",
                            "f8888080", "c3", "e282", "6180");
  const Bytes bytes = from_hex(hex);
  CHECK_FALSE(is_utf8({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

TEST_CASE("text is counted in UTF-16 units", "[encoding]") {
  const std::string text = "aß日😀z";
  CHECK(length_utf16(text) == 6);
  CHECK(offset_of_utf16(text, 0) == 0);
  CHECK(offset_of_utf16(text, 2) == 3);
  CHECK(offset_of_utf16(text, 3) == 6);
  CHECK(offset_of_utf16(text, 4) == 6);  // inside the pair
  CHECK(offset_of_utf16(text, 5) == 10);
  CHECK(offset_of_utf16(text, 6) == 11);
}

TEST_CASE("numbers, strings and values read back as they were written", "[encoding]") {
  CHECK(rc::check("var uint", [](std::uint64_t raw) {
    const std::uint64_t number = raw & kMaxSafeInteger;
    Writer writer;
    writer.write_var_uint(number);
    Reader reader(writer.view());
    RC_ASSERT(reader.read_var_uint() == number);
    RC_ASSERT(reader.at_end());
  }));
  CHECK(rc::check("var int", [](std::int64_t raw) {
    const std::int64_t number = raw % static_cast<std::int64_t>(kMaxSafeInteger);
    Writer writer;
    writer.write_var_int(number);
    Reader reader(writer.view());
    RC_ASSERT(reader.read_var_int().value == number);
    RC_ASSERT(reader.at_end());
  }));
  CHECK(rc::check("float", [](double number) {
    if (!std::isnan(number)) RC_ASSERT(round_trip(Any(number)) == Any(number));
  }));
  CHECK(rc::check("bytes", [](const std::vector<std::uint8_t>& bytes) {
    RC_ASSERT(round_trip(Any(bytes)) == Any(bytes));
  }));
  CHECK(rc::check("JSON numbers", [](double number) {
    if (std::isfinite(number)) RC_ASSERT(Any::from_json(Any(number).to_json()) == Any(number));
  }));
}

TEST_CASE("any bytes are either a value or refused", "[encoding]") {
  CHECK(rc::check("any", [](const std::vector<std::uint8_t>& bytes) {
    Reader reader(bytes);
    Reader skipper(bytes);
    try {
      Any::read(reader);
    } catch (const DecodeError&) {
      RC_ASSERT_THROWS_AS(Any::skip(skipper), DecodeError);
      return;
    }
    Any::skip(skipper);
    RC_ASSERT(skipper.position() == reader.position());
  }));
}

}  // namespace
