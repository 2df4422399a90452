#include "log/columns.hpp"

#include <bit>
#include <stdexcept>

#include <brotli/decode.h>
#include <brotli/encode.h>

namespace palimpsest::storage::log {
namespace {

crdt::Bytes coded(crdt::ByteView runs) {
  if (runs.empty()) return {};
  const auto model = std::make_unique<RunModel>();
  RangeEncoder encoder;
  for (Source source(runs); !source.at_end();) {
    std::uint64_t value = source.number();
    std::uint64_t more = source.number();
    model->code(encoder, value, more);
  }
  return std::move(encoder).finish();
}

// A window that sees all of it, as far as there are such windows.
int window_bits(std::size_t size) {
  return std::clamp(static_cast<int>(std::bit_width(size)), BROTLI_MIN_WINDOW_BITS,
                    BROTLI_MAX_WINDOW_BITS);
}

void write_content(crdt::Bytes& out, crdt::ByteView content, int quality) {
  std::size_t stored = BrotliEncoderMaxCompressedSize(content.size());
  crdt::Bytes packed(stored);
  if (!BrotliEncoderCompress(quality, window_bits(content.size()), BROTLI_MODE_GENERIC,
                             content.size(), content.data(), &stored, packed.data())) {
    throw std::runtime_error("brotli cannot pack a column");
  }
  const bool is_smaller = stored < content.size();
  put_number(out, content.size());
  put_number(out, is_smaller ? stored : content.size());
  put_bytes(out, is_smaller ? crdt::ByteView(packed).first(stored) : content);
}

// What lies in `source`, or was unpacked into `room`.
crdt::ByteView read_content(Source& source, crdt::Bytes& room) {
  const std::uint64_t size = source.number();
  const crdt::ByteView stored = source.bytes(source.number());
  if (stored.size() == size) return stored;
  if (size > kLargestColumnBytes) throw Malformed("a column is too large");
  room.resize(size);
  std::size_t unpacked = room.size();
  if (BrotliDecoderDecompress(stored.size(), stored.data(), &unpacked, room.data()) !=
          BROTLI_DECODER_RESULT_SUCCESS ||
      unpacked != size) {
    throw Malformed("a column cannot be decompressed");
  }
  return room;
}

}  // namespace

void ColumnWriter::write(crdt::Bytes& out, int quality) && {
  for (NumberColumn& column : numbers_) {
    column.end_run();
    const crdt::Bytes runs = coded(column.runs);
    put_number(out, runs.size());
    put_bytes(out, runs);
  }
  for (const crdt::Bytes& content : contents_) write_content(out, content, quality);
}

std::uint64_t ColumnReader::unpacked_bytes_of(Source& source) {
  for (std::size_t column = 0; column < kNumberColumns; ++column) source.bytes(source.number());
  std::uint64_t bytes = 0;
  for (std::size_t column = 0; column < kContentColumns; ++column) {
    const std::uint64_t size = source.number();
    if (size > kLargestColumnBytes) throw Malformed("a column is too large");
    bytes += size;
    source.bytes(source.number());
  }
  return bytes;
}

ColumnReader::ColumnReader(Source& source) {
  for (NumberColumn& column : numbers_) column.stored = source.bytes(source.number());
  auto room = unpacked_.begin();
  for (Source& content : contents_) content = Source(read_content(source, *room++));
}

void ColumnReader::next_run(NumberColumn& column) {
  if (!column.runs) column.runs = std::make_unique<Runs>(Runs{RangeDecoder(column.stored), {}});
  column.runs->model.code(column.runs->decoder, column.value, column.left);
}

}  // namespace palimpsest::storage::log
