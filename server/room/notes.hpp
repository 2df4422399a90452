#pragma once

#include <cstddef>

namespace palimpsest::server {

// How much people may set and note of a document (storage::Notes), whichever way it comes.
inline constexpr std::size_t kTitleCodePoints = 200;
inline constexpr std::size_t kMostTags = 20;
inline constexpr std::size_t kTagCodePoints = 50;
inline constexpr std::size_t kReasonBytes = 1000;  // of a purge

}  // namespace palimpsest::server
