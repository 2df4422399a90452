#include <algorithm>

#include "core.hpp"
#include "crdt/merge.hpp"
#include "crdt/writer.hpp"
#include "short_text.hpp"

namespace palimpsest::crdt::internal {

// The most common form: a whole text or deletion beside another item.
void Core::write_common_block(Writer& writer, const Block& block) const {
  constexpr std::size_t kLongestHead = 1 + 5 * Writer::kLongestNumberBytes;
  std::uint8_t* at = writer.room(kLongestHead + block.content_bytes + kShortText);
  const bool has_origin = block.origin_client != kNone;
  const bool has_right_origin = block.right_origin_client != kNone;
  *at++ = static_cast<std::uint8_t>(
      static_cast<std::uint8_t>(block.kind) | (has_origin ? kHasOrigin : 0) |
      (has_right_origin ? kHasRightOrigin : 0) | (block.in_map ? kHasKey : 0));
  if (has_origin) {
    at = Writer::put_var_uint(at, clients[block.origin_client].id);
    at = Writer::put_var_uint(at, block.origin_clock);
  }
  if (has_right_origin) {
    at = Writer::put_var_uint(at, clients[block.right_origin_client].id);
    at = Writer::put_var_uint(at, block.right_origin_clock);
  }
  if (block.kind == Kind::kDeleted) return writer.used(Writer::put_var_uint(at, block.length));

  at = Writer::put_var_uint(at, block.content_bytes);
  const Bytes& content = clients[block.client].content;
  const std::uint8_t* const from = content.data() + block.content;
  writer.used(copy_text(at, from, block.content_bytes, content.size() - block.content));
}

void Core::write_block_of(Writer& writer, const Block& block, std::uint64_t offset) const {
  if (offset == 0 && (block.kind == Kind::kString || block.kind == Kind::kDeleted) &&
      (block.origin_client != kNone || block.right_origin_client != kNone)) {
    return write_common_block(writer, block);
  }
  const auto kind = static_cast<std::uint8_t>(block.kind);
  if (!is_item(block.kind)) {
    writer.write_byte(kind);
    writer.write_var_uint(block.length - offset);
    return;
  }
  const bool has_origin = offset > 0 || block.origin_client != kNone;
  const bool has_right_origin = block.right_origin_client != kNone;
  writer.write_byte(static_cast<std::uint8_t>(kind | (has_origin ? kHasOrigin : 0) |
                                              (has_right_origin ? kHasRightOrigin : 0) |
                                              (block.in_map ? kHasKey : 0)));
  if (offset > 0) {
    writer.write_var_uint(clients[block.client].id);
    writer.write_var_uint(block.clock + offset - 1);
  } else if (has_origin) {
    writer.write_var_uint(clients[block.origin_client].id);
    writer.write_var_uint(block.origin_clock);
  }
  if (has_right_origin) {
    writer.write_var_uint(clients[block.right_origin_client].id);
    writer.write_var_uint(block.right_origin_clock);
  }
  if (!has_origin && !has_right_origin) {
    const Type& parent = types[type_of(block)];
    if (parent.item == kNone) {
      writer.write_var_uint(1);
      writer.write_var_string(names[parent.name]);
    } else {
      writer.write_var_uint(0);
      writer.write_var_uint(clients[blocks[parent.item].client].id);
      writer.write_var_uint(blocks[parent.item].clock);
    }
    if (block.in_map) writer.write_var_string(names[slots[block.parent].key]);
  }
  if (block.kind == Kind::kType) {
    const Type& type = types[block.content];
    writer.write_var_uint(static_cast<std::uint64_t>(type.kind));
    if (type.name != kNone) writer.write_var_string(names[type.name]);
  } else {
    write_content(writer, block.kind, content_of(block), block.length,
                  static_cast<std::size_t>(offset));
  }
}

void Core::write_blocks_since(Writer& writer, std::span<std::pair<ClientIndex, Clock>> from) const {
  // Yjs writes the highest client first, which spares the conflict scan work.
  std::sort(from.begin(), from.end(), [&](const auto& a, const auto& b) {
    return clients[a.first].id > clients[b.first].id;
  });
  writer.write_var_uint(from.size());
  for (const auto& [client, clock] : from) {
    const BlockList& own = clients[client].blocks;
    const BlockList::Place first = own.find(clock);
    writer.write_var_uint(own.count_from(first));
    writer.write_var_uint(clients[client].id);
    writer.write_var_uint(clock);
    write_block_of(writer, blocks[own[first]], clock - own.clock_at(first));
    for (auto place = own.next(first); place != own.end(); place = own.next(place)) {
      write_block_of(writer, blocks[own[place]], 0);
    }
  }
}

Bytes Core::encode_since(const StateVector& known) const {
  std::vector<std::pair<ClientIndex, Clock>> from;
  std::size_t content_bytes = 0;
  for (ClientIndex c = 0; c < clients.size(); ++c) {
    const Clock clock = known.clock_of(clients[c].id);
    if (clock < clock_of(c)) {
      from.emplace_back(c, clock);
      content_bytes += clients[c].content.size() + clients[c].blocks.size() * 12;
    }
  }
  Writer writer;
  writer.reserve(content_bytes);
  write_blocks_since(writer, from);
  write_delete_set(writer);
  Bytes state = std::move(writer).take();
  if (!pending && pending_deletes.empty()) return state;

  std::vector<Bytes> parts;
  parts.push_back(std::move(state));
  if (!pending_deletes.empty()) {
    Writer deletes;
    deletes.write_var_uint(0);
    pending_deletes.to_delete_set().write(deletes);
    parts.push_back(std::move(deletes).take());
  }
  if (pending) parts.push_back(crdt::diff_update(pending->update(), known));
  return merge_updates(std::vector<ByteView>(parts.begin(), parts.end()));
}

namespace {

// Most changes fit, and take one allocation.
constexpr std::size_t kUsualChangeBytes = 48;

}  // namespace

Bytes Core::encode_change(const Change& change) const {
  boost::container::small_vector<std::pair<ClientIndex, Clock>, 2> from;
  for (const ClientIndex client : change.clients) {
    if (clients[client].clock_before < clock_of(client)) {
      from.emplace_back(client, clients[client].clock_before);
    }
  }
  if (from.empty() && change.deleted.empty() && change.erased.empty()) return {};
  Writer writer;
  writer.reserve(kUsualChangeBytes);
  write_blocks_since(writer, from);
  write_deletions(writer, change);
  return std::move(writer).take();
}

void Core::write_deletions(Writer& writer, const Change& change) const {
  if (change.deleted.size() + change.erased.size() < 2) {
    // A set would be an allocation for one range.
    const bool is_any = !change.deleted.empty() || !change.erased.empty();
    writer.write_var_uint(is_any ? 1 : 0);
    if (!is_any) return;
    const Change::Span& span =
        change.deleted.empty() ? change.erased.front() : change.deleted.front();
    writer.write_var_uint(clients[span.client].id);
    writer.write_var_uint(1);
    writer.write_var_uint(span.clock);
    writer.write_var_uint(span.length);
    return;
  }
  DeleteSet deletes;
  for (const auto* spans : {&change.deleted, &change.erased}) {
    for (const Change::Span& span : *spans) {
      deletes.add(clients[span.client].id, span.clock, span.length);
    }
  }
  if (!change.erased.empty()) deletes.normalize();
  deletes.write(writer);
}

Bytes Core::encode_typed(const Change& change) const {
  const Client& own = clients[change.typed.client];
  const Block& block = blocks[own.blocks.back()];
  const bool has_right_origin = block.right_origin_client != kNone;
  Writer writer;
  writer.reserve(kUsualChangeBytes);
  writer.write_byte(1);  // client
  writer.write_byte(1);  // block
  writer.write_var_uint(own.id);
  writer.write_var_uint(change.typed.clock);
  writer.write_byte(static_cast<std::uint8_t>(static_cast<std::uint8_t>(block.kind) | kHasOrigin |
                                              (has_right_origin ? kHasRightOrigin : 0)));
  writer.write_var_uint(own.id);
  writer.write_var_uint(change.typed.clock - 1);
  if (has_right_origin) {
    writer.write_var_uint(clients[block.right_origin_client].id);
    writer.write_var_uint(block.right_origin_clock);
  }
  writer.write_var_bytes(content_of(block).last(change.typed_bytes));
  writer.write_byte(0);  // deletions
  return std::move(writer).take();
}

StateVector Core::state_vector() const {
  std::vector<std::pair<ClientId, Clock>> entries;
  entries.reserve(clients.size());
  for (ClientIndex c = 0; c < clients.size(); ++c) entries.emplace_back(clients[c].id, clock_of(c));
  return StateVector(std::move(entries));
}

template <class Visit>
void Core::for_each_deleted_range(ClientIndex client, Visit&& visit) const {
  DeleteSet::Range range;
  for_each_block(client, 0, clock_of(client), [&](BlockIndex index) {
    const Block& block = blocks[index];
    if (!block.deleted) return;
    if (range.end() != block.clock) {
      if (range.length > 0) visit(range);
      range = {block.clock, 0};
    }
    range.length += block.length;
  });
  if (range.length > 0) visit(range);
}

// As delete_set().write(), without making it.
void Core::write_delete_set(Writer& writer) const {
  std::vector<ClientIndex> order;
  std::vector<DeleteSet::Range> ranges;
  std::vector<std::size_t> ends;
  for (const auto& [id, client] : client_index_) order.push_back(client);
  std::reverse(order.begin(), order.end());  // the highest first
  std::size_t with_ranges = 0;
  for (const ClientIndex client : order) {
    const std::size_t before = ranges.size();
    for_each_deleted_range(client, [&](DeleteSet::Range range) { ranges.push_back(range); });
    with_ranges += ranges.size() > before;
    ends.push_back(ranges.size());
  }
  writer.write_var_uint(with_ranges);
  std::size_t next = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (ends[i] == next) continue;
    writer.write_var_uint(clients[order[i]].id);
    writer.write_var_uint(ends[i] - next);
    for (; next < ends[i]; ++next) {
      writer.write_var_uint(ranges[next].clock);
      writer.write_var_uint(ranges[next].length);
    }
  }
}

DeleteSet Core::delete_set() const {
  DeleteSet deletes;
  for (ClientIndex client = 0; client < clients.size(); ++client) {
    for_each_deleted_range(client, [&](DeleteSet::Range range) {
      deletes.append(clients[client].id, range.clock, range.length);
    });
  }
  return deletes;
}

}  // namespace palimpsest::crdt::internal
