#include "core.hpp"

#include <algorithm>
#include <limits>

namespace palimpsest::crdt::internal {

NameIndex Names::intern(std::string_view name) {
  if (const auto known = index_.find(name); known != index_.end()) return known->second;
  const auto index = static_cast<NameIndex>(strings_.size());
  index_.emplace(strings_.emplace_back(name), index);
  return index;
}

std::optional<NameIndex> Names::find(std::string_view name) const {
  const auto known = index_.find(name);
  return known == index_.end() ? std::nullopt : std::optional(known->second);
}

ClientIndex Core::client_index(ClientId id) {
  const auto [entry, is_new] =
      client_index_.try_emplace(id, static_cast<ClientIndex>(clients.size()));
  if (is_new) clients.emplace_back().id = id;
  return entry->second;
}

std::optional<ClientIndex> Core::find_client(ClientId id) const {
  const auto known = client_index_.find(id);
  return known == client_index_.end() ? std::nullopt : std::optional(known->second);
}

Clock Core::clock_of(ClientIndex client) const {
  const std::vector<BlockIndex>& own = clients[client].blocks;
  return own.empty() ? 0 : blocks[own.back()].end();
}

Clock Core::clock_of_id(ClientId id) const {
  const auto client = find_client(id);
  return client ? clock_of(*client) : 0;
}

std::size_t Core::find(ClientIndex client, Clock clock) const {
  const std::vector<BlockIndex>& own = clients[client].blocks;
  PALIMPSEST_ASSERT(!own.empty() && clock < blocks[own.back()].end());
  if (blocks[own.back()].clock <= clock) return own.size() - 1;
  const auto after =
      std::upper_bound(own.begin(), own.end(), clock,
                       [&](Clock value, BlockIndex index) { return value < blocks[index].clock; });
  return static_cast<std::size_t>(after - own.begin()) - 1;
}

BlockIndex Core::block_at(ClientIndex client, Clock clock) const {
  return clients[client].blocks[find(client, clock)];
}

BlockIndex Core::allocate(const Block& block) {
  if (free_block_ != kNone) {
    const BlockIndex index = free_block_;
    free_block_ = blocks[index].right;
    blocks[index] = block;
    return index;
  }
  PALIMPSEST_ASSERT(blocks.size() < kNone);
  blocks.push_back(block);
  return static_cast<BlockIndex>(blocks.size() - 1);
}

void Core::release(BlockIndex block) {
  blocks[block] = Block{};
  blocks[block].right = free_block_;
  free_block_ = block;
}

TypeIndex Core::root(std::string_view name) {
  const NameIndex name_index = names.intern(name);
  const auto [entry, is_new] =
      root_index_.try_emplace(name_index, static_cast<TypeIndex>(types.size()));
  if (is_new) {
    types.emplace_back().name = name_index;
    roots.push_back(entry->second);
  }
  return entry->second;
}

std::optional<TypeIndex> Core::find_root(std::string_view name) const {
  const auto name_index = names.find(name);
  if (!name_index) return std::nullopt;
  const auto known = root_index_.find(*name_index);
  return known == root_index_.end() ? std::nullopt : std::optional(known->second);
}

SlotIndex Core::slot(TypeIndex type, std::string_view key) {
  const NameIndex key_index = names.intern(key);
  const std::uint64_t address = std::uint64_t{type} << 32 | key_index;
  const auto [entry, is_new] =
      slot_index_.try_emplace(address, static_cast<SlotIndex>(slots.size()));
  if (is_new) {
    slots.push_back({type, key_index, kNone, kNone, kNone});
    SlotIndex& last = types[type].last_slot;
    (last == kNone ? types[type].first_slot : slots[last].next) = entry->second;
    last = entry->second;
  }
  return entry->second;
}

std::optional<SlotIndex> Core::find_slot(TypeIndex type, std::string_view key) const {
  const auto key_index = names.find(key);
  if (!key_index) return std::nullopt;
  const auto known = slot_index_.find(std::uint64_t{type} << 32 | *key_index);
  return known == slot_index_.end() ? std::nullopt : std::optional(known->second);
}

ByteView Core::content_of(const Block& block) const {
  return ByteView(clients[block.client].content).subspan(block.content, block.content_bytes);
}

std::uint32_t Core::store_content(ClientIndex client, ByteView bytes) {
  Bytes& content = clients[client].content;
  PALIMPSEST_ASSERT(content.size() + bytes.size() <= std::numeric_limits<std::uint32_t>::max());
  const auto offset = static_cast<std::uint32_t>(content.size());
  content.insert(content.end(), bytes.begin(), bytes.end());
  return offset;
}

void Core::drop_content(Block& block) {
  clients[block.client].dead_bytes += block.content_bytes;
  block.content = 0;
  block.content_bytes = 0;
}

void Core::check_invariants() const {
  std::vector<bool> is_listed(blocks.size(), false);
  for (std::size_t c = 0; c < clients.size(); ++c) {
    Clock next = 0;
    for (const BlockIndex index : clients[c].blocks) {
      const Block& block = blocks[index];
      PALIMPSEST_ASSERT(block.client == c);
      PALIMPSEST_ASSERT(block.clock == next);
      PALIMPSEST_ASSERT(block.length > 0);
      PALIMPSEST_ASSERT(block.kind != Kind::kSkip);
      PALIMPSEST_ASSERT(!is_listed[index]);
      is_listed[index] = true;
      next = block.end();
      if (!is_item(block.kind)) {
        PALIMPSEST_ASSERT(block.deleted);
        continue;
      }
      PALIMPSEST_ASSERT(block.kind != Kind::kDeleted || block.deleted);
      if (block.kind != Kind::kType) {
        PALIMPSEST_ASSERT(block.content + block.content_bytes <= clients[c].content.size());
      }
      if (block.kind == Kind::kString) {
        const ByteView text = content_of(block);
        const std::string_view view(reinterpret_cast<const char*>(text.data()), text.size());
        PALIMPSEST_ASSERT(is_utf8(view) && length_utf16(view) == block.length);
      }
      if (block.left != kNone) {
        PALIMPSEST_ASSERT(blocks[block.left].right == index);
      }
      if (block.right != kNone) {
        PALIMPSEST_ASSERT(blocks[block.right].left == index);
        PALIMPSEST_ASSERT(blocks[block.right].parent == block.parent);
        PALIMPSEST_ASSERT(blocks[block.right].in_map == block.in_map);
      }
      if (block.in_map) {
        const Slot& slot = slots[block.parent];
        PALIMPSEST_ASSERT((block.left == kNone) == (slot.first == index));
        PALIMPSEST_ASSERT((block.right == kNone) == (slot.last == index));
        PALIMPSEST_ASSERT(block.right == kNone || block.deleted);
      } else {
        PALIMPSEST_ASSERT((block.left == kNone) == (types[block.parent].start == index));
      }
      const BlockIndex parent_item = types[type_of(block)].item;
      PALIMPSEST_ASSERT(parent_item == kNone || !blocks[parent_item].deleted || block.deleted);
    }
  }
}

std::size_t Core::memory_bytes() const {
  std::size_t bytes = sizeof(Core) + blocks.capacity() * sizeof(Block) +
                      clients.capacity() * sizeof(Client) + types.capacity() * sizeof(Type) +
                      slots.capacity() * sizeof(Slot);
  for (const Client& client : clients) {
    bytes += client.blocks.capacity() * sizeof(BlockIndex) + client.content.capacity();
  }
  constexpr std::size_t kHashNodeBytes = 40;
  bytes += (client_index_.size() + slot_index_.size() + root_index_.size()) * kHashNodeBytes;
  bytes += names.size() * (sizeof(std::string) + kHashNodeBytes);
  if (pending) bytes += pending->update.capacity();
  return bytes;
}

}  // namespace palimpsest::crdt::internal
