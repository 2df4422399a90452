#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "log/range_coder.hpp"

namespace palimpsest::storage::log {

// Numbers of one kind through a range coder, in one of several contexts: what is known before of
// how large they probably are. How many digits a number has in binary, and its second digit, are
// learned in each context; the digits behind that, where they are few, for all contexts together;
// and those of long numbers count as random.
//
// One function for both directions: `Coder` is a RangeEncoder or a RangeDecoder.
//
// Cost: some 5 ns for each digit. Memory: 0.5 kB a context, and 4 kB.
template <std::size_t kContexts>
class NumberModel {
 public:
  template <class Coder>
  void code(Coder& coder, std::size_t context, std::uint64_t& value) {
    std::size_t digits = static_cast<std::size_t>(std::bit_width(value));
    count(coder, lengths_[context], digits);
    if (digits < 2) {
      value = digits;
      return;
    }
    bool digit = second_digit(value, digits);
    coder.bit(second_[context][digits], digit);
    std::uint64_t known = 2 | static_cast<std::uint64_t>(digit);
    if (digits <= kFewDigits) {
      few(coder, value, known, digits - 2);
    } else {
      many(coder, value, known, digits - 2);
    }
    value = known;
  }

 private:
  static constexpr std::size_t kMostDigits = 64;
  static constexpr std::size_t kFewDigits = 8;

  static bool second_digit(std::uint64_t value, std::size_t digits) {
    return value >> (digits - 2) & 1;
  }

  template <class Coder>
  static void count(Coder& coder, std::array<Odds, kMostDigits>& odds, std::size_t& digits) {
    for (std::size_t passed = 0; passed < kMostDigits; ++passed) {
      bool is_longer = passed < digits;
      coder.bit(odds[passed], is_longer);
      if (!is_longer) {
        digits = passed;
        return;
      }
    }
    digits = kMostDigits;
  }

  // The digits behind those that are known: each has odds of its own behind all those before it.
  template <class Coder>
  void few(Coder& coder, std::uint64_t value, std::uint64_t& known, std::size_t left) {
    const std::size_t digits = left;
    while (left > 0) {
      bool digit = value >> --left & 1;
      coder.bit(few_[digits][known], digit);
      known = known << 1 | static_cast<std::uint64_t>(digit);
    }
  }
  template <class Coder>
  static void many(Coder& coder, std::uint64_t value, std::uint64_t& known, std::size_t left) {
    while (left > 0) {
      bool digit = value >> --left & 1;
      coder.plain_bit(digit);
      known = known << 1 | static_cast<std::uint64_t>(digit);
    }
  }

  std::array<std::array<Odds, kMostDigits>, kContexts> lengths_;  // is it longer than that?
  std::array<std::array<Odds, kMostDigits + 1>, kContexts> second_;
  std::array<std::array<Odds, std::size_t{1} << (kFewDigits - 1)>, kFewDigits - 1> few_;
};

}  // namespace palimpsest::storage::log
