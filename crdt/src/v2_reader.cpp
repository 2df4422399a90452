#include "v2_reader.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "crdt/reader.hpp"
#include "v2_blocks.hpp"

namespace palimpsest::crdt {
namespace internal {
namespace {

// The bytes in v1 as they grow. Room is made for many values at once; putting one checks nothing.
class Output {
 public:
  Output(std::size_t expected_bytes, std::size_t limit_bytes)
      : bytes_(std::min(expected_bytes, limit_bytes) + kSlack),
        limit_bytes_(limit_bytes),
        at_(bytes_.data()) {}

  std::size_t size() const { return static_cast<std::size_t>(at_ - bytes_.data()); }

  // False where that would be over the limit.
  bool make_room(std::size_t count) {
    return bytes_.size() - kSlack - size() >= count || grow(count);
  }

  void put_byte(std::uint8_t value) { *at_++ = value; }

  void put_var_uint(std::uint64_t value) {
    if (value < 0x80) {
      *at_++ = static_cast<std::uint8_t>(value);
      return;
    }
    put_groups(groups_of(value));
  }
  // Most ids that follow each other are of one client.
  void put_client(ClientId client) {
    if (client != client_) {
      client_ = client;
      client_groups_ = groups_of(client);
    }
    put_groups(client_groups_);
  }

  void put_bytes(const void* bytes, std::size_t count) {
    if (count == 0) return;
    std::memcpy(at_, bytes, count);
    at_ += count;
  }
  // Text that can be read on for `readable` bytes from where it begins.
  void put_text(ByteView text, std::size_t readable) {
    at_ = copy_text(at_, text.data(), text.size(), readable);
  }

  Bytes finish() {
    bytes_.resize(size());
    return std::move(bytes_);
  }

 private:
  // What may be written behind the room that was made.
  static constexpr std::size_t kSlack = kShortText;

  // A varUint as eight bytes of which `count` belong to it.
  struct Groups {
    std::uint64_t word = 0;
    std::size_t count = 1;
  };

