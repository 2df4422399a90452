#include "sqlite/checksum.hpp"

#include <array>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace palimpsest::storage::sqlite {

std::uint64_t checksum(const Place& place, crdt::ByteView payload) {
  const std::array<std::uint64_t, 4> words{static_cast<std::uint64_t>(place.kind),
                                           static_cast<std::uint64_t>(place.document),
                                           place.generation, place.seq};
  std::array<std::uint8_t, sizeof words> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(words[i / 8] >> (8 * (i % 8)));
  }
  const XXH64_hash_t seed = XXH3_64bits(bytes.data(), bytes.size());
  return XXH3_64bits_withSeed(payload.data(), payload.size(), seed);
}

}  // namespace palimpsest::storage::sqlite
