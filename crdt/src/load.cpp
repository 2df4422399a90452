#include "load.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include "ascii.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "decoded_update.hpp"
#include "guide.hpp"
#include "plain_block.hpp"
#include "read_deletions.hpp"
#include "scratch.hpp"
#include "short_text.hpp"
#include "v2_blocks.hpp"

namespace palimpsest::crdt::internal {
namespace {

// Of a client whose blocks are being read: how it is written where they refer to each other.
class OwnId {
 public:
  explicit OwnId(ClientId id) {
    std::uint8_t bytes[Writer::kLongestNumberBytes] = {};
    size_ = static_cast<std::size_t>(Writer::put_var_uint(bytes, id) - bytes);
    std::memcpy(&word_, bytes, sizeof word_);
    mask_ = size_ == sizeof word_ ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * size_)) - 1;
  }
  // Goes past it where it stands at `at`, from where eight bytes can be read.
  bool skip(const std::uint8_t*& at) const {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    at += size_;
    return (word & mask_) == word_;
  }

 private:
  std::uint64_t word_ = 0;
  std::uint64_t mask_ = 0;
  std::size_t size_ = 0;
};

constexpr auto kShortTextHighBits = [] {
  std::array<std::array<std::uint64_t, kShortText / 8>, kShortText + 1> masks{};
  for (std::size_t size = 0; size <= kShortText; ++size) {
    for (std::size_t byte = 0; byte < size; ++byte) {
      masks[size][byte / 8] |= std::uint64_t{0x80} << (8 * (byte % 8));
    }
  }
  return masks;
}();

// Of at most kShortText bytes, from where as many can be read.
inline bool is_short_ascii(ByteView text) {
  const auto& masks = kShortTextHighBits[text.size()];
  std::array<std::uint64_t, kShortText / 8> words;
  std::memcpy(words.data(), text.data(), kShortText);
  std::uint64_t high_bits = 0;
  for (std::size_t i = 0; i < words.size(); ++i) high_bits |= words[i] & masks[i];
  return high_bits == 0;
}

// An update in v1, from front to back.
class SourceV1 {
 public:
  explicit SourceV1(ByteView update) : reader_(update), end_(update.data() + update.size()) {}

  std::size_t most_text_bytes() const { return reader_.remaining(); }
  std::uint64_t read_section_count() {
    return reader_.read_count(3, "more clients than the bytes can hold");
  }
  Section read_section() {
    Section section;
    section.blocks = reader_.read_count(2, "more blocks than the bytes can hold");
    section.client = reader_.read_var_uint();
    section.clock = reader_.read_var_uint();
    return section;
  }
  void read_block(ClientId client, Clock clock, BlockView& view) {
    const std::size_t start = reader_.position();
    internal::read_block(reader_, clock, view);
    check_reference_order(reader_, start, client, view);
  }

  // Reads at most `count` plain blocks, of kIsBetween only such that stand between others, up to
  // the first that is of another form or that take(const PlainBlock<>&) says no to; answers how
  // many it took.
  template <bool kIsBetween, class Take>
  [[gnu::flatten]] std::uint64_t read_plain_blocks(ClientId client, std::uint64_t count,
                                                   Take&& take) {
    const OwnId own(client);
    const std::uint8_t* at = reader_.data();
    std::uint64_t taken = 0;
    for (const std::uint8_t* next = at; taken < count; ++taken, at = next) {
      if (!take_plain_block<kIsBetween>(own, next, take)) break;
    }
    reader_.skip_to(at);
    return taken;
  }
  template <class Visit>
  void read_deletions(Visit&& visit) {
    internal::read_deletions(reader_, visit);
    if (!reader_.at_end()) reader_.fail("bytes after the end of the update");
  }

 private:
  static constexpr std::size_t kLongestPlainHead =
      1 + 2 * sizeof(std::uint64_t) + 3 * Reader::kShortBytes;

