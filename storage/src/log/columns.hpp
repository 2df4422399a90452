#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crdt/bytes.hpp"
#include "log/number.hpp"

namespace palimpsest::storage::log {

// The columns of a segment that hold numbers. Most are coded against a guess (guesses.hpp), so that
// what is usual is a long run of zeros.
enum class Numbers : std::size_t {
  kFarAt,        // difference to the time of the entry before, where it is no usual one
  kMadeAt,       // 0: just now; else 1 + the difference to `at`
  kSender,       // index into the senders of the segment; the next free one introduces a sender
  kConnection,   // of a sender that is introduced
  kForm,         // of an update
  kCount,        // of blocks, deletions and their clients, where an update has several
  kClient,       // 0: the sender's; else 1 + index; the next free one introduces a client
  kNewClient,    // the id of a client that is introduced
  kClock,        // difference to the clock that the client has reached
  kInfo,         // first byte of a block
  kUnits,        // length of blocks that are no text
  kSize,         // bytes of text
  kContentSize,  // bytes in kContent and kRaw
  kOrigin,       // which guess is right; where none is, it stands in kId…
  kRightOrigin,  // likewise
  kDeletion,     // likewise
  kDeletionUnits,
  kIdClient,  // 0: as guessed; else 1 + index
  kIdClock,   // difference to the guess
  kEnd
};

// The columns that hold bytes.
enum class Content : std::size_t {
  kTypedAt,  // time since the entry before (segment.cpp), of what was typed or erased on
  kAt,       // of all else
  kFineAt,   // its lower part, where it is long
  kText,
  kContent,  // of blocks that are no text, and names of parents
  kRaw,      // updates that are kept as they are
  kEnd
};

inline constexpr auto kNumberColumns = static_cast<std::size_t>(Numbers::kEnd);
inline constexpr auto kContentColumns = static_cast<std::size_t>(Content::kEnd);

// Writes columns. A run of equal numbers is stored once with its length; both streams of a column
// and the bytes are compressed with zstd, each on its own: they are of different kinds.
//
// columns := stream{two for each of Numbers, one for each of Content}
// stream  := number(size) number(stored) byte*    stored = size: as it is; else a zstd frame
class ColumnWriter {
 public:
  void number(Numbers column, std::uint64_t value) {
    NumberColumn& here = numbers_[static_cast<std::size_t>(column)];
    if (here.run > 0 && here.value == value) {
      ++here.run;
      return;
    }
    here.end_run();
    here.value = value;
    here.run = 1;
  }
  void content(Content column, crdt::ByteView bytes) {
    put_bytes(contents_[static_cast<std::size_t>(column)], bytes);
  }

  void write(crdt::Bytes& out, int level) &&;

 private:
  struct NumberColumn {
    crdt::Bytes values;
    crdt::Bytes runs;  // how many more of each
    std::uint64_t value = 0;
    std::uint64_t run = 0;

    void end_run() {
      if (run == 0) return;
      put_number(values, value);
      put_number(runs, run - 1);
    }
  };
  std::array<NumberColumn, kNumberColumns> numbers_;
  std::array<crdt::Bytes, kContentColumns> contents_;
};

// How many bytes the columns have when they are unpacked; leaves `source` behind them. Throws
// Malformed.
std::uint64_t unpacked_bytes_of(Source& source);

// Reads them again. Throws Malformed.
class ColumnReader {
 public:
  explicit ColumnReader(Source& source);
  ColumnReader(const ColumnReader&) = delete;
  ColumnReader& operator=(const ColumnReader&) = delete;

  std::uint64_t number(Numbers column) {
    NumberColumn& here = numbers_[static_cast<std::size_t>(column)];
    if (here.left > 0) {
      --here.left;
      return here.value;
    }
    here.left = here.runs.number();
    return here.value = here.values.number();
  }
  // Valid as long as the reader.
  crdt::ByteView content(Content column, std::uint64_t size) {
    return contents_[static_cast<std::size_t>(column)].bytes(size);
  }

 private:
  struct NumberColumn {
    std::uint64_t value = 0;
    std::uint64_t left = 0;
    Source values;
    Source runs;
  };
  std::array<NumberColumn, kNumberColumns> numbers_;
  std::array<Source, kContentColumns> contents_;
  std::array<crdt::Bytes, 2 * kNumberColumns + kContentColumns> streams_;
};

}  // namespace palimpsest::storage::log
