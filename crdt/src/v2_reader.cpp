#include "v2_reader.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "crdt/any.hpp"
#include "crdt/reader.hpp"
#include "json.hpp"
#include "v2_columns.hpp"
#include "v2_values.hpp"

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
  const std::uint8_t* data() const { return bytes_.data(); }

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
    std::memcpy(at_, bytes, count);
    at_ += count;
  }
  // Of a string in `[…, end)`: most are so short that copying a fixed length is faster.
  void put_text(std::string_view text, const char* end) {
    if (text.size() <= kSlack && static_cast<std::size_t>(end - text.data()) >= kSlack) {
      std::memcpy(at_, text.data(), kSlack);
      at_ += text.size();
    } else if (!text.empty()) {
      put_bytes(text.data(), text.size());
    }
  }

  Bytes finish() {
    bytes_.resize(size());
    return std::move(bytes_);
  }

 private:
  // What may be written behind the room that was made.
  static constexpr std::size_t kSlack = 32;

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

Reader read_column(Reader& update) {
  const ByteView bytes = update.read_var_bytes();
  return Reader(bytes, update.offset() - bytes.size());
}

// The nine columns and what follows them.
//
// updateV2 := varUint(0) column{9} rest
// column   := varUint8Array                         in the order of the members
// rest     := varUint(clients) (varUint(blocks) varUint(clock) restOfBlock*)* deleteSet
struct Columns {
  explicit Columns(Reader update)
      : key_clocks(read_column(read_features(update))),
        clients(read_column(update)),
        left_clocks(read_column(update)),
        right_clocks(read_column(update)),
        infos(read_column(update)),
        strings(read_column(update)),
        parent_infos(read_column(update)),
        type_refs(read_column(update)),
        lengths(read_column(update)),
        rest(update) {}

  IntDiffOptRleDecoder key_clocks;
  UintOptRleDecoder clients;
  IntDiffOptRleDecoder left_clocks;
  IntDiffOptRleDecoder right_clocks;
  RleDecoder infos;
  StringDecoder strings;
  RleDecoder parent_infos;
  UintOptRleDecoder type_refs;
  UintOptRleDecoder lengths;
  Reader rest;

 private:
  static Reader& read_features(Reader& update) {
    const std::size_t start = update.position();
    if (update.read_var_uint() != 0) update.fail_at(start, "this is not update format v2");
    return update;
  }
};

// Writes in v1 what it reads in v2, and notes what decode_update() notes.
//
// block := the v1 block (block.hpp), each part taken from its column: info, client, left clock
// (origin and parent), right clock, parent info, string, type ref, length (GC, Deleted, JSON, Any);
// of Format and Type the name is a key; Embed and Format have an any for their JSON. In the rest
// stand the length of Skip, Binary, and every any.
class Transcoder {
 public:
  Transcoder(ByteView bytes, const V2Limits& limits, DecodedUpdate& update)
      : in_(Reader(bytes)),
        out_(bytes.size() + bytes.size() / 2, limits.v1_bytes(bytes.size())),
        free_blocks_(limits.blocks(bytes.size())),
        update_(update) {}

  Bytes run() {
    // A section takes two bytes of the rest.
    const std::uint64_t count = in_.rest.read_count(2, "more clients than the bytes can hold");
    make_room(kMaxNumber);
    out_.put_var_uint(count);
    for (std::uint64_t i = 0; i < count; ++i) transcode_section();
    transcode_deletions();
    if (!in_.rest.at_end()) in_.rest.fail("bytes after the end of the update");
    Bytes v1 = out_.finish();
    point_into(v1);
    return v1;
  }

 private:
  static constexpr std::size_t kMaxNumber = 8;  // bytes of a varUint below 2^56
  // The numbers of a block, and in front of its strings.
  static constexpr std::size_t kMaxNumbers = 2 + 10 * kMaxNumber;

  void make_room(std::size_t count) {
    if (!out_.make_room(count)) {
      in_.rest.fail("more content than an update of this size may unpack to");
    }
  }

