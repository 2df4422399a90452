#include "typing.hpp"

#include <stdexcept>
#include <string>

namespace palimpsest::bench {
namespace {

constexpr std::string_view kRoot = "content";

void write_number(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::uint8_t read_byte(ByteView& from) {
  if (from.empty()) throw std::runtime_error("a message is cut off");
  const std::uint8_t byte = from.front();
  from = from.subspan(1);
  return byte;
}

std::uint64_t read_number(ByteView& from) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = read_byte(from);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  throw std::runtime_error("a number has no end");
}

ByteView read_bytes(ByteView& from) {
  const std::uint64_t length = read_number(from);
  if (length > from.size()) throw std::runtime_error("a message is cut off");
  const ByteView bytes = from.first(length);
  from = from.subspan(length);
  return bytes;
}

void skip_id(ByteView& from) {
  read_number(from);
  read_number(from);
}

constexpr std::uint64_t kAcknowledgement = 8;
constexpr std::uint8_t kString = 4;
constexpr std::uint8_t kSkip = 10;
constexpr std::uint8_t kHasOrigin = 0x80;
constexpr std::uint8_t kHasRightOrigin = 0x40;

// The text of one block; of a Skip, which is only a number of units, as many as that.
std::string_view read_block(ByteView& from, std::uint64_t& units) {
  const std::uint8_t info = read_byte(from);
  const int kind = info & 0x1F;
  if (kind == kSkip) {
    units = read_number(from);
    return {};
  }
  if (kind != kString) {
    throw std::runtime_error("a block of kind " + std::to_string(kind) +
                             ", where only text was written");
  }
  if ((info & kHasOrigin) != 0) skip_id(from);
  if ((info & kHasRightOrigin) != 0) skip_id(from);
  if ((info & (kHasOrigin | kHasRightOrigin)) == 0) {
    if (read_number(from) != 1) throw std::runtime_error("text in another place than the root");
    read_bytes(from);
  }
  const ByteView text = read_bytes(from);
  units = text.size();
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

}  // namespace

char typed_character(std::uint64_t client, std::uint64_t clock) {
  return static_cast<char>('a' + (client * 7 + clock) % 26);
}

void write_typing(Bytes& out, std::uint64_t client, std::uint64_t clock) {
  Bytes update;
  update.reserve(32);
  update.insert(update.end(), {1, 1});  // one client, one block
  write_number(update, client);
  write_number(update, clock);
  if (clock == 0) {
    update.insert(update.end(), {kString, 1, static_cast<std::uint8_t>(kRoot.size())});
    update.insert(update.end(), kRoot.begin(), kRoot.end());
  } else {
    update.push_back(kString | kHasOrigin);
    write_number(update, client);
    write_number(update, clock - 1);
  }
  update.push_back(1);
  update.push_back(static_cast<std::uint8_t>(typed_character(client, clock)));
  update.push_back(0);  // nothing is deleted

  out.insert(out.end(), {0, 2});
  write_number(out, update.size());
  out.insert(out.end(), update.begin(), update.end());
}

Message read_message(ByteView& frame) {
  const std::uint64_t type = read_number(frame);
  if (type == kAcknowledgement) {
    const std::uint64_t count = read_number(frame);
    if (count == 0) read_number(frame);  // the generation
    return {Message::Kind::kAcknowledged, {}, count};
  }
  if (type != 0) {  // awareness, or what only this server knows
    frame = {};
    return {};
  }
  const std::uint64_t kind = read_number(frame);
  const ByteView payload = read_bytes(frame);
  switch (kind) {
    case 0:
      return {Message::Kind::kStep1, payload, 0};
    case 1:
      return {Message::Kind::kStep2, payload, 0};
    case 2:
      return {Message::Kind::kUpdate, payload, 0};
    default:
      throw std::runtime_error("a sync message of kind " + std::to_string(kind));
  }
}

void for_each_run(ByteView update, const std::function<void(const Run&)>& see) {
  for (std::uint64_t clients = read_number(update); clients > 0; --clients) {
    std::uint64_t blocks = read_number(update);
    const std::uint64_t client = read_number(update);
    for (std::uint64_t clock = read_number(update); blocks > 0; --blocks) {
      std::uint64_t units = 0;
      const std::string_view text = read_block(update, units);
      if (!text.empty()) see({client, clock, text});
      clock += units;
    }
  }
  if (read_number(update) != 0) throw std::runtime_error("something is deleted");
}

}  // namespace palimpsest::bench
