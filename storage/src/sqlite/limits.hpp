#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// The numbers of the SQLite store, in one place.
namespace palimpsest::storage::sqlite {

// From this size on, the write-ahead log is copied into the database after a commit …
inline constexpr std::int64_t kWalCheckpointBytes = std::int64_t{4} << 20;
// … and from this size on its file is cut down as well, which waits for readers.
inline constexpr std::int64_t kWalTruncateBytes = std::int64_t{64} << 20;

// How long a statement waits for another program's lock.
inline constexpr std::chrono::milliseconds kBusyTimeout{5000};
// How long cutting the write-ahead log down may hold up writing; it is tried again later.
inline constexpr std::chrono::milliseconds kTruncateTimeout{20};

// How many documents and authors the writer remembers before it starts anew.
inline constexpr std::size_t kCachedRows = 65536;

// How many of the last authors a summary names.
inline constexpr std::size_t kRecentAuthors = 8;

// How many log entries one transaction of verify() reads.
inline constexpr std::size_t kVerifyChunk = 1000;

}  // namespace palimpsest::storage::sqlite
