#pragma once

#include <cstdint>
#include <filesystem>

namespace palimpsest::storage {

// Room on the disk that is set aside for the day on which it is full: DIR/palimpsest.reserve, a
// file of nothing. Only a person gives it back, and so has time to find out what fills the disk
// while edits are saved again; the next server makes it anew once there is room.
//
// Home:   any thread, by the process that holds the directory; release_reserve() by anybody.
// Errors: Error (kUnavailable) where the file cannot be looked at, made or removed.
enum class Reserve {
  kThere,
  kNoRoom,       // less than kReserveShare times as much is free
  kNotPossible,  // the file system sets no room aside
};

// A reserve is a small part of what is free, or there is none.
inline constexpr std::uint64_t kReserveShare = 4;

// Has there be a reserve of so many bytes, if it can be had; 0 is none.
Reserve keep_reserve(const std::filesystem::path& directory, std::uint64_t bytes);

// How much is set aside.
std::uint64_t reserve_bytes(const std::filesystem::path& directory);

// Gives it back to the disk; answers how much that was.
std::uint64_t release_reserve(const std::filesystem::path& directory);

}  // namespace palimpsest::storage
