#include "index/packed.hpp"

#include <algorithm>

#include "frame.hpp"

namespace palimpsest::storage::index {
namespace {

constexpr int kLevel = 6;  // 19 takes ten times as long for a tenth less
// Nothing of ours comes near; a damaged size must not take the memory.
constexpr std::size_t kLargestText = std::size_t{64} << 20;

}  // namespace

crdt::Bytes pack(std::string_view text) {
  return pack_frame({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, kLevel);
}

std::optional<std::string> unpack(crdt::ByteView packed) {
  const auto text = unpack_frame(packed, kLargestText);
  if (!text) return std::nullopt;
  return std::string(text->begin(), text->end());
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
