#include "log/columns.hpp"

#include <memory>
#include <new>
#include <string>

#include <zstd.h>

namespace palimpsest::storage::log {
namespace {

// Nothing of ours comes near; a damaged size must not take the memory.
constexpr std::uint64_t kLargestStreamBytes = std::uint64_t{1} << 30;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class Compressor {
 public:
  explicit Compressor(int level) : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_contentSizeFlag, 0);  // it is stored beside it
  }

  void write(crdt::Bytes& out, crdt::ByteView stream) {
    frame_.resize(ZSTD_compressBound(stream.size()));
    const std::size_t stored =
        ZSTD_compress2(context_.get(), frame_.data(), frame_.size(), stream.data(), stream.size());
    if (ZSTD_isError(stored)) throw std::runtime_error(ZSTD_getErrorName(stored));
    put_number(out, stream.size());
    const bool is_smaller = stored < stream.size();
    put_number(out, is_smaller ? stored : stream.size());
    put_bytes(out, is_smaller ? crdt::ByteView(frame_).first(stored) : stream);
  }

 private:
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  crdt::Bytes frame_;
};

class Decompressor {
 public:
  Decompressor() : context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
  }

  // What lies in `source`, or was unpacked into `room`.
  crdt::ByteView read(Source& source, crdt::Bytes& room) {
    const std::uint64_t size = source.number();
    const std::uint64_t stored = source.number();
    const crdt::ByteView bytes = source.bytes(stored);
    if (stored == size) return bytes;
    if (size > kLargestStreamBytes) throw Malformed("a column is too large");
    room.resize(size);
    const std::size_t unpacked =
        ZSTD_decompressDCtx(context_.get(), room.data(), room.size(), bytes.data(), bytes.size());
    if (unpacked != size) throw Malformed("a column cannot be decompressed");
    return room;
  }

 private:
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
};

}  // namespace

void ColumnWriter::write(crdt::Bytes& out, int level) && {
  Compressor compressor(level);
  for (NumberColumn& column : numbers_) {
    column.end_run();
    compressor.write(out, column.values);
    compressor.write(out, column.runs);
  }
  for (const crdt::Bytes& content : contents_) compressor.write(out, content);
}

std::uint64_t unpacked_bytes_of(Source& source) {
  std::uint64_t bytes = 0;
  for (std::size_t stream = 0; stream < 2 * kNumberColumns + kContentColumns; ++stream) {
    const std::uint64_t size = source.number();
    if (size > kLargestStreamBytes) throw Malformed("a column is too large");
    bytes += size;
    source.bytes(source.number());
  }
  return bytes;
}

ColumnReader::ColumnReader(Source& source) {
  Decompressor decompressor;
  auto room = streams_.begin();
  for (NumberColumn& column : numbers_) {
    column.values = Source(decompressor.read(source, *room++));
    column.runs = Source(decompressor.read(source, *room++));
  }
  for (Source& content : contents_) content = Source(decompressor.read(source, *room++));
}

}  // namespace palimpsest::storage::log
