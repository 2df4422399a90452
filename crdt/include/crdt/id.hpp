#pragma once

#include <compare>
#include <cstdint>

namespace palimpsest::crdt {

// A replica's number, 0 … 2^53-1 (Yjs draws 32 random bits; others use all 53).
using ClientId = std::uint64_t;

// How many units of content a client had written before: 0 … 2^53-1. One unit is one UTF-16 code
// unit of text or one element of anything else.
using Clock = std::uint64_t;

// The largest number that a JavaScript peer can hold exactly, and so the largest that lib0 reads.
inline constexpr std::uint64_t kMaxSafeInteger = (std::uint64_t{1} << 53) - 1;

// By convention, replicas whose client ids begin with the byte FE (of four) write nothing but what
// undoing and restoring take: "restorers". So a copy that they have put beside a deleted item can
// be told from what somebody has typed there. One in 256 of those who draw their ids at random
// counts as one without knowing, which matters only where it types again what was deleted just
// there.
inline constexpr ClientId kFirstRestorer = 0xFE00'0000;
inline constexpr ClientId kLastRestorer = 0xFEFF'FFFF;
constexpr bool is_restorer(ClientId client) {
  return kFirstRestorer <= client && client <= kLastRestorer;
}

// The name of one unit of content, unique over all replicas (YATA paper, 2016: "operation id").
struct Id {
  ClientId client;
  Clock clock;

  friend auto operator<=>(const Id&, const Id&) = default;
};

}  // namespace palimpsest::crdt
