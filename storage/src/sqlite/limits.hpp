#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "log/packer.hpp"

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

// How many rows of the log one transaction of verify() reads.
inline constexpr std::size_t kVerifyChunk = 1000;

// How much of the log is worth packing while a document is edited, and when it is unloaded.
inline constexpr std::uint64_t kPackedEntries = 1024;
inline constexpr std::uint64_t kPackedEntriesAtUnload = 64;
// At most so many entries and bytes of rows are packed at once: their deletion is what holds up the
// writer.
inline constexpr std::uint64_t kPackedEntriesAtOnce = 8192;
inline constexpr std::uint64_t kPackedBytesAtOnce = std::uint64_t{2} << 20;
// A segment grows, by being packed anew with what follows, up to so many entries and bytes …
inline constexpr std::uint64_t kSegmentEntries = log::kStretchEntries;
inline constexpr std::uint64_t kSegmentBytes = std::uint64_t{1} << 20;
// … of which updates can be made that are much larger, and take memory whenever it is read …
inline constexpr std::uint64_t kSegmentUpdateBytes = log::kStretchUpdateBytes;
// … and not for the sake of less than its size (and a part of that at unload): else the same would
// be packed over and over.
inline constexpr std::uint64_t kSegmentGrowth = 1;
inline constexpr std::uint64_t kSegmentGrowthAtUnload = 16;
// How hard brotli tries, of 11: a microsecond for each byte of text, in the background. While a
// document is edited a third of that, since what is packed then is soon packed anew.
inline constexpr int kSegmentQuality = log::kStretchQuality;
inline constexpr int kSegmentQualityWhileEdited = 10;

}  // namespace palimpsest::storage::sqlite
