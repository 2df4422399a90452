#pragma once

#include <cstdint>

#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {

// The key of an entry of the log: its document in the upper 31 bits, its seq in the lower 32.
inline constexpr Seq kMaxSeq = 0xffffffff;

constexpr std::int64_t position(DocumentId document, Seq seq) {
  return (document << 32) | static_cast<std::int64_t>(seq);
}

}  // namespace palimpsest::storage::sqlite
