#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "block.hpp"
#include "crdt/bytes.hpp"
#include "crdt/id.hpp"
#include "short_text.hpp"

namespace palimpsest::crdt::internal {

// What nearly every block of a text is: characters or a deletion, beside others of its client.
// Which of the two is part of the type, since they take turns and no processor can guess them; so
// is whether it stands between two others, as nearly all do.
template <Kind kKind, bool kIsBetween>
struct PlainBlock {
  static_assert(kKind == Kind::kString || kKind == Kind::kDeleted);
  static constexpr Kind kind = kKind;

  std::conditional_t<kIsBetween, std::true_type, bool> has_origin{};
  std::conditional_t<kIsBetween, std::true_type, bool> has_right_origin{};
  Clock origin_clock = 0;
  Clock right_origin_clock = 0;
  std::uint32_t length = 0;
  ByteView text;  // of characters; kShortText bytes can be read from where it begins

  // From the info byte; false where it stands beside nothing.
  bool set_neighbours(std::uint8_t info) {
    if constexpr (!kIsBetween) {
      has_origin = (info & kHasOrigin) != 0;
      has_right_origin = (info & kHasRightOrigin) != 0;
    }
    return has_origin || has_right_origin;
  }
};

inline constexpr std::uint8_t kBetween = kHasOrigin | kHasRightOrigin;

}  // namespace palimpsest::crdt::internal