  void transcode_section() {
    Section& section = update_.sections.emplace_back();
    const std::size_t start = in_.rest.position();
    section.blocks = in_.rest.read_var_uint();
    if (section.blocks > free_blocks_) {
      in_.rest.fail_at(start, "more blocks than an update of this size may bring");
    }
    free_blocks_ -= static_cast<std::size_t>(section.blocks);
    update_.blocks += static_cast<std::size_t>(section.blocks);
    section.client = in_.clients.read();
    section.clock = section.end = in_.rest.read_var_uint();
    make_room(3 * kMaxNumber);
    out_.put_var_uint(section.blocks);
    out_.put_var_uint(section.client);
    out_.put_var_uint(section.clock);

    begins_.push_back(out_.size());
    clock_ = section.clock;
    for (std::uint64_t i = 0; i < section.blocks; ++i) transcode_block(section);
    ends_.push_back(out_.size());
  }

  void transcode_block(Section& section) {
    make_room(kMaxNumbers);
    const std::uint8_t info = in_.infos.read();
    if ((info & kKindMask) > static_cast<std::uint8_t>(Kind::kSkip)) {
      in_.infos.fail("an unknown kind of block");
    }
    const auto kind = static_cast<Kind>(info & kKindMask);
    std::uint64_t length = 0;
    if (is_item(kind)) {
      out_.put_byte(info);
      transcode_place(info, section);
      length = transcode_content(kind, section);
    } else {
      out_.put_byte(static_cast<std::uint8_t>(kind));
      length = kind == Kind::kGc ? in_.lengths.read() : in_.rest.read_var_uint();
      out_.put_var_uint(length);
    }
    if (length > kMaxBlockLength && kind != Kind::kSkip) {
      in_.lengths.fail("a block longer than 2^31");
    }
    if (length > kMaxSafeInteger - clock_) in_.lengths.fail("a block ending beyond 2^53-1");
    clock_ += length;
    if (kind == Kind::kSkip) {
      section.refers_elsewhere = true;
    } else {
      section.end = clock_;
    }
  }

  // [id(origin)] [id(rightOrigin)] [parent [key]]
  void transcode_place(std::uint8_t info, Section& section) {
    if ((info & kHasOrigin) != 0) transcode_id(in_.left_clocks, section);
    if ((info & kHasRightOrigin) != 0) transcode_id(in_.right_clocks, section);
    if ((info & (kHasOrigin | kHasRightOrigin)) != 0) return;
    if (in_.parent_infos.read() == 1) {
      out_.put_byte(1);
      transcode_string();
    } else {
      out_.put_byte(0);
      transcode_id(in_.left_clocks, section);
    }
    if ((info & kHasKey) != 0) transcode_string();
  }

  void transcode_id(IntDiffOptRleDecoder& clocks, Section& section) {
    const Id id{in_.clients.read(), clocks.read()};
    if (id.client != section.client) {
      section.refers_elsewhere = true;
    } else if (id.clock >= clock_) {
      clocks.fail("a block that refers to itself or to a later one of its client");
    }
    out_.put_client(id.client);
    out_.put_var_uint(id.clock);
  }

  // Answers the length.
  std::uint64_t transcode_content(Kind kind, Section& section) {
    if (kind == Kind::kString) {
      const StringSlice text = in_.strings.read();
      put_string(text);
      section.content_bytes += text.size_bytes();
      return text.length_utf16;
    }
    if (kind == Kind::kDeleted) {
      const std::uint64_t length = in_.lengths.read();
      out_.put_var_uint(length);
      return length;
    }
    if (kind == Kind::kJson || kind == Kind::kAny) return transcode_elements(kind, section);

    const std::size_t begin = out_.size();
    switch (kind) {
      case Kind::kBinary:
        put_var_bytes(in_.rest.read_var_bytes());
        break;
      case Kind::kEmbed:
        transcode_json();
        break;
      case Kind::kFormat:
        transcode_key();
        transcode_json();
        break;
      case Kind::kType:
        update_.brings_types = true;
        transcode_type();
        break;
      default:  // kDoc
        transcode_string();
        transcode_any(1);
    }
    section.content_bytes += out_.size() - begin;
    return 1;
  }

