#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "block.hpp"
#include "crdt/v2.hpp"
#include "crdt/writer.hpp"
#include "decoded_update.hpp"
#include "plain_block.hpp"
#include "v2_columns.hpp"
#include "v2_values.hpp"

namespace palimpsest::crdt::internal {

// The nine columns of an update and what follows them.
//
// updateV2 := varUint(0) column{9} rest
// column   := varUint8Array                         in the order of the members
// rest     := varUint(clients) (varUint(blocks) varUint(clock) restOfBlock*)* deleteSet
struct ColumnsV2 {
  explicit ColumnsV2(Reader update)
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
  static Reader read_column(Reader& update) {
    const ByteView bytes = update.read_var_bytes();
    return Reader(bytes, update.offset() - bytes.size());
  }
};

// Reads an update in v2 block by block, each as it would be in v1, and checks all that is checked
// there. What comes out is bounded by the limits.
//
// block := the v1 block (block.hpp), each part taken from its column: info, client, left clock
// (origin and parent), right clock, parent info, string, type ref, length (GC, Deleted, JSON, Any);
// of Format and Type the name is a key; Embed and Format have an any for their JSON. In the rest
// stand the length of Skip, Binary, and every any.
//
// Throws DecodeError, with the place in the bytes of v2.
class BlocksV2 {
 public:
  BlocksV2(ByteView update, const V2Limits& limits)
      : in_(Reader(update)),
        free_blocks_(limits.blocks(update.size())),
        free_bytes_(limits.v1_bytes(update.size())) {}

  // A section takes two bytes of the rest.
  std::uint64_t read_section_count() {
    return in_.rest.read_count(2, "more clients than the bytes can hold");
  }
  // How many blocks, whose, from which clock on.
  Section read_section();
  // The next block of the section, but for BlockView::raw; answers its info byte. The view borrows
  // from here until the next is read.
  std::uint8_t read_block(BlockView& view);
  // Reads the next block where it is a plain one, between others or not, and answers take(const
  // PlainBlock<>&); false, and nothing read, for any other.
  template <bool kIsBetween, class Take>
  bool read_plain_block(Take&& take);
  // Behind the last block that was read.
  Clock clock() const { return clock_; }
  // Behind the last section: calls on_count(clients), on_client(client, ranges) and
  // on_range(client, clock, length).
  template <class OnCount, class OnClient, class OnRange>
  void read_deletions(OnCount&& on_count, OnClient&& on_client, OnRange&& on_range);

  std::size_t text_bytes_left() const { return in_.strings.remaining(); }
  // How much can be read behind the text of the last block.
  std::size_t readable_behind_text() const { return text_is_written_ ? 0 : text_bytes_left(); }
  [[noreturn]] void fail_for_size() const {
    in_.rest.fail("more content than an update of this size may unpack to");
  }

 private:
  Id read_id(IntDiffOptRleDecoder& clocks);
  Clock read_own_clock(IntDiffOptRleDecoder& clocks);
  void go_on(Kind kind, std::uint64_t length, std::size_t content_bytes);
  template <Kind kKind, bool kIsBetween, class Take>
  bool take_plain_block(std::uint8_t info, Take&& take);
  void read_parent(BlockView& view);
  std::string_view read_name(std::string& name);
  void read_content(BlockView& view);
  // All but text and deletions.
  void read_other_content(BlockView& view);
  void read_elements(BlockView& view);
  void write_json_element();
  void write_json();
  void write_type();
  void write_key();
  void write_string(const StringSlice& string);
  static void append_string(Writer& writer, const StringSlice& string);
  void spend_bytes(std::size_t count) {
    if (count > free_bytes_) fail_for_size();
    free_bytes_ -= count;
  }

