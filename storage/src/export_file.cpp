#include "storage/export_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <xxhash.h>

#include "crdt/error.hpp"
#include "log/number.hpp"

namespace palimpsest::storage {
namespace {

constexpr char kHead = 'H';
constexpr char kStretch = 'L';
constexpr char kEnd = 'E';
constexpr std::size_t kPrefixBytes = 9;
constexpr std::size_t kBlockBytes = std::size_t{64} << 10;
// Ours stay far below.
constexpr std::uint64_t kLargestHead = std::uint64_t{16} << 20;
constexpr std::uint64_t kLargestStretch = std::uint64_t{128} << 20;

template <std::size_t N>
std::array<std::uint8_t, N> little_endian(std::uint64_t value) {
  std::array<std::uint8_t, N> bytes{};
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
  return bytes;
}

std::uint64_t number_of(std::span<const std::uint8_t> little_endian) {
  std::uint64_t value = 0;
  for (auto byte = little_endian.rbegin(); byte != little_endian.rend(); ++byte) {
    value = value << 8 | *byte;
  }
  return value;
}

using Prefix = std::array<std::uint8_t, kPrefixBytes>;

Prefix prefix_of(char kind, std::uint64_t size) {
  Prefix prefix{static_cast<std::uint8_t>(kind)};
  std::ranges::copy(little_endian<8>(size), prefix.begin() + 1);
  return prefix;
}

std::uint64_t checksum_of(const Prefix& prefix, crdt::ByteView payload, std::uint64_t before) {
  const std::uint64_t seed = XXH3_64bits_withSeed(prefix.data(), prefix.size(), before);
  return XXH3_64bits_withSeed(payload.data(), payload.size(), seed);
}

crdt::ByteView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

ExportWriter::ExportWriter(Write write) : write_(std::move(write)) {
  write_(view(kExportMagic));
  write_(little_endian<4>(kExportVersion));
}

void ExportWriter::head(std::string_view json) { chunk(kHead, view(json)); }

void ExportWriter::stretch(const PackedStretch& stretch) {
  crdt::Bytes payload;
  payload.reserve(stretch.bytes.size() + 20);
  log::put_number(payload, stretch.first);
  log::put_number(payload, stretch.last);
  log::put_bytes(payload, stretch.bytes);
  chunk(kStretch, payload);
  entries_ += stretch.last - stretch.first + 1;
  ++stretches_;
}

void ExportWriter::end() {
  crdt::Bytes payload;
  log::put_number(payload, entries_);
  log::put_number(payload, stretches_);
  chunk(kEnd, payload);
}

void ExportWriter::chunk(char kind, crdt::ByteView payload) {
  const Prefix prefix = prefix_of(kind, payload.size());
  checksum_ = checksum_of(prefix, payload, checksum_);
  write_(prefix);
  write_(payload);
  write_(little_endian<8>(checksum_));
}

ExportReader::ExportReader(Read read) : read_(std::move(read)) {
  if (!next_document()) throw crdt::DecodeError(0, "is empty");
}

bool ExportReader::next_document() {
  const std::size_t begin = offset_;
  std::array<std::uint8_t, kExportMagic.size()> magic{};
  const std::size_t count = read_(magic);
  if (count == 0) return false;
  offset_ += count;
  if (!std::ranges::equal(magic, view(kExportMagic))) {
    throw crdt::DecodeError(begin, "is no document exported by palimpsest");
  }
  std::array<std::uint8_t, 4> version{};
  take(version, "the version");
  if (const std::uint64_t found = number_of(version); found != kExportVersion) {
    throw crdt::DecodeError(begin + magic.size(), "is of version " + std::to_string(found) +
                                                      ", and this program knows version 1");
  }
  checksum_ = entries_ = stretches_ = 0;
  const Chunk first = chunk();
  if (first.kind != kHead) throw crdt::DecodeError(chunk_offset_, "a head is missing");
  head_.assign(first.payload.begin(), first.payload.end());
  return true;
}

std::optional<PackedStretch> ExportReader::next() {
  const Chunk read = chunk();
  if (read.kind == kStretch) return stretch_of(read);
  if (read.kind != kEnd) throw crdt::DecodeError(chunk_offset_, "a piece of an unknown kind");
  check_end(read);
  return std::nullopt;
}

PackedStretch ExportReader::stretch_of(const Chunk& chunk) {
  try {
    log::Source source(chunk.payload);
    PackedStretch stretch;
    stretch.first = source.number();
    stretch.last = source.number();
    if (stretch.first != entries_ + 1 || stretch.last < stretch.first) {
      throw log::Malformed("what comes next is entry " + std::to_string(entries_ + 1));
    }
    const crdt::ByteView bytes = source.bytes(source.remaining());
    stretch.bytes.assign(bytes.begin(), bytes.end());
    entries_ = stretch.last;
    ++stretches_;
    return stretch;
  } catch (const log::Malformed& malformed) {
    throw crdt::DecodeError(payload_offset_, malformed.what());
  }
}

void ExportReader::check_end(const Chunk& chunk) {
  try {
    log::Source source(chunk.payload);
    const bool agrees = source.number() == entries_ && source.number() == stretches_;
    if (!agrees || !source.at_end()) throw log::Malformed("entries are missing");
  } catch (const log::Malformed& malformed) {
    throw crdt::DecodeError(payload_offset_, malformed.what());
  }
}

ExportReader::Chunk ExportReader::chunk() {
  chunk_offset_ = offset_;
  Prefix prefix{};
  take(prefix, "a piece");
  Chunk chunk;
  chunk.kind = static_cast<char>(prefix[0]);
  const std::uint64_t size = number_of(std::span(prefix).subspan(1));
  if (size > (chunk.kind == kHead ? kLargestHead : kLargestStretch)) {
    throw crdt::DecodeError(chunk_offset_, "a piece that is too large");
  }
  payload_offset_ = offset_;
  chunk.payload = take_payload(size);
  checksum_ = checksum_of(prefix, chunk.payload, checksum_);
  const std::size_t checksum_offset = offset_;
  std::array<std::uint8_t, 8> stored{};
  take(stored, "a checksum");
  if (number_of(stored) != checksum_) {
    throw crdt::DecodeError(checksum_offset, "a checksum does not match the bytes from " +
                                                 std::to_string(chunk_offset_) + " on");
  }
  return chunk;
}

// A size is believed only as far as there are bytes.
crdt::Bytes ExportReader::take_payload(std::uint64_t size) {
  crdt::Bytes payload;
  while (payload.size() < size) {
    const std::size_t taken = payload.size();
    payload.resize(taken + static_cast<std::size_t>(std::min<std::uint64_t>(
                               std::max<std::size_t>(kBlockBytes, taken), size - taken)));
    take(std::span(payload).subspan(taken), "a piece");
  }
  return payload;
}

void ExportReader::take(std::span<std::uint8_t> bytes, const char* what) {
  const std::size_t count = read_(bytes);
  offset_ += count;
  if (count < bytes.size()) throw crdt::DecodeError(offset_, std::string(what) + " is cut off");
}

}  // namespace palimpsest::storage