  // `at` is anywhere where it is none.
  template <bool kIsBetween, class Take>
  [[gnu::always_inline]] bool take_plain_block(const OwnId& own, const std::uint8_t*& at,
                                               Take&& take) const {
    if (readable(at) < kLongestPlainHead + kShortText) return false;
    const std::uint8_t info = *at++;
    switch (kIsBetween ? info : (info & kKindMask) | kBetween) {
      case static_cast<std::uint8_t>(Kind::kString) | kBetween:
        return take_plain_block<Kind::kString, kIsBetween>(own, info, at, take);
      case static_cast<std::uint8_t>(Kind::kDeleted) | kBetween:
        return take_plain_block<Kind::kDeleted, kIsBetween>(own, info, at, take);
      default:
        return false;
    }
  }
  template <Kind kKind, bool kIsBetween, class Take>
  [[gnu::always_inline]] bool take_plain_block(const OwnId& own, std::uint8_t info,
                                               const std::uint8_t*& at, Take&& take) const {
    PlainBlock<kKind, kIsBetween> block;
    if (!block.set_neighbours(info)) return false;
    const auto read_origin = [&](Clock & clock) __attribute__((always_inline)) {
      return own.skip(at) && read_clock(at, clock);
    };
    if (block.has_origin && !read_origin(block.origin_clock)) return false;
    if (block.has_right_origin && !read_origin(block.right_origin_clock)) return false;
    std::uint64_t length = 0;
    if (!Reader::read_short_var_uint(at, length) || length == 0 || length > kMaxBlockLength) {
      return false;
    }
    block.length = static_cast<std::uint32_t>(length);
    if constexpr (kKind == Kind::kString) {
      if (length > readable(at)) return false;
      block.text = {at, static_cast<std::size_t>(length)};
      at += length;
      if (!(length <= kShortText ? is_short_ascii(block.text)
                                 : is_ascii(block.text, readable(at)))) {
        return false;
      }
    }
    return take(block);
  }
  // Most clocks of a document that somebody has worked on take three bytes.
  [[gnu::always_inline]] static bool read_clock(const std::uint8_t*& at, Clock& clock) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    if ((word & 0x808080) != 0x8080) return Reader::read_short_var_uint(at, clock);
    clock = (word & 0x7F) | (word >> 1 & 0x3F80) | (word >> 2 & 0x1FC000);
    at += 3;
    return true;
  }
  std::size_t readable(const std::uint8_t* at) const { return static_cast<std::size_t>(end_ - at); }

  Reader reader_;
  const std::uint8_t* end_;
};

// An update in v2, likewise.
class SourceV2 {
 public:
  SourceV2(ByteView update, const V2Limits& limits) : blocks_(update, limits) {}

  std::size_t most_text_bytes() const { return blocks_.text_bytes_left(); }
  std::uint64_t read_section_count() { return blocks_.read_section_count(); }
  Section read_section() { return blocks_.read_section(); }
  void read_block(ClientId, Clock, BlockView& view) {
    if (is_ahead_) {
      view = ahead_;
    } else {
      blocks_.read_block(view);
    }
    is_ahead_ = false;
  }
  template <bool kIsBetween, class Take>
  [[gnu::flatten]] std::uint64_t read_plain_blocks(ClientId client, std::uint64_t count,
                                                   Take&& take) {
    if (is_ahead_) return 0;
    std::uint64_t taken = 0;
    while (taken < count && take_plain_block<kIsBetween>(client, take)) ++taken;
    return taken;
  }
  template <class Visit>
  void read_deletions(Visit&& visit) {
    const auto ignore = [](auto...) {};
    blocks_.read_deletions(ignore, ignore, visit);
  }

 private:
  template <bool kIsBetween, class Take>
  [[gnu::always_inline]] bool take_plain_block(ClientId client, Take&& take) {
    return blocks_.read_plain_block<kIsBetween>([&](const auto& block)
                                                    __attribute__((always_inline)) {
                                                      if (take(block)) return true;
                                                      keep(client, block);
                                                      return false;
                                                    });
  }
  template <Kind kKind, bool kIsBetween>
  [[gnu::noinline]] void keep(ClientId client, const PlainBlock<kKind, kIsBetween>& block) {
    is_ahead_ = true;
    ahead_ = {};
    ahead_.kind = kKind;
    ahead_.has_origin = block.has_origin;
    ahead_.has_right_origin = block.has_right_origin;
    ahead_.clock = blocks_.clock() - block.length;
    ahead_.length = block.length;
    if (block.has_origin) ahead_.origin = {client, block.origin_clock};
    if (block.has_right_origin) ahead_.right_origin = {client, block.right_origin_clock};
    if constexpr (kKind == Kind::kString) ahead_.content = block.text;
  }

