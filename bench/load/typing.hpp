#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

// Writers that need no CRDT: each appends one character after the other behind its own last one, so
// that its updates can be written down without looking at the document, and are valid in any order
// of the writers.

namespace palimpsest::bench {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// Number `clock` of what the writer types: an ASCII letter that depends on both, so that whoever
// reads it can tell whether it is the right one.
char typed_character(std::uint64_t client, std::uint64_t clock);

// message := varUint(0) varUint(2) varUint8Array(update)   sync, update (y-protocols PROTOCOL.md)
// The update (Yjs format v1) carries that character and nothing else.
void write_typing(Bytes& out, std::uint64_t client, std::uint64_t clock);

// Characters that one client has typed in a row.
struct Run {
  std::uint64_t client = 0;
  std::uint64_t clock = 0;
  std::string_view text;
};

// What a server has sent.
struct Message {
  enum class Kind { kStep1, kStep2, kUpdate, kAcknowledged, kOther };
  Kind kind = Kind::kOther;
  ByteView payload;         // of kStep1 a state vector, of kStep2 and kUpdate an update
  std::uint64_t count = 0;  // of kAcknowledged, of so many updates; 0 only to say that it will
};

// Reads one message of a frame and moves `frame` behind it.
// Throws std::runtime_error.
Message read_message(ByteView& frame);

// Calls `see` for every run in an update that writers of this kind have made.
// Throws std::runtime_error: cut off, or content that none of them writes.
void for_each_run(ByteView update, const std::function<void(const Run&)>& see);

}  // namespace palimpsest::bench
