#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "crdt/bytes.hpp"
#include "log/number.hpp"

namespace palimpsest::storage::log {

// How probable it is that a bit is set, learned from the bits there were: quickly from the first,
// slowly later on, and never all. Who writes and who reads learn the same.
class Odds {
 public:
  std::uint32_t of_65536() const { return set_; }
  void learn(bool bit) {
    const std::uint32_t rate = kRates[seen_];
    set_ = static_cast<std::uint16_t>(bit ? set_ + ((65536 - set_) * rate >> 16)
                                          : set_ - (set_ * rate >> 16));
    if (seen_ < kMostSeen) ++seen_;
  }

 private:
  static constexpr std::uint16_t kMostSeen = 250;
  // Of 65536: a little less than one in so many as were seen.
  static constexpr auto kRates = [] {
    std::array<std::uint16_t, kMostSeen + 1> rates{};
    for (std::uint32_t seen = 0; seen <= kMostSeen; ++seen) {
      rates[seen] = static_cast<std::uint16_t>(655360 / (10 * seen + 16));
    }
    return rates;
  }();

  std::uint16_t set_ = 32768;
  std::uint16_t seen_ = 0;
};

// Writes bits, each in as little room as its odds say: a bit that was all but certain takes a
// hundredth of one.
//
// An interval of numbers is divided by the odds of each bit, and the part taken that the bit says;
// bytes that both its ends begin with are settled. (G. N. N. Martin, "Range encoding", 1979; this
// form, without carries, is that of M. Mahoney's lpaq.)
class RangeEncoder {
 public:
  void bit(Odds& odds, bool bit) {
    const auto share =
        static_cast<std::uint32_t>(std::uint64_t{last_ - first_} * odds.of_65536() >> 16);
    take(first_ + share, bit);
    odds.learn(bit);
  }
  // One that is as likely as not.
  void plain_bit(bool bit) { take(first_ + (last_ - first_) / 2, bit); }

  crdt::Bytes finish() && {
    // The shortest number in the interval: behind it zeros are read.
    out_.push_back(static_cast<std::uint8_t>((first_ >> 24) + 1));
    return std::move(out_);
  }

 private:
  void take(std::uint32_t middle, bool bit) {
    (bit ? last_ : first_) = bit ? middle : middle + 1;
    for (; (first_ ^ last_) >> 24 == 0; first_ <<= 8, last_ = last_ << 8 | 0xFF) {
      out_.push_back(static_cast<std::uint8_t>(last_ >> 24));
    }
  }

  std::uint32_t first_ = 0;
  std::uint32_t last_ = ~std::uint32_t{0};
  crdt::Bytes out_;
};

// Reads them again, from borrowed bytes. Throws Malformed where they end too early.
class RangeDecoder {
 public:
  explicit RangeDecoder(crdt::ByteView bytes)
      : position_(bytes.data()), end_(bytes.data() + bytes.size()) {
    for (int i = 0; i < 4; ++i) number_ = number_ << 8 | next();
  }

  void bit(Odds& odds, bool& bit) {
    const auto share =
        static_cast<std::uint32_t>(std::uint64_t{last_ - first_} * odds.of_65536() >> 16);
    take(first_ + share, bit);
    odds.learn(bit);
  }
  void plain_bit(bool& bit) { take(first_ + (last_ - first_) / 2, bit); }

 private:
  // What the encoder leaves away at its end.
  static constexpr int kMostMissing = 3;

  void take(std::uint32_t middle, bool& bit) {
    bit = number_ <= middle;
    (bit ? last_ : first_) = bit ? middle : middle + 1;
    for (; (first_ ^ last_) >> 24 == 0; first_ <<= 8, last_ = last_ << 8 | 0xFF) {
      number_ = number_ << 8 | next();
    }
  }
  std::uint8_t next() {
    if (position_ != end_) return *position_++;
    if (++missing_ > kMostMissing) throw Malformed("numbers are missing");
    return 0;
  }

  std::uint32_t first_ = 0;
  std::uint32_t last_ = ~std::uint32_t{0};
  std::uint32_t number_ = 0;
  const std::uint8_t* position_;
  const std::uint8_t* end_;
  int missing_ = 0;
};

}  // namespace palimpsest::storage::log