  std::uint64_t transcode_elements(Kind kind, Section& section) {
    const std::uint64_t count = in_.lengths.read();
    // Each takes a byte, of the rest or of the text.
    const std::size_t left = kind == Kind::kAny ? in_.rest.remaining() : in_.strings.remaining();
    if (count > left) in_.lengths.fail("more elements than the bytes can hold");
    out_.put_var_uint(count);
    const std::size_t begin = out_.size();
    if (kind == Kind::kAny) {
      transcode_any(count);
    } else {
      for (std::uint64_t i = 0; i < count; ++i) transcode_json_element();
    }
    section.content_bytes += out_.size() - begin;
    return count;
  }

  void transcode_json_element() {
    const std::size_t offset = in_.strings.offset();
    const StringSlice json = in_.strings.read();
    put_string(json);
    const std::string_view written(
        reinterpret_cast<const char*>(out_.data() + out_.size() - json.size_bytes()),
        json.size_bytes());
    if (written != "undefined") check_json(written, offset);
  }

  void transcode_any(std::uint64_t count) {
    const std::uint8_t* const begin = in_.rest.data();
    for (std::uint64_t i = 0; i < count; ++i) Any::skip(in_.rest);
    const auto size = static_cast<std::size_t>(in_.rest.data() - begin);
    make_room(size);
    if (size != 0) out_.put_bytes(begin, size);
  }

  void transcode_json() {
    json_.clear();
    append_json_of_any(json_, in_.rest);
    put_var_bytes({reinterpret_cast<const std::uint8_t*>(json_.data()), json_.size()});
  }

  void transcode_type() {
    const std::uint64_t type = in_.type_refs.read();
    if (type >= static_cast<std::uint64_t>(TypeKind::kUnknown)) {
      in_.type_refs.fail("an unknown shared type");
    }
    out_.put_var_uint(type);
    if (type == static_cast<std::uint64_t>(TypeKind::kXmlElement) ||
        type == static_cast<std::uint64_t>(TypeKind::kXmlHook)) {
      transcode_key();
    }
  }

  // A key stands once in the string column; its number may come again. (Yjs 13 reads this, but
  // writes each key with a number of its own.)
  void transcode_key() {
    const std::uint64_t number = in_.key_clocks.read();
    if (number < keys_.size()) {
      put_string(keys_[static_cast<std::size_t>(number)]);
    } else {
      put_string(keys_.emplace_back(in_.strings.read()));
    }
  }

  void transcode_string() { put_string(in_.strings.read()); }

  void put_string(const StringSlice& string) {
    make_room(string.size_bytes() + kMaxNumbers);
    out_.put_var_uint(string.size_bytes());
    if (string.half_before) out_.put_bytes(kReplacement.data(), kReplacement.size());
    out_.put_text(string.text, in_.strings.end());
    if (string.half_behind) out_.put_bytes(kReplacement.data(), kReplacement.size());
  }

  void put_var_bytes(ByteView bytes) {
    make_room(bytes.size() + kMaxNumber);
    out_.put_var_uint(bytes.size());
    if (!bytes.empty()) out_.put_bytes(bytes.data(), bytes.size());
  }

  void transcode_deletions() {
    Reader& rest = in_.rest;
    const std::uint64_t clients = rest.read_count(2, "more clients than the bytes can hold");
    make_room(kMaxNumber);
    out_.put_var_uint(clients);
    for (std::uint64_t c = 0; c < clients; ++c) {
      const ClientId client = rest.read_var_uint();
      const std::uint64_t count = rest.read_count(2, "more deletions than the bytes can hold");
      make_room(2 * kMaxNumber + static_cast<std::size_t>(count) * 2 * kMaxNumber);
      update_.deletions.reserve(update_.deletions.size() + static_cast<std::size_t>(count));
      out_.put_var_uint(client);
      out_.put_var_uint(count);
      read_ranges_v2(rest, count, [&](Clock clock, std::uint64_t length) {
        out_.put_var_uint(clock);
        out_.put_var_uint(length);
        update_.deletions.push_back({client, clock, length});
      });
    }
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

  Columns in_;
  Output out_;
  std::size_t free_blocks_;
  DecodedUpdate& update_;
  Clock clock_ = 0;  // of the block that is being read
  // In the output, of each section's blocks.
  boost::container::small_vector<std::size_t, 4> begins_;
  boost::container::small_vector<std::size_t, 4> ends_;
  std::vector<StringSlice> keys_;
  std::string json_;
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
