#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace palimpsest::crdt {

// Bytes from outside that are not what they claim to be. Nothing has been changed when it is
// thrown: decoding comes before applying.
class DecodeError : public std::runtime_error {
 public:
  DecodeError(std::size_t offset, const std::string& cause)
      : std::runtime_error("byte " + std::to_string(offset) + ": " + cause),
        offset_bytes_(offset),
        cause_(cause) {}

  // Where in the decoded bytes, from their start.
  std::size_t offset_bytes() const noexcept { return offset_bytes_; }
  const std::string& cause() const noexcept { return cause_; }

 private:
  std::size_t offset_bytes_;
  std::string cause_;
};

// A broken invariant of ours: never the fault of the input. The owner of the document drops it and
// loads it again from the log.
class Bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void report_bug(const char* expression, const char* file, int line);

}  // namespace palimpsest::crdt

// Stays on in release builds. Aborts where PALIMPSEST_ABORT_ON_BUG is defined (tests, fuzzers),
// throws Bug elsewhere.
#define PALIMPSEST_ASSERT(expression) \
  (static_cast<bool>(expression)      \
       ? static_cast<void>(0)         \
       : ::palimpsest::crdt::report_bug(#expression, __FILE__, __LINE__))