  BlocksV2 blocks_;
  BlockView ahead_{};
  bool is_ahead_ = false;  // `ahead_` is the next block
};

// How many blocks are read before somebody looks whether there is room for more.
constexpr std::uint64_t kBatch = 256;

template <class Source>
class Loader {
 public:
  Loader(Core& core, Source source)
      : core_(core), source_(std::move(source)), change_(core.begin()) {
    content_.make_room(0, source_.most_text_bytes() + kShortText);
  }

  bool run() {
    for (std::uint64_t sections = source_.read_section_count(); sections > 0; --sections) {
      if (!decode_section()) return false;
    }
    source_.read_deletions([&](ClientId client, Clock clock, std::uint64_t length) {
      if (!came_deleted(client, clock, clock + length)) {
        deletions_.push_back({client, clock, length});
      }
    });
    if (!links_at_once_ && !link_rest()) return false;
    join_overlapping(deletions_);
    if (!core_.apply_deletions(change_, deletions_).empty()) return false;
    if (is_to_be_tidied()) core_.end(change_, true);
    return true;
  }

 private:
  // The blocks of one client.
  struct Loaded {
    bool is_known = false;
    bool is_waiting = false;
    BlockIndex next = 0;  // the first that is not linked
    BlockIndex end = 0;
    Clock linked = 0;  // clocks below; likewise
    Clock decoded = 0;
    Guide::Range guide;
    std::size_t content_bytes = 0;
    TypeIndex list = kNoList;      // that is not deleted
    std::size_t next_deleted = 0;  // of deleted_, not passed yet, and
    std::size_t deleted_end = 0;
  };
  static constexpr TypeIndex kNoList = kNone - 1;
  struct Range {
    Clock clock;
    Clock end;
  };
  struct Named {
    ClientId id = ~ClientId{0};
    ClientIndex client = kNone;
  };
  // What a block may wait for, besides a client.
  static constexpr ClientIndex kNothing = kNone;
  static constexpr ClientIndex kAllDecoded = kNone - 1;

  // --- Decoding ---

  bool decode_section() {
    const Section section = source_.read_section();
    section_ = {section.client, kNone};
    const ClientIndex client = section_.client = known(core_.client_index(section.client));
    if (loaded_[client].is_known) return false;
    if (section.blocks == 0) return true;
    if (section.clock != 0) return false;
    make_room(client, static_cast<std::size_t>(section.blocks));
    core_.touch(change_, client);
    Loaded own;
    own.is_known = true;
    const auto first = own.next = own.end = static_cast<BlockIndex>(core_.blocks.size());
    own.guide = guide_.begin(own.end);
    deleted_[deleted_count_] = {0, ~Clock{0}};  // nothing goes on with it
    own.next_deleted = own.deleted_end = ++deleted_count_;

    std::uint64_t betweens = kBatch;
    std::uint64_t others = 1;
    for (std::uint64_t left = section.blocks; left > 0;) {
      if (links_at_once_) {
        const std::uint64_t left_before = left;
        if (place_batch<true>(own, betweens, left)) continue;
        place_batch<false>(own, others, left);
        if (own.decoded > kMaxSafeInteger) return false;
        if (left < left_before) continue;
      }
      loaded_[client] = own;
      if (!decode_block()) return false;
      own = loaded_[client];
      --left;
    }
    guide_.finish(own.guide);
    deleted_count_ = own.deleted_end;
    loaded_[client] = own;
    core_.clients[client].blocks.assign(first, own.end, own.decoded,
                                        [&](BlockIndex i) { return core_.blocks[i].clock; });
    take_content(client, own.content_bytes);
    return true;
  }

  void make_room(ClientIndex client, std::size_t blocks) {
    core_.expect(client, blocks, 0);
    guide_.make_room(core_.blocks.size() + blocks);
    deleted_.make_room(deleted_count_, deleted_count_ + blocks + 2);
  }

