#include "frame.hpp"

#include <memory>
#include <new>
#include <stdexcept>

#include <zstd.h>

namespace palimpsest::storage {
namespace {

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

crdt::Bytes pack_frame(crdt::ByteView bytes, int level) {
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  crdt::Bytes frame(ZSTD_compressBound(bytes.size()));
  const std::size_t size =
      ZSTD_compress2(context.get(), frame.data(), frame.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size)) throw std::runtime_error(ZSTD_getErrorName(size));
  frame.resize(size);
  return frame;
}

std::optional<crdt::Bytes> unpack_frame(crdt::ByteView frame, std::size_t most) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size > most) return std::nullopt;  // an error is a larger number
  crdt::Bytes bytes(size);
  if (ZSTD_decompress(bytes.data(), bytes.size(), frame.data(), frame.size()) != size)
    return std::nullopt;
  return bytes;
}

}  // namespace palimpsest::storage
