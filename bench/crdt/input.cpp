#include "input.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace palimpsest::bench {
namespace {

using crdt::Bytes;
using crdt::ByteView;

// Takes numbers and bytes off the front of a file's content.
class Fields {
 public:
  explicit Fields(ByteView bytes) : left_(bytes) {}

  bool at_end() const { return left_.empty(); }

  ByteView bytes(std::size_t count) {
    if (left_.size() < count) throw std::runtime_error("an input is cut off");
    const ByteView taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }

  std::uint32_t number() {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
    return value;
  }

 private:
  ByteView left_;
};

std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Bytes Input::read(const std::string& name) const {
  const std::string path = folder_ + "/" + name;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " cannot be read");
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

std::string Input::content() const { return std::string(as_text(read("yjs.content"))); }

std::size_t Input::Updates::bytes() const {
  return stream.size() - sizeof(std::uint32_t) * each.size();
}

Input::Updates Input::updates() const {
  Updates updates{.stream = read("yjs.updates"), .each = {}};
  for (Fields fields(updates.stream); !fields.at_end();) {
    const std::uint32_t length = fields.number();
    updates.each.push_back(fields.bytes(length));
  }
  return updates;
}

Input::Edits Input::edits() const {
  Edits edits{.stream = read("edits"), .each = {}};
  for (Fields fields(edits.stream); !fields.at_end();) {
    const std::uint32_t position = fields.number();
    const std::uint32_t deleted = fields.number();
    const std::uint32_t length = fields.number();
    edits.each.push_back({position, deleted, as_text(fields.bytes(length))});
  }
  return edits;
}

}  // namespace palimpsest::bench