  // Places blocks up to one that cannot be: `batch` of them at most, and all of them is true. How
  // many there will be the next time follows, so that there is not room for many for nothing.
  template <bool kIsBetween>
  bool place_batch(Loaded& own, std::uint64_t& batch, std::uint64_t& left) {
    const std::uint64_t wanted = std::min(batch, left);
    const std::uint64_t taken = place_plain_blocks<kIsBetween>(own, wanted);
    left -= taken;
    const bool is_whole = taken == wanted;
    batch = is_whole ? std::min(2 * batch, kBatch) : std::max<std::uint64_t>(taken, 1);
    return is_whole;
  }

  // As many of the next `count` blocks as can be placed one after the other.
  template <bool kIsBetween>
  std::uint64_t place_plain_blocks(Loaded& loaded, std::uint64_t count) {
    core_.blocks.resize(loaded.end + static_cast<std::size_t>(count));
    Loaded own = loaded;  // whose address nobody has, so that it can stay in registers
    const std::uint64_t taken = source_.template read_plain_blocks<kIsBetween>(
        section_.id,
        count, [&](const auto& block) __attribute__((always_inline)) { return place(own, block); });
    // What was placed is linked; what there was room for beyond it is given back.
    core_.blocks.resize(own.end);
    own.next = own.end;
    own.linked = own.decoded;
    loaded = own;
    return taken;
  }

  // Puts a block to where it stays, which is there for it, and between its neighbours, where it is
  // a common one. Else answers false, and nothing is done.
  template <Kind kKind, bool kIsBetween>
  [[gnu::always_inline]] bool place(Loaded& own, const PlainBlock<kKind, kIsBetween>& plain) {
    const Clock clock = own.decoded;
    const BlockIndex index = own.end;
    const ClientIndex client = section_.client;
    Block* const blocks = core_.blocks.data();
    BlockIndex left = kNone;
    BlockIndex right = kNone;
    if (plain.has_origin) {
      if (plain.origin_clock >= own.guide.covered) return false;
      left = guide_.ending_with(own.guide, plain.origin_clock);
      if (left == kNone) return false;
      right = blocks[left].right;
    } else {
      if (plain.right_origin_clock >= own.guide.covered) return false;
      right = find(own, plain.right_origin_clock);
      if (right == kNone || blocks[right].left != kNone) return false;
    }
    if (plain.has_right_origin) {
      if (right == kNone || blocks[right].clock != plain.right_origin_clock ||
          blocks[right].client != client) {
        return false;
      }
    } else if (right != kNone) {
      return false;
    }
    const Block& neighbour = blocks[left != kNone ? left : right];
    const TypeIndex parent = neighbour.parent;
    if (neighbour.in_map) return false;
    if (parent != own.list && !goes_on_in(own, parent)) return false;

    if (left != kNone) {
      blocks[left].right = index;
    } else {
      core_.types[parent].start = index;
    }
    if (right != kNone) blocks[right].left = index;
    // One guess: two that may be joined are rare in a state.
    if ((plain.origin_clock + 1 == clock) & (blocks[index - 1].kind == kKind)) {
      may_join_.push_back(index);
    }
    constexpr bool kIsText = kKind == Kind::kString;
    blocks[index] = {
        .clock = clock,
        .origin_clock = plain.origin_clock,
        .right_origin_clock = plain.right_origin_clock,
        .client = client,
        .origin_client = plain.has_origin ? client : kNone,
        .right_origin_client = plain.has_right_origin ? client : kNone,
        .length = plain.length,
        .left = left,
        .right = right,
        .parent = parent,
        .content = static_cast<std::uint32_t>(own.content_bytes),
        .content_bytes = kIsText ? plain.length : 0,
        .kind = kKind,
        .deleted = !kIsText,
    };
    own.end = index + 1;
    own.decoded = clock + plain.length;
    guide_.add(own.guide, index, clock, own.decoded);
    if constexpr (kIsText) {
      content_.make_room(own.content_bytes, own.content_bytes + plain.length + kShortText);
      copy_text(&content_[own.content_bytes], plain.text.data(), plain.length, kShortText);
      own.content_bytes += plain.length;
    } else {
      note_deleted(own, clock, own.decoded);
    }
    return true;
  }
  // Whether blocks may be put into the list one after the other.
  [[gnu::noinline]] bool goes_on_in(Loaded& own, TypeIndex list) const {
    if (list == kNone) return false;
    const BlockIndex item = core_.types[list].item;
    if (item != kNone && core_.blocks[item].deleted) return false;
    own.list = list;
    return true;
  }

