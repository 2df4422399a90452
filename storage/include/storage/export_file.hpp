#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crdt/bytes.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage {

// A document with its whole history as one file. What the head says is not looked at here (it is
// JSON: server/transfer/document_file.hpp).
//
// file     := document+
// document := "PLMPDOC\n" u32(version: 1) head stretch* end
// head     := chunk{'H', JSON}
// stretch  := chunk{'L', number(first seq) number(last seq) segment}   segment: log/segment.hpp
// end      := chunk{'E', number(entries) number(stretches)}
// chunk    := kind: byte, u64(size) byte* u64(checksum)                u32, u64: little-endian
// number   := log/number.hpp
//
// A checksum is XXH3 (64 bits) of the chunk's bytes, its seed that of the kind and the size, the
// seed of which is the checksum before (0 at first): so a chunk that is lost, moved or of another
// file is noticed too.

inline constexpr std::string_view kExportMagic = "PLMPDOC\n";
inline constexpr std::uint32_t kExportVersion = 1;

// Writes such a file, piece by piece. What `write` throws passes through.
class ExportWriter {
 public:
  using Write = std::function<void(crdt::ByteView)>;

  explicit ExportWriter(Write write);

  void head(std::string_view json);
  void stretch(const PackedStretch& stretch);
  void end();

 private:
  void chunk(char kind, crdt::ByteView payload);

  Write write_;
  std::uint64_t checksum_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t stretches_ = 0;
};

// Reads one, piece by piece. Memory of the largest piece, as far as it is really there.
//
// Errors: crdt::DecodeError with the offset in the file; what `read` throws passes through.
class ExportReader {
 public:
  // Fills as much of the bytes as there is, and answers how much that was: less only at the end.
  using Read = std::function<std::size_t(std::span<std::uint8_t>)>;

  // Reads up to the head of the first document.
  explicit ExportReader(Read read);

  const std::string& head() const { return head_; }
  // Where the payload of what was read last begins.
  std::size_t offset_bytes() const { return payload_offset_; }
  // The next stretch; its times are not in the file. nullopt behind the last, when the end was
  // there and agreed.
  std::optional<PackedStretch> next();
  // Behind the end of a document, up to the head of the next one; false where the file ends.
  bool next_document();

 private:
  struct Chunk {
    char kind = 0;
    crdt::Bytes payload;
  };
  Chunk chunk();
  PackedStretch stretch_of(const Chunk& chunk);
  void check_end(const Chunk& chunk);
  // Takes that many bytes; `what` they are of.
  void take(std::span<std::uint8_t> bytes, const char* what);
  crdt::Bytes take_payload(std::uint64_t size);

  Read read_;
  std::string head_;
  std::size_t offset_ = 0;  // of what comes next
  std::size_t chunk_offset_ = 0;
  std::size_t payload_offset_ = 0;
  std::uint64_t checksum_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t stretches_ = 0;
};

}  // namespace palimpsest::storage
