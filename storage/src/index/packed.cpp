#include "index/packed.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>

#include <zstd.h>

namespace palimpsest::storage::index {
namespace {

constexpr int kLevel = 6;  // 19 takes ten times as long for a tenth less
// Nothing of ours comes near; a damaged size must not take the memory.
constexpr unsigned long long kLargestText = 64ULL << 20;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

crdt::Bytes pack(std::string_view text) {
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  crdt::Bytes packed(ZSTD_compressBound(text.size()));
  const std::size_t size =
      ZSTD_compress2(context.get(), packed.data(), packed.size(), text.data(), text.size());
  if (ZSTD_isError(size)) throw std::runtime_error(ZSTD_getErrorName(size));
  packed.resize(size);
  return packed;
}

std::optional<std::string> unpack(crdt::ByteView packed) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size > kLargestText) return std::nullopt;  // an error is a larger number
  std::string text(size, '\0');
  const std::size_t unpacked =
      ZSTD_decompress(text.data(), text.size(), packed.data(), packed.size());
  if (unpacked != size) return std::nullopt;
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) {
    if (!all.empty()) all += ' ';
    all += word;
  }
  return all;
}

std::vector<std::string> split(std::string_view words) {
  std::vector<std::string> all;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    all.emplace_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return all;
}

}  // namespace palimpsest::storage::index