  bool decode_block() {
    const Clock clock = loaded_[section_.client].decoded;
    const BlockView& view = view_;
    source_.read_block(section_.id, clock, view_);
    if (view.kind == Kind::kSkip) return false;

    const auto index = static_cast<BlockIndex>(core_.blocks.size());
    Block& block = core_.blocks.emplace_back(Block{});
    block.clock = clock;
    block.client = section_.client;
    block.length = static_cast<std::uint32_t>(view.length);
    block.kind = view.kind;
    if (view.has_origin) {
      block.origin_client = index_of(view.origin.client);
      block.origin_clock = view.origin.clock;
    }
    if (view.has_right_origin) {
      block.right_origin_client = index_of(view.right_origin.client);
      block.right_origin_clock = view.right_origin.clock;
    }
    if (is_item(view.kind) && view.names_parent()) note_parent(block);
    Loaded& own = loaded_[section_.client];
    own.end = index + 1;
    own.list = kNoList;
    own.decoded = view.end();
    guide_.add(own.guide, index, clock, own.decoded);
    block.deleted = view.kind == Kind::kDeleted || view.kind == Kind::kGc;
    if (block.deleted) note_deleted(own, clock, own.decoded);
    if (view.kind == Kind::kType) {
      block.content = core_.add_type(view.content);
    } else if (!block.deleted) {
      block.content = static_cast<std::uint32_t>(own.content_bytes);
      block.content_bytes = static_cast<std::uint32_t>(view.content.size());
      content_.make_room(own.content_bytes, own.content_bytes + view.content.size());
      std::copy(view.content.begin(), view.content.end(), &content_[own.content_bytes]);
      own.content_bytes += view.content.size();
    }
    if (clock > 0 && core_.blocks[index - 1].kind == block.kind) may_join_.push_back(index);
    if (links_at_once_) {
      if (link(index) == kNothing) {
        own.next = own.end;
        own.linked = own.decoded;
      } else {
        links_at_once_ = false;
      }
    }
    return true;
  }

  void take_content(ClientIndex client, std::size_t size) {
    PALIMPSEST_ASSERT(size <= std::numeric_limits<std::uint32_t>::max());
    if (size > 0) core_.clients[client].content.assign(&content_[0], &content_[0] + size);
  }

  // Without a branch to guess, into room that is there.
  void note_deleted(Loaded& own, Clock begin, Clock end) {
    const Range& last = deleted_[own.deleted_end - 1];
    const bool extends = last.end == begin;
    const Clock from_last = last.clock & -Clock{extends};
    const Clock from_here = begin & (Clock{extends} - 1);
    own.deleted_end += !extends;
    deleted_[own.deleted_end - 1] = {from_last | from_here, end};
  }

  // Until the block is linked, its parent stands where nothing else does: of a root `parent`, of a
  // type in a block `left` (the client) and `origin_clock`; the key in `right`.
  void note_parent(Block& block) {
    if (view_.has_parent_id) {
      block.left = index_of(view_.parent_id.client);
      block.origin_clock = view_.parent_id.clock;
    } else {
      block.parent = core_.root(view_.parent_root);
    }
    block.in_map = view_.has_key;
    if (view_.has_key) block.right = core_.names.intern(view_.key);
  }

  ClientIndex index_of(ClientId id) {
    return id == section_.id ? section_.client : known(core_.client_index(id));
  }
  ClientIndex known(ClientIndex client) {
    if (client >= loaded_.size()) loaded_.resize(client + 1);
    return client;
  }

  // Whether the range lies in blocks that came as deleted ones. Ranges nearly always stand in the
  // order of their clocks.
  bool came_deleted(ClientId id, Clock begin, Clock end) {
    const ClientIndex client = core_.find_client(id);
    if (client == kNone) return false;
    Loaded& own = loaded_[client];
    while (own.next_deleted < own.deleted_end && deleted_[own.next_deleted].end <= begin) {
      ++own.next_deleted;
    }
    return own.next_deleted < own.deleted_end && deleted_[own.next_deleted].clock <= begin &&
           end <= deleted_[own.next_deleted].end;
  }

  // --- Linking ---

