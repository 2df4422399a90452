#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crdt/bytes.hpp"
#include "crdt/id.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::crdt::internal {

// What a block is, by its number in the format (Yjs: "content ref"; GC and Skip are structs).
enum class Kind : std::uint8_t {
  kGc = 0,
  kDeleted = 1,
  kJson = 2,
  kBinary = 3,
  kString = 4,
  kEmbed = 5,
  kFormat = 6,
  kType = 7,
  kAny = 8,
  kDoc = 9,
  kSkip = 10,
};

// What a shared type is, by its number in the format (Yjs: "type ref").
enum class TypeKind : std::uint8_t {
  kArray = 0,
  kMap = 1,
  kText = 2,
  kXmlElement = 3,
  kXmlFragment = 4,
  kXmlHook = 5,
  kXmlText = 6,
  kUnknown = 7,  // a root: its kind is not in the data
};

constexpr bool is_item(Kind kind) { return kind != Kind::kGc && kind != Kind::kSkip; }
// Counts towards the length of its parent.
constexpr bool is_countable(Kind kind) {
  return is_item(kind) && kind != Kind::kDeleted && kind != Kind::kFormat;
}
// Two neighbours of this kind can become one.
constexpr bool is_mergeable(Kind kind) {
  return kind == Kind::kGc || kind == Kind::kDeleted || kind == Kind::kJson ||
         kind == Kind::kString || kind == Kind::kAny;
}

// Bits of a block's first byte; the low five are its Kind.
inline constexpr std::uint8_t kKindMask = 0x1F;
inline constexpr std::uint8_t kHasKey = 0x20;
inline constexpr std::uint8_t kHasRightOrigin = 0x40;
inline constexpr std::uint8_t kHasOrigin = 0x80;

// Of a Skip no flag may be set: some of Yjs' readers know it by the whole byte.
constexpr bool is_known_info(std::uint8_t info) {
  constexpr auto kSkip = static_cast<std::uint8_t>(Kind::kSkip);
  return (info & kKindMask) < kSkip || info == kSkip;
}

// The longest run: its length is stored in 32 bits.
inline constexpr std::uint64_t kMaxBlockLength = std::uint64_t{1} << 31;

// Why a block of length 0 is refused: Yjs writes none, and breaks where it has to take one in.
inline constexpr const char* kBlockOfNothing = "a block of length 0";

// Likewise of options that are null, say.
inline constexpr const char* kOptionsAreNoObject = "a sub-document whose options are no object";

// U+FFFD, which takes the place of each half of a surrogate pair that a split tears apart.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// One block as it stands in an update.
//
// block   := byte(info) (gc | skip | item)
// gc      := varUint(length)
// skip    := varUint(length)
// item    := [id(origin)] [id(rightOrigin)] [parent [varString(key)]] content
// parent  := varUint(1) varString(root) | varUint(0) id     only when there is neither origin
// content := varUint(length)                        Deleted
//          | varUint(count) varString(json)*        JSON
//          | varUint8Array                          Binary
//          | varString                              String
//          | varString(json)                        Embed
//          | varString(key) varString(json)         Format
//          | varUint(typeRef) [varString(name)]     Type; named: XmlElement, XmlHook
//          | varUint(count) any*                    Any
//          | varString(guid) any                    Doc
//
// Value-initialize it; what does not belong to its kind means nothing.
struct BlockView {
  Kind kind;
  bool has_origin;
  bool has_right_origin;
  bool has_parent_id;  // else `parent_root` where there is neither origin
  bool has_key;
  Clock clock;
  std::uint64_t length;
  Id origin;
  Id right_origin;
  // What is kept of the content: of String the characters, of JSON and Any the elements without
  // their count, of Deleted nothing, else the content as it stands.
  ByteView content;
  ByteView raw;  // the whole block
  Id parent_id;
  std::string_view parent_root;
  std::string_view key;

  Clock end() const { return clock + length; }
  bool names_parent() const { return !has_origin && !has_right_origin; }
};

// Reads one block and checks all that can be checked without the document. Throws DecodeError.
void read_block(Reader& reader, Clock clock, BlockView& view);
// The same for bytes that read_block() has accepted before: strings are not checked again.
void reread_block(Reader& reader, Clock clock, BlockView& view);

// The content that remains behind `units`, of bytes as BlockView::content has them; 0 < units <
// length. `needs_replacement` is set when the cut falls inside a surrogate pair.
struct ContentCut {
  std::size_t left_bytes;   // what stays left of the cut
  std::size_t right_begin;  // where the right part begins; differs from left_bytes inside a pair
  bool needs_replacement = false;
};
ContentCut cut_content(Kind kind, ByteView content, std::size_t length, std::size_t units);

// Writes content from unit `offset` on (what is before is left out), with its count.
void write_content(Writer& writer, Kind kind, ByteView content, std::size_t length,
                   std::size_t offset);

// Writes the block `view` of `client` from unit `offset` on, as Yjs writes a block that it has
// decoded but not integrated: the key flag is lost where no key follows.
void write_block(Writer& writer, const BlockView& view, ClientId client, std::uint64_t offset);

}  // namespace palimpsest::crdt::internal
