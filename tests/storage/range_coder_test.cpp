// Bits and numbers come out of a range coder as they went in, and the likely ones take no room.

#include "log/range_coder.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "log/number_model.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using storage::log::Malformed;
using storage::log::NumberModel;
using storage::log::Odds;
using storage::log::RangeDecoder;
using storage::log::RangeEncoder;

using Random = std::mt19937_64;
using Model = NumberModel<3>;

crdt::Bytes encoded(const std::vector<bool>& bits) {
  Odds odds;
  RangeEncoder encoder;
  for (const bool bit : bits) {
    encoder.bit(odds, bit);
    encoder.plain_bit(!bit);
  }
  return std::move(encoder).finish();
}

std::vector<bool> decoded(const crdt::Bytes& bytes, std::size_t count) {
  Odds odds;
  RangeDecoder decoder(bytes);
  std::vector<bool> bits;
  for (std::size_t i = 0; i < count; ++i) {
    bool bit = false;
    bool other = false;
    decoder.bit(odds, bit);
    decoder.plain_bit(other);
    if (bit == other) return {};
    bits.push_back(bit);
  }
  return bits;
}

crdt::Bytes encoded(std::vector<std::uint64_t> numbers) {
  const auto model = std::make_unique<Model>();
  RangeEncoder encoder;
  for (std::size_t i = 0; i < numbers.size(); ++i) model->code(encoder, i % 3, numbers[i]);
  return std::move(encoder).finish();
}

std::vector<std::uint64_t> decoded_numbers(const crdt::Bytes& bytes, std::size_t count) {
  const auto model = std::make_unique<Model>();
  RangeDecoder decoder(bytes);
  std::vector<std::uint64_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) model->code(decoder, i % 3, numbers[i]);
  return numbers;
}

TEST_CASE("bits of any odds come out of the range coder as they went in", "[range_coder]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  Random random(seed);
  for (const std::uint64_t one_in : {1U, 2U, 3U, 20U, 1000U, 1'000'000U}) {
    CAPTURE(one_in);
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, 1 + random() % 20'000}) {
      std::vector<bool> bits(count);
      for (std::size_t i = 0; i < count; ++i) bits[i] = random() % one_in == 0;
      REQUIRE(decoded(encoded(bits), count) == bits);
    }
  }
}

TEST_CASE("a bit that is all but certain takes hardly any room", "[range_coder]") {
  Odds odds;
  RangeEncoder encoder;
  for (int i = 0; i < 100'000; ++i) encoder.bit(odds, true);
  CHECK(std::move(encoder).finish().size() < 100);
}

TEST_CASE("numbers of all sizes come out of their model as they went in", "[range_coder]") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  Random random(seed);
  std::vector<std::uint64_t> numbers{0, ~std::uint64_t{0}, 1, std::uint64_t{1} << 63};
  for (int digits = 1; digits <= 64; ++digits) {
    for (int i = 0; i < 20; ++i) numbers.push_back(random() >> (64 - digits));
  }
  std::shuffle(numbers.begin(), numbers.end(), random);
  CHECK(decoded_numbers(encoded(numbers), numbers.size()) == numbers);
}

TEST_CASE("behind the last number nothing is read for long", "[range_coder]") {
  const std::vector<std::uint64_t> numbers{1, 100, 1'000'000, ~std::uint64_t{0}, 0, 5, 70'000};
  CHECK_THROWS_AS(decoded_numbers(encoded(numbers), 10'000), Malformed);
  CHECK_THROWS_AS(decoded_numbers({}, 1), Malformed);
}

}  // namespace
}  // namespace palimpsest::testing