  // The blocks that could not be linked when they were decoded: the highest client first, and
  // before each what it waits for (Yjs: integrateStructs).
  bool link_rest() {
    all_decoded_ = true;
    std::vector<ClientIndex> order;
    for (ClientIndex client = 0; client < loaded_.size(); ++client) {
      if (loaded_[client].next != loaded_[client].end) order.push_back(client);
    }
    std::sort(order.begin(), order.end(), [&](ClientIndex a, ClientIndex b) {
      return core_.clients[a].id > core_.clients[b].id;
    });
    for (const ClientIndex client : order) {
      while (loaded_[client].next != loaded_[client].end) {
        if (!link_next(client)) return false;
      }
    }
    return true;
  }

  // The next block of the client. False where it waits for what is not there, or for itself.
  bool link_next(ClientIndex first) {
    waiting_.push_back(first);
    while (!waiting_.empty()) {
      Loaded& own = loaded_[waiting_.back()];
      const ClientIndex missing = link(own.next);
      own.is_waiting = missing != kNothing;
      if (own.is_waiting) {
        const Loaded& other = loaded_[missing];
        if (other.is_waiting || other.next == other.end) return false;
        waiting_.push_back(missing);
      } else {
        own.linked = core_.blocks[own.next++].end();
        waiting_.pop_back();
      }
    }
    return true;
  }

  // Answers what the block waits for.
  ClientIndex link(BlockIndex index) {
    const Block& item = core_.blocks[index];
    if (item.kind == Kind::kGc) return kNothing;
    const bool has_origin = item.origin_client != kNone;
    const bool has_right_origin = item.right_origin_client != kNone;
    if (has_origin && is_missing(item, item.origin_client, item.origin_clock)) {
      return item.origin_client;
    }
    if (has_right_origin && is_missing(item, item.right_origin_client, item.right_origin_clock)) {
      return item.right_origin_client;
    }
    if (!has_origin && !has_right_origin) return link_in_parent(index);

    BlockIndex left = kNone;
    BlockIndex right = kNone;
    bool is_between_blocks = true;
    if (has_origin) {
      left = at(item.origin_client, item.origin_clock);
      is_between_blocks = left != kNone && core_.blocks[left].end() == item.origin_clock + 1;
    }
    if (is_between_blocks && has_right_origin) {
      const auto begins = [&](BlockIndex i) {
        return core_.blocks[i].clock == item.right_origin_clock &&
               core_.blocks[i].client == item.right_origin_client;
      };
      // Where nothing was written at the same time it is the next in the list.
      right = left != kNone ? core_.blocks[left].right : kNone;
      if (right == kNone || !begins(right)) {
        right = at(item.right_origin_client, item.right_origin_clock);
      }
      is_between_blocks = right != kNone && begins(right);
    }
    if (!is_between_blocks) {
      if (!all_decoded_) return kAllDecoded;
      const Block copy = item;  // cutting moves all blocks
      if (has_origin) left = core_.clean_end(change_, copy.origin_client, copy.origin_clock);
      if (has_right_origin) {
        right = core_.clean_start(change_, copy.right_origin_client, copy.right_origin_clock);
      }
    }
    return link_between(index, left, right);
  }

  bool is_missing(const Block& item, ClientIndex client, Clock clock) const {
    return client != item.client && clock >= loaded_[client].linked;
  }

  ClientIndex link_between(BlockIndex index, BlockIndex left, BlockIndex right) {
    Block& item = core_.blocks[index];
    if ((left != kNone && !is_item(core_.blocks[left].kind)) ||
        (right != kNone && !is_item(core_.blocks[right].kind))) {
      return collect(item), kNothing;
    }
    const Block& neighbour = core_.blocks[left != kNone ? left : right];
    item.parent = neighbour.parent;
    item.in_map = neighbour.in_map;
    item.left = left;
    item.right = right;
    Block* const blocks = core_.blocks.data();
    const bool is_plain = item.kind == Kind::kString || item.kind == Kind::kDeleted;
    if (is_plain && !item.in_map && left != kNone && blocks[left].right == right &&
        core_.siblings.empty()) {
      const BlockIndex parent_item = core_.types[item.parent].item;
      if (parent_item == kNone || !blocks[parent_item].deleted) {
        blocks[left].right = index;
        if (right != kNone) blocks[right].left = index;
        return kNothing;
      }
    }
    return link_item(index);
  }

