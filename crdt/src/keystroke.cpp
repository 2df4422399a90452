#include "core.hpp"

// What nearly every update is: a key pressed behind the one before, or a character erased beside
// one that was erased before. Both change the ends of blocks that are there; the result is the one
// that cutting, linking and joining would lead to.

namespace palimpsest::crdt::internal {

bool Core::apply_keystroke(const DecodedUpdate& update) {
  if (pending || !pending_deletes.empty() || options.clean_formatting) return false;
  caret.text = kNone;
  if (update.blocks == 1 && update.deletions.empty()) {
    return append(update.sections.front().client, update.only_block);
  }
  return update.sections.empty() && update.deletions.size() == 1 && options.gc &&
         erase_at_edge(update.deletions.front());
}

// Goes on with the client's last block, where the new one would stand behind it with nothing
// concurrent between.
bool Core::append(ClientId id, const BlockView& block) {
  if (!block.has_origin || block.origin != Id{id, block.clock - 1} || block.content.empty()) {
    return false;
  }
  const ClientIndex client = find_client(id);
  if (client == kNone) return false;
  Client& own = clients[client];
  if (own.blocks.clock() != block.clock) return false;
  Block& last = blocks[own.blocks.back()];
  if (last.kind != block.kind || last.deleted || last.in_map || !is_mergeable(last.kind) ||
      last.length + block.length > kMaxBlockLength ||
      last.content + last.content_bytes != own.content.size()) {
    return false;
  }
  if (block.has_right_origin) {
    if (last.right_origin_client == kNone || last.right_origin_clock != block.right_origin.clock ||
        clients[last.right_origin_client].id != block.right_origin.client || last.right == kNone ||
        blocks[last.right].client != last.right_origin_client ||
        blocks[last.right].clock != last.right_origin_clock) {
      return false;
    }
  } else if (last.right_origin_client != kNone || last.right != kNone) {
    return false;
  }
  store_content(client, block.content);
  last.length += static_cast<std::uint32_t>(block.length);
  last.content_bytes += static_cast<std::uint32_t>(block.content.size());
  own.blocks.extend(static_cast<std::uint32_t>(block.length));
  if (!positions.empty()) positions.resized(own.blocks.back(), last.length);
  merge_with_lefts(client, own.blocks.last());
  return true;
}

// Moves the border between a text and the deleted block before or behind it.
bool Core::erase_at_edge(const Deletion& deletion) {
  const ClientIndex client = find_client(deletion.client);
  if (client == kNone || deletion.end() > clock_of(client)) return false;
  BlockList& own = clients[client].blocks;
  const BlockList::Place place = own.find(deletion.clock);
  const Block& text = blocks[own[place]];
  if (text.kind != Kind::kString || text.deleted || text.in_map || deletion.length >= text.length) {
    return false;
  }
  if (deletion.end() == text.end()) return erase_tail(client, place, deletion.length);
  return deletion.clock == text.clock && erase_head(client, place, deletion.length);
}

bool Core::erase_tail(ClientIndex client, BlockList::Place place, std::uint64_t units) {
  BlockList& own = clients[client].blocks;
  const BlockList::Place behind = own.next(place);
  if (behind == own.end()) return false;
  Block& text = blocks[own[place]];
  Block& erased = blocks[own[behind]];
  if (erased.kind != Kind::kDeleted || text.right != own[behind] || !joins_across(text, erased) ||
      erased.length + units > kMaxBlockLength) {
    return false;
  }
  const auto left = static_cast<std::uint32_t>(text.length - units);
  const ContentCut cut = cut_content(Kind::kString, content_of(text), text.length, left);
  if (cut.needs_replacement) return false;

  clients[client].dead_bytes += text.content_bytes - cut.left_bytes;
  text.content_bytes = static_cast<std::uint32_t>(cut.left_bytes);
  text.length = left;
  erased.clock -= units;
  erased.origin_clock -= units;
  erased.length += static_cast<std::uint32_t>(units);
  own.move_start(behind, erased.clock);
  if (!positions.empty()) positions.resized(own[place], text.length);
  if (const BlockList::Place next = own.next(behind); next != own.end()) {
    merge_with_lefts(client, next);
  }
  compact_content(client);
  return true;
}

bool Core::erase_head(ClientIndex client, BlockList::Place place, std::uint64_t units) {
  BlockList& own = clients[client].blocks;
  if (place == own.begin()) return false;
  const BlockList::Place before = own.previous(place);
  Block& text = blocks[own[place]];
  Block& erased = blocks[own[before]];
  if (erased.kind != Kind::kDeleted || erased.right != own[place] || !joins_across(erased, text) ||
      erased.length + units > kMaxBlockLength) {
    return false;
  }
  const ContentCut cut =
      cut_content(Kind::kString, content_of(text), text.length, static_cast<std::size_t>(units));
  if (cut.needs_replacement) return false;

  clients[client].dead_bytes += cut.right_begin;
  text.content += static_cast<std::uint32_t>(cut.right_begin);
  text.content_bytes -= static_cast<std::uint32_t>(cut.right_begin);
  text.clock += units;
  text.origin_clock = text.clock - 1;
  text.length -= static_cast<std::uint32_t>(units);
  erased.length += static_cast<std::uint32_t>(units);
  own.move_start(place, text.clock);
  if (!positions.empty()) positions.resized(own[place], text.length);
  merge_with_lefts(client, before);
  const BlockList::Place now = own.find(text.clock);
  if (const BlockList::Place next = own.next(now); next != own.end()) {
    merge_with_lefts(client, next);
  }
  compact_content(client);
  return true;
}

}  // namespace palimpsest::crdt::internal