  // All groups at once: they are moved apart in fours, pairs and one by one.
  static Groups groups_of(std::uint64_t value) {
    std::uint64_t word = (value & 0x0FFFFFFF) | (value & 0x00FFFFFF'F0000000) << 4;
    word = (word & 0x00003FFF'00003FFF) | (word & 0x0FFFC000'0FFFC000) << 2;
    word = (word & 0x007F007F'007F007F) | (word & 0x3F803F80'3F803F80) << 1;
    const std::size_t count = (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
    word |= 0x80808080'80808080 & ((std::uint64_t{1} << (8 * (count - 1))) - 1);
    return {word, count};
  }

  void put_groups(const Groups& groups) {
    std::memcpy(at_, &groups.word, sizeof groups.word);
    at_ += groups.count;
  }

  bool grow(std::size_t count) {
    const std::size_t used = size();
    if (count > limit_bytes_ || used > limit_bytes_ - count) return false;
    bytes_.resize(std::min(std::max(used + count, 2 * bytes_.size()), limit_bytes_) + kSlack);
    at_ = bytes_.data() + used;
    return true;
  }

  Bytes bytes_;
  std::size_t limit_bytes_;
  std::uint8_t* at_;
  ClientId client_ = 0;
  Groups client_groups_;
};

// Writes in v1 what it reads in v2, and notes what decode_update() notes.
class Transcoder {
 public:
  Transcoder(ByteView bytes, const V2Limits& limits, DecodedUpdate& update)
      : in_(bytes, limits),
        out_(bytes.size() + bytes.size() / 2, limits.v1_bytes(bytes.size())),
        update_(update) {}

  Bytes run() {
    const std::uint64_t count = in_.read_section_count();
    make_room(kMaxNumber);
    out_.put_var_uint(count);
    for (std::uint64_t i = 0; i < count; ++i) transcode_section();
    transcode_deletions();
    Bytes v1 = out_.finish();
    point_into(v1);
    return v1;
  }

 private:
  static constexpr std::size_t kMaxNumber = 8;  // bytes of a varUint below 2^56
  // The numbers of a block, and in front of its strings.
  static constexpr std::size_t kMaxNumbers = 2 + 10 * kMaxNumber;

  void make_room(std::size_t count) {
    if (!out_.make_room(count)) in_.fail_for_size();
  }

  void transcode_section() {
    Section& section = update_.sections.emplace_back(in_.read_section());
    update_.blocks += static_cast<std::size_t>(section.blocks);
    make_room(3 * kMaxNumber);
    out_.put_var_uint(section.blocks);
    out_.put_var_uint(section.client);
    out_.put_var_uint(section.clock);
    begins_.push_back(out_.size());
    BlockView block{};
    for (std::uint64_t i = 0; i < section.blocks; ++i) {
      const std::uint8_t info = in_.read_block(block);
      note_block(section, block, update_.brings_types);
      write(info, block);
    }
    ends_.push_back(out_.size());
  }

  void write(std::uint8_t info, const BlockView& block) {
    make_room(kMaxNumbers + block.content.size() + block.parent_root.size() + block.key.size());
    out_.put_byte(is_item(block.kind) ? info : static_cast<std::uint8_t>(block.kind));
    if (!is_item(block.kind)) return out_.put_var_uint(block.length);
    if (block.has_origin) put_id(block.origin);
    if (block.has_right_origin) put_id(block.right_origin);
    if (block.names_parent()) put_parent(block);
    if (block.kind == Kind::kString) {
      out_.put_var_uint(block.content.size());
      out_.put_text(block.content, block.content.size() + in_.readable_behind_text());
      return;
    }
    if (block.kind == Kind::kDeleted || block.kind == Kind::kJson || block.kind == Kind::kAny) {
      out_.put_var_uint(block.length);
    }
    out_.put_bytes(block.content.data(), block.content.size());
  }

  void put_parent(const BlockView& block) {
    if (block.has_parent_id) {
      out_.put_byte(0);
      put_id(block.parent_id);
    } else {
      out_.put_byte(1);
      put_name(block.parent_root);
    }
    if (block.has_key) put_name(block.key);
  }
  void put_name(std::string_view name) {
    out_.put_var_uint(name.size());
    out_.put_bytes(name.data(), name.size());
  }
  void put_id(Id id) {
    out_.put_client(id.client);
    out_.put_var_uint(id.clock);
  }

  void transcode_deletions() {
    in_.read_deletions(
        [&](std::uint64_t clients) {
          make_room(kMaxNumber);
          out_.put_var_uint(clients);
        },
        [&](ClientId client, std::uint64_t count) {
          make_room(2 * kMaxNumber + static_cast<std::size_t>(count) * 2 * kMaxNumber);
          update_.deletions.reserve(update_.deletions.size() + static_cast<std::size_t>(count));
          out_.put_var_uint(client);
          out_.put_var_uint(count);
        },
        [&](ClientId client, Clock clock, std::uint64_t length) {
          out_.put_var_uint(clock);
          out_.put_var_uint(length);
          update_.deletions.push_back({client, clock, length});
        });
  }

  // The views of the update, once the bytes stay where they are.
  void point_into(const Bytes& v1) {
    for (std::size_t i = 0; i < update_.sections.size(); ++i) {
      update_.sections[i].bytes = ByteView(v1).subspan(begins_[i], ends_[i] - begins_[i]);
    }
    update_.size_bytes = v1.size();
    if (update_.blocks != 1) return;
    for (const Section& section : update_.sections) {
      if (section.blocks == 0) continue;
      Reader reader(section.bytes);
      reread_block(reader, section.clock, update_.only_block);
    }
  }

  BlocksV2 in_;
  Output out_;
  DecodedUpdate& update_;
  // In the output, of each section's blocks.
  boost::container::small_vector<std::size_t, 4> begins_;
  boost::container::small_vector<std::size_t, 4> ends_;
};

}  // namespace

Bytes decode_update_v2(ByteView bytes, const V2Limits& limits, DecodedUpdate& update) {
  return Transcoder(bytes, limits, update).run();
}

}  // namespace internal

Bytes update_v1_from_v2(ByteView update, const V2Limits& limits) {
  internal::DecodedUpdate decoded;
  return internal::decode_update_v2(update, limits, decoded);
}

}  // namespace palimpsest::crdt