  ClientIndex link_in_parent(BlockIndex index) {
    Block& item = core_.blocks[index];
    TypeIndex parent = item.parent;
    if (const ClientIndex client = item.left; client != kNone) {
      if (is_missing(item, client, item.origin_clock)) return client;
      const BlockIndex found = at(client, item.origin_clock);
      if (found == kNone) return kAllDecoded;
      const Block& parent_item = core_.blocks[found];
      if (parent_item.kind != Kind::kType) return collect(item), kNothing;
      parent = parent_item.content;
    }
    if (!all_decoded_ && !is_empty(parent, item)) return kAllDecoded;
    item.left = kNone;
    item.origin_clock = 0;
    item.parent = parent;
    if (item.in_map) {
      item.parent = core_.slot(parent, core_.names[std::exchange(item.right, kNone)]);
    }
    return link_item(index);
  }

  // Whether nothing is in the list, or under the key, that an item without neighbours is to go to.
  bool is_empty(TypeIndex parent, const Block& item) const {
    if (!item.in_map) return core_.types[parent].start == kNone;
    const auto slot = core_.find_slot(parent, core_.names[item.right]);
    return !slot || core_.slots[*slot].first == kNone;
  }

  ClientIndex link_item(BlockIndex index) {
    const Block& item = core_.blocks[index];
    // Deciding between concurrent items looks for blocks of any clock.
    if (!all_decoded_ && !core_.is_undisturbed(item)) return kAllDecoded;
    if (item.kind == Kind::kType) core_.set_item(item.content, index);
    core_.link(change_, index);
    return kNothing;
  }

  // What hangs on collected blocks, or in what is no type any more, is collected itself.
  void collect(Block& item) {
    core_.clients[item.client].dead_bytes += item.content_bytes;
    item = {.clock = item.clock, .client = item.client, .length = item.length, .deleted = true};
    has_collected_ = true;
  }

  // The block that holds the clock, which is known. kNone where only a client's list could tell,
  // as long as it is not there.
  BlockIndex at(ClientIndex client, Clock clock) const {
    const BlockIndex found = find(loaded_[client], clock);
    // Behind a last block that was cut the search comes upon those of another client.
    if (found != kNone && core_.blocks[found].client == client) return found;
    return all_decoded_ ? core_.block_at(client, clock) : kNone;
  }
  BlockIndex find(const Loaded& theirs, Clock clock) const {
    if (clock >= theirs.guide.covered) return kNone;
    const BlockIndex i = guide_.holding(theirs.guide, clock);
    // What was cut off stands elsewhere.
    return clock < core_.blocks[i].end() ? i : kNone;
  }

  bool is_to_be_tidied() const {
    const auto joins = [&](BlockIndex index) {
      const Block& left = core_.blocks[index - 1];
      const Block& right = core_.blocks[index];
      return left.kind == right.kind && is_mergeable(left.kind) &&
             (left.kind == Kind::kGc || (left.right == index && joins_across(left, right)));
    };
    return has_collected_ || !change_.deleted.empty() || !change_.split.empty() ||
           std::any_of(may_join_.begin(), may_join_.end(), joins);
  }

  Core& core_;
  Source source_;
  Change& change_;
  BlockView view_{};
  Named section_;
  Scratch<std::uint8_t> content_;  // of the section
  std::vector<Loaded> loaded_;
  Guide guide_;
  Scratch<Range> deleted_;  // that came as deleted blocks
  std::size_t deleted_count_ = 0;
  std::vector<BlockIndex> may_join_;                       // with the block before
  boost::container::small_vector<Deletion, 1> deletions_;  // of other blocks
  std::vector<ClientIndex> waiting_;                       // for the one behind
  bool links_at_once_ = true;
  bool all_decoded_ = false;
  bool has_collected_ = false;
};

}  // namespace

bool load_state(Core& core, ByteView update) {
  if (core.options.clean_formatting) return false;
  return Loader(core, SourceV1(update)).run();
}

bool load_state_v2(Core& core, ByteView update, const V2Limits& limits) {
  if (core.options.clean_formatting) return false;
  return Loader(core, SourceV2(update, limits)).run();
}

}  // namespace palimpsest::crdt::internal
