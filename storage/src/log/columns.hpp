#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "crdt/bytes.hpp"
#include "log/number.hpp"
#include "log/number_model.hpp"

namespace palimpsest::storage::log {

// The columns of a segment that hold numbers. Most are coded against a guess (guesses.hpp), so that
// what is usual is a long run of zeros.
enum class Numbers : std::size_t {
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
  kText,
  kContent,  // of blocks that are no text, and names of parents
  kRaw,      // updates that are kept as they are
  kEnd
};

inline constexpr auto kNumberColumns = static_cast<std::size_t>(Numbers::kEnd);
inline constexpr auto kContentColumns = static_cast<std::size_t>(Content::kEnd);

// Nothing of ours comes near; a damaged size must not take the memory.
inline constexpr std::uint64_t kLargestColumnBytes = std::uint64_t{1} << 30;

// Runs of equal numbers: what comes next goes by what came last, and how often by what it is.
class RunModel {
 public:
  template <class Coder>
  void code(Coder& coder, std::uint64_t& value, std::uint64_t& more) {
    values_.code(coder, context_of(last_), value);
    more_.code(coder, context_of(value), more);
    last_ = value;
  }

 private:
  static constexpr std::size_t kContexts = 6;
  static std::size_t context_of(std::uint64_t value) {
    return static_cast<std::size_t>(std::min<std::uint64_t>(value, kContexts - 1));
  }

  NumberModel<kContexts> values_;
  NumberModel<kContexts> more_;
  std::uint64_t last_ = 0;
};

// Writes columns. A run of equal numbers is stored once with its length; the runs of a column go
// through a range coder, and the bytes through brotli.
//
// columns := numbers{one for each of Numbers} content{one for each of Content}
// numbers := number(stored) byte*                 runs, range coded; none where there are none
// content := number(size) number(stored) byte*    stored = size: as it is; else brotli
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

  // `quality`: of brotli, up to 11.
  void write(crdt::Bytes& out, int quality) &&;

 private:
  struct NumberColumn {
    crdt::Bytes runs;  // each value, and how many more of it
    std::uint64_t value = 0;
    std::uint64_t run = 0;

    void end_run() {
      if (run == 0) return;
      put_number(runs, value);
      put_number(runs, run - 1);
    }
  };
  std::array<NumberColumn, kNumberColumns> numbers_;
  std::array<crdt::Bytes, kContentColumns> contents_;
};

// Reads them again. Throws Malformed.
//
// Memory: that of the content, and some kilobytes for each column of numbers in use.
class ColumnReader {
 public:
  // How many bytes the columns have when they are unpacked, but for the numbers, which never are
  // as a whole; leaves `source` behind them.
  static std::uint64_t unpacked_bytes_of(Source& source);

  explicit ColumnReader(Source& source);
  ColumnReader(const ColumnReader&) = delete;
  ColumnReader& operator=(const ColumnReader&) = delete;

  std::uint64_t number(Numbers column) {
    NumberColumn& here = numbers_[static_cast<std::size_t>(column)];
    if (here.left > 0) {
      --here.left;
    } else {
      next_run(here);
    }
    return here.value;
  }
  // Valid as long as the reader.
  crdt::ByteView content(Content column, std::uint64_t size) {
    return contents_[static_cast<std::size_t>(column)].bytes(size);
  }

 private:
  struct Runs {
    RangeDecoder decoder;
    RunModel model;
  };
  struct NumberColumn {
    std::uint64_t value = 0;
    std::uint64_t left = 0;
    crdt::ByteView stored;
    std::unique_ptr<Runs> runs;  // once it is read
  };
  static void next_run(NumberColumn& column);

  std::array<NumberColumn, kNumberColumns> numbers_;
  std::array<Source, kContentColumns> contents_;
  std::array<crdt::Bytes, kContentColumns> unpacked_;
};

}  // namespace palimpsest::storage::log
