#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crdt/bytes.hpp"
#include "log/columns.hpp"
#include "log/number.hpp"
#include "log/update_columns.hpp"

namespace palimpsest::storage::log {

// The columns of segments of version 1, which are read and no longer written: both streams of a
// column of numbers and all content were compressed with zstd, each on its own, and times were
// columns among the others.
//
// columns := far number-column{one for each of Numbers} typedAt at fineAt
//            stream{one for each of Content}
// far, number-column := stream stream          the values, and how many more of each
// typedAt, at, fineAt := stream
// stream  := number(size) number(stored) byte*    stored = size: as it is; else a zstd frame
//
// Errors: Malformed.
class FirstColumns {
 public:
  // How many bytes the columns have when they are unpacked; leaves `source` behind them.
  static std::uint64_t unpacked_bytes_of(Source& source);

  explicit FirstColumns(Source& source);
  FirstColumns(const FirstColumns&) = delete;
  FirstColumns& operator=(const FirstColumns&) = delete;

  std::uint64_t number(Numbers column) {
    return numbers_[1 + static_cast<std::size_t>(column)].next();
  }
  // Valid as long as the reader.
  crdt::ByteView content(Content column, std::uint64_t size) {
    return contents_[kTimes + static_cast<std::size_t>(column)].bytes(size);
  }

  // When the next entry came, whose update has this form.
  std::uint64_t next_time(Form form);

 private:
  static constexpr std::size_t kTimes = 3;
  static constexpr std::size_t kStreams = 2 * (1 + kNumberColumns) + kTimes + kContentColumns;
  enum Times : std::size_t { kTypedAt, kAt, kFineAt };

  struct NumberColumn {
    std::uint64_t value = 0;
    std::uint64_t left = 0;
    Source values;
    Source runs;

    std::uint64_t next() {
      if (left > 0) {
        --left;
        return value;
      }
      left = runs.number();
      return value = values.number();
    }
  };

  std::uint64_t at_ = 0;
  std::array<NumberColumn, 1 + kNumberColumns> numbers_;  // first the far steps
  std::array<Source, kTimes + kContentColumns> contents_;
  std::array<crdt::Bytes, kStreams> streams_;
};

}  // namespace palimpsest::storage::log
