#include "log/first_columns.hpp"

#include <memory>
#include <new>

#include <zstd.h>

namespace palimpsest::storage::log {
namespace {

// The time since the entry before. Up to some bound it stood in one byte. Above, the byte said how
// long it was about, and another one stood elsewhere.
constexpr std::uint64_t kShortSteps = 192;
constexpr std::uint64_t kFarStep = 255;
constexpr std::uint64_t kFineSteps = 256;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
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
    if (size > kLargestColumnBytes) throw Malformed("a column is too large");
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

std::uint64_t FirstColumns::unpacked_bytes_of(Source& source) {
  std::uint64_t bytes = 0;
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    const std::uint64_t size = source.number();
    if (size > kLargestColumnBytes) throw Malformed("a column is too large");
    bytes += size;
    source.bytes(source.number());
  }
  return bytes;
}

FirstColumns::FirstColumns(Source& source) {
  Decompressor decompressor;
  auto room = streams_.begin();
  for (NumberColumn& column : numbers_) {
    column.values = Source(decompressor.read(source, *room++));
    column.runs = Source(decompressor.read(source, *room++));
  }
  for (Source& content : contents_) content = Source(decompressor.read(source, *room++));
}

std::uint64_t FirstColumns::next_time(Form form) {
  // Who types on does so at a pace, and has a column for it.
  const std::uint64_t coarse = contents_[form <= Form::kErasedForward ? kTypedAt : kAt].bytes(1)[0];
  if (coarse < kShortSteps) return at_ += coarse;
  if (coarse == kFarStep) return at_ = advance(at_, numbers_[0].next());
  const std::uint64_t fine = contents_[kFineAt].bytes(1)[0];
  return at_ += kShortSteps + (coarse - kShortSteps) * kFineSteps + fine;
}

}  // namespace palimpsest::storage::log
