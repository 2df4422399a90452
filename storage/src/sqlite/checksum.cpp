#include "sqlite/checksum.hpp"

#include <array>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "log/time_number.hpp"

namespace palimpsest::storage::sqlite {

namespace {

template <std::size_t count>
XXH64_hash_t checksum_of_words(const std::array<std::uint64_t, count>& words) {
  std::array<std::uint8_t, sizeof words> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(words[i / 8] >> (8 * (i % 8)));
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

std::uint64_t checksum(const Place& place, crdt::ByteView payload) {
  const XXH64_hash_t seed = checksum_of_words<4>({static_cast<std::uint64_t>(place.kind),
                                                  static_cast<std::uint64_t>(place.document),
                                                  place.generation, place.seq});
  return XXH3_64bits_withSeed(payload.data(), payload.size(), seed);
}

std::uint64_t checksum_of_segment(const SegmentPlace& place, crdt::ByteView segment) {
  const XXH64_hash_t seed = checksum_of_words<4>(
      {checksum(place.place, {}), place.first, place.earliest_ms, place.latest_ms});
  return XXH3_64bits_withSeed(segment.data(), segment.size(), seed);
}

std::uint64_t checksum(const EntryView& entry, std::uint64_t before) {
  const std::uint64_t at = log::number_of(entry.at);
  const XXH64_hash_t seed = checksum_of_words<6>(
      {before, entry.seq, at, log::number_of(entry.made_at, at), entry.author, entry.connection});
  return XXH3_64bits_withSeed(entry.update.data(), entry.update.size(), seed);
}

}  // namespace palimpsest::storage::sqlite
