#include "crdt/reader.hpp"
#include "crdt/v2.hpp"
#include "crdt/writer.hpp"
#include "decoded_update.hpp"
#include "v2_columns.hpp"
#include "v2_values.hpp"

namespace palimpsest::crdt {
namespace internal {
namespace {

// Takes v1 blocks apart into the columns of v2 (v2_reader.cpp has the grammar).
class ColumnWriter {
 public:
  void write(const DecodedUpdate& update) {
    rest_.write_var_uint(update.sections.size());
    for (const Section& section : update.sections) write_section(section);
    write_delete_set_v2(rest_, to_delete_set(update));
  }

  Bytes finish() {
    Writer update;
    update.reserve(rest_.size() + strings_.text().size() + 64);
    update.write_var_uint(0);
    update.write_var_bytes(key_clocks_.finish());
    update.write_var_bytes(clients_.finish());
    update.write_var_bytes(left_clocks_.finish());
    update.write_var_bytes(right_clocks_.finish());
    update.write_var_bytes(infos_.finish());
    Writer strings;
    strings.write_var_bytes(strings_.text());
    strings.write_bytes(strings_.finish_lengths());
    update.write_var_bytes(strings.view());
    update.write_var_bytes(parent_infos_.finish());
    update.write_var_bytes(type_refs_.finish());
    update.write_var_bytes(lengths_.finish());
    update.write_bytes(rest_.view());
    return std::move(update).take();
  }

 private:
  void write_section(const Section& section) {
    rest_.write_var_uint(section.blocks);
    clients_.write(section.client);
    rest_.write_var_uint(section.clock);
    Reader reader(section.bytes);
    Clock clock = section.clock;
    BlockView block;
    for (std::uint64_t i = 0; i < section.blocks; ++i) {
      reread_block(reader, clock, block);
      write_block(block);
      clock = block.end();
    }
  }

  void write_block(const BlockView& block) {
    if (!is_item(block.kind)) {
      infos_.write(static_cast<std::uint8_t>(block.kind));
      if (block.kind == Kind::kGc) {
        lengths_.write(block.length);
      } else {
        rest_.write_var_uint(block.length);
      }
      return;
    }
    infos_.write(block.raw.front());
    if (block.has_origin) write_id(block.origin, left_clocks_);
    if (block.has_right_origin) write_id(block.right_origin, right_clocks_);
    if (block.names_parent()) write_parent(block);
    write_content(block);
  }

  void write_id(Id id, IntDiffOptRleEncoder& clocks) {
    clients_.write(id.client);
    clocks.write(id.clock);
  }

  void write_parent(const BlockView& block) {
    parent_infos_.write(block.has_parent_id ? 0 : 1);
    if (block.has_parent_id) {
      write_id(block.parent_id, left_clocks_);
    } else {
      strings_.write(block.parent_root);
    }
    if (block.has_key) strings_.write(block.key);
  }

  void write_content(const BlockView& block) {
    Reader content(block.content);
    switch (block.kind) {
      case Kind::kString:
        strings_.write(as_text(block.content), block.length);
        break;
      case Kind::kDeleted:
        lengths_.write(block.length);
        break;
      case Kind::kJson:
        lengths_.write(block.length);
        for (std::uint64_t i = 0; i < block.length; ++i) strings_.write(read_text(content));
        break;
      case Kind::kAny:
        lengths_.write(block.length);
        rest_.write_bytes(block.content);
        break;
      case Kind::kFormat:
        write_key(read_text(content));
        write_any_of_json(rest_, read_text(content));
        break;
      case Kind::kEmbed:
        write_any_of_json(rest_, read_text(content));
        break;
      case Kind::kType:
        type_refs_.write(content.read_var_uint());
        if (!content.at_end()) write_key(read_text(content));
        break;
      case Kind::kDoc:
        strings_.write(read_text(content));
        rest_.write_bytes(content.read_bytes(content.remaining()));
        break;
      default:  // kBinary
        rest_.write_bytes(block.content);
    }
  }

  // Of bytes that were checked when they were decoded.
  static std::string_view read_text(Reader& content) { return as_text(content.read_var_bytes()); }

  // Each key gets a number of its own, even one that was there before: so does Yjs 13, whose
  // readers of older versions could not look one up.
  void write_key(std::string_view key) {
    key_clocks_.write(next_key_++);
    strings_.write(key);
  }

  IntDiffOptRleEncoder key_clocks_;
  UintOptRleEncoder clients_;
  IntDiffOptRleEncoder left_clocks_;
  IntDiffOptRleEncoder right_clocks_;
  RleEncoder infos_;
  StringEncoder strings_;
  RleEncoder parent_infos_;
  UintOptRleEncoder type_refs_;
  UintOptRleEncoder lengths_;
  Writer rest_;
  std::uint64_t next_key_ = 0;
};

}  // namespace
}  // namespace internal

Bytes update_v2_from_v1(ByteView update) {
  internal::ColumnWriter columns;
  columns.write(internal::decode_update(update));
  return std::move(columns).finish();
}

}  // namespace palimpsest::crdt