  ColumnsV2 in_;
  std::size_t free_blocks_;
  std::size_t free_bytes_;
  ClientId client_ = 0;
  Clock clock_ = 0;  // of the block that is read next
  bool text_is_written_ = false;
  std::vector<StringSlice> keys_;
  Writer written_;  // content that v2 does not have as v1 does
  std::string root_;
  std::string key_;
  std::string json_;
};

inline Id BlocksV2::read_id(IntDiffOptRleDecoder& clocks) {
  const ClientId client = in_.clients.read();
  return {client, client == client_ ? read_own_clock(clocks) : clocks.read()};
}

inline Clock BlocksV2::read_own_clock(IntDiffOptRleDecoder& clocks) {
  const Clock clock = clocks.read();
  if (clock >= clock_) {
    clocks.fail("a block that refers to itself or to a later one of its client");
  }
  return clock;
}

inline std::uint8_t BlocksV2::read_block(BlockView& view) {
  const std::uint8_t info = in_.infos.read();
  if (!is_known_info(info)) in_.infos.fail("an unknown kind of block");
  view.kind = static_cast<Kind>(info & kKindMask);
  view.clock = clock_;
  view.has_parent_id = false;
  if (is_item(view.kind)) {
    view.has_origin = (info & kHasOrigin) != 0;
    view.has_right_origin = (info & kHasRightOrigin) != 0;
    view.has_key = (info & kHasKey) != 0 && view.names_parent();
    if (view.has_origin) view.origin = read_id(in_.left_clocks);
    if (view.has_right_origin) view.right_origin = read_id(in_.right_clocks);
    if (view.names_parent()) read_parent(view);
    read_content(view);
  } else {
    view.has_origin = view.has_right_origin = view.has_key = false;
    view.content = {};
    view.length = view.kind == Kind::kGc ? in_.lengths.read() : in_.rest.read_var_uint();
  }
  go_on(view.kind, view.length, view.content.size());
  return info;
}

inline void BlocksV2::go_on(Kind kind, std::uint64_t length, std::size_t content_bytes) {
  if (length == 0) in_.lengths.fail(kBlockOfNothing);
  if (length > kMaxBlockLength && kind != Kind::kSkip) {
    in_.lengths.fail("a block longer than 2^31");
  }
  if (length > kMaxSafeInteger - clock_) in_.lengths.fail("a block ending beyond 2^53-1");
  spend_bytes(content_bytes);
  clock_ += length;
}

template <bool kIsBetween, class Take>
[[gnu::always_inline]] inline bool BlocksV2::read_plain_block(Take&& take) {
  const std::uint8_t info = in_.infos.peek();
  switch (kIsBetween ? info : (info & kKindMask) | kBetween) {
    case static_cast<std::uint8_t>(Kind::kString) | kBetween:
      return in_.strings.is_ascii_for(kShortText) &&
             take_plain_block<Kind::kString, kIsBetween>(info, take);
    case static_cast<std::uint8_t>(Kind::kDeleted) | kBetween:
      return take_plain_block<Kind::kDeleted, kIsBetween>(info, take);
    default:
      return false;
  }
}

template <Kind kKind, bool kIsBetween, class Take>
[[gnu::always_inline]] inline bool BlocksV2::take_plain_block(std::uint8_t info, Take&& take) {
  PlainBlock<kKind, kIsBetween> block;
  if (!block.set_neighbours(info)) return false;
  const std::uint64_t neighbours = std::uint64_t{block.has_origin} + block.has_right_origin;
  if (!in_.clients.repeats(client_, neighbours)) return false;
  in_.infos.pass();
  in_.clients.pass(neighbours);
  if (block.has_origin) block.origin_clock = read_own_clock(in_.left_clocks);
  if (block.has_right_origin) block.right_origin_clock = read_own_clock(in_.right_clocks);
  std::uint64_t length = 0;
  if constexpr (kKind == Kind::kString) {
    const StringSlice slice = in_.strings.read();
    length = slice.length_utf16;
    block.text = {reinterpret_cast<const std::uint8_t*>(slice.text.data()), slice.text.size()};
  } else {
    length = in_.lengths.read();
  }
  go_on(kKind, length, kKind == Kind::kString ? block.text.size() : 0);
  block.length = static_cast<std::uint32_t>(length);
  return take(block);
}

inline void BlocksV2::read_content(BlockView& view) {
  if (view.kind == Kind::kString) {
    const StringSlice text = in_.strings.read();
    view.length = text.length_utf16;
    text_is_written_ = text.half_before || text.half_behind;
    if (text_is_written_) {
      written_.clear();
      append_string(written_, text);
      view.content = written_.view();
    } else {
      view.content = {reinterpret_cast<const std::uint8_t*>(text.text.data()), text.text.size()};
    }
  } else if (view.kind == Kind::kDeleted) {
    view.length = in_.lengths.read();
    view.content = {};
  } else {
    read_other_content(view);
  }
}

template <class OnCount, class OnClient, class OnRange>
void BlocksV2::read_deletions(OnCount&& on_count, OnClient&& on_client, OnRange&& on_range) {
  Reader& rest = in_.rest;
  const std::uint64_t clients = rest.read_count(2, "more clients than the bytes can hold");
  on_count(clients);
  for (std::uint64_t c = 0; c < clients; ++c) {
    const ClientId client = rest.read_var_uint();
    const std::uint64_t count = rest.read_count(2, "more deletions than the bytes can hold");
    on_client(client, count);
    read_ranges_v2(rest, count,
                   [&](Clock clock, std::uint64_t length) { on_range(client, clock, length); });
  }
  if (!rest.at_end()) rest.fail("bytes after the end of the update");
}

}  // namespace palimpsest::crdt::internal
