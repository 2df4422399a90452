#include "crdt/update.hpp"

#include <algorithm>

#include "crdt/reader.hpp"
#include "decoded_update.hpp"
#include "read_deletions.hpp"
#include "v2_reader.hpp"

namespace palimpsest::crdt {
namespace internal {
namespace {

// Reads one client's blocks; `block` is the last of them afterwards.
void read_section(Reader& reader, Section& section, BlockView& block, bool& brings_types) {
  // The shortest block takes two bytes.
  section.blocks = reader.read_count(2, "more blocks than the bytes can hold");
  section.client = reader.read_var_uint();
  section.clock = reader.read_var_uint();
  const std::uint8_t* const begin = reader.data();
  Clock clock = section.clock;
  section.end = clock;
  for (std::uint64_t i = 0; i < section.blocks; ++i) {
    const std::size_t start = reader.position();
    read_block(reader, clock, block);
    check_reference_order(reader, start, section.client, block);
    clock = block.end();
    note_block(section, block, brings_types);
  }
  section.bytes = {begin, reader.data()};
}

}  // namespace

void BlockCursor::next() {
  if (remaining_ == 0) return finish();
  --remaining_;
  reread_block(reader_, block_.end(), block_);
}

void BlockCursor::finish() {
  remaining_ = 0;
  block_.length = 0;
}

Section BlockCursor::rest(ClientId client) const {
  Section section;
  section.client = client;
  section.clock = block_.clock;
  section.blocks = remaining_ + 1;
  section.bytes = {block_.raw.data(), reader_.data() + reader_.remaining()};
  return section;
}

void join_overlapping(boost::container::small_vector<Deletion, 1>& deletions) {
  if (deletions.size() < 2) return;
  const auto is_orderly = [](const Deletion& a, const Deletion& b) {
    return a.client != b.client ? a.client > b.client : a.end() <= b.clock;
  };
  const auto is_disorder = [&](const Deletion& a, const Deletion& b) { return !is_orderly(a, b); };
  const auto end = deletions.end();
  if (std::adjacent_find(deletions.begin(), end, is_disorder) == end) return;
  auto sorted = deletions;
  std::sort(sorted.begin(), sorted.end(), [](const Deletion& a, const Deletion& b) {
    return a.client != b.client ? a.client > b.client : a.clock < b.clock;
  });
  if (std::adjacent_find(sorted.begin(), sorted.end(), is_disorder) == sorted.end()) return;
  std::size_t last = 0;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (is_orderly(sorted[last], sorted[i])) {
      sorted[++last] = sorted[i];
    } else {
      const Clock joined = std::max(sorted[last].end(), sorted[i].end());
      sorted[last].length = joined - sorted[last].clock;
    }
  }
  sorted.resize(last + 1);
  deletions = std::move(sorted);
}

void decode_update(ByteView bytes, DecodedUpdate& update) {
  Reader reader(bytes);
  update.size_bytes = bytes.size();
  // A client without blocks takes three bytes.
  const std::uint64_t count = reader.read_count(3, "more clients than the bytes can hold");
  update.sections.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    Section& section = update.sections.emplace_back();
    read_section(reader, section, update.only_block, update.brings_types);
    update.blocks += static_cast<std::size_t>(section.blocks);
  }
  read_deletions(reader, [&](ClientId client, Clock clock, std::uint64_t length) {
    update.deletions.push_back({client, clock, length});
  });
  join_overlapping(update.deletions);
  if (!reader.at_end()) reader.fail("bytes after the end of the update");
}

DecodedUpdate decode_update(ByteView bytes) {
  DecodedUpdate update;
  decode_update(bytes, update);
  return update;
}

DeleteSet to_delete_set(const DecodedUpdate& update) {
  DeleteSet deletes;
  for (const Deletion& deletion : update.deletions) {
    deletes.append(deletion.client, deletion.clock, deletion.length);
  }
  return deletes;
}

}  // namespace internal

Update::Update() {
  static_assert(sizeof(internal::DecodedUpdate) <= sizeof(state_));
  static_assert(alignof(internal::DecodedUpdate) <= kStateAlignment);
  std::construct_at(&decoded());
}

Update::Update(Update&& other) noexcept : own_bytes_(std::move(other.own_bytes_)) {
  std::construct_at(&decoded(), std::move(other.decoded()));
}

Update& Update::operator=(Update&& other) noexcept {
  decoded() = std::move(other.decoded());
  own_bytes_ = std::move(other.own_bytes_);
  return *this;
}

Update::~Update() { std::destroy_at(&decoded()); }

Update Update::decode(ByteView bytes) {
  Update update;
  internal::decode_update(bytes, update.decoded());
  return update;
}

Update Update::decode_v2(ByteView bytes, const V2Limits& limits) {
  Update update;
  update.own_bytes_ = internal::decode_update_v2(bytes, limits, update.decoded());
  return update;
}

bool Update::empty() const {
  return decoded().deletions.empty() &&
         std::all_of(decoded().sections.begin(), decoded().sections.end(),
                     [](const auto& section) { return section.end == section.clock; });
}

std::size_t Update::size_bytes() const { return decoded().size_bytes; }
std::size_t Update::block_count() const { return decoded().blocks; }

std::vector<Update::Authored> Update::authored() const {
  std::vector<Authored> result;
  for (const internal::Section& section : decoded().sections) {
    if (section.end > section.clock) result.push_back({section.client, section.clock, section.end});
  }
  return result;
}

DeleteSet Update::deletions() const {
  DeleteSet deletions = internal::to_delete_set(decoded());
  deletions.normalize();
  return deletions;
}

std::vector<ClientId> Update::deletes_from() const {
  std::vector<ClientId> result;
  for (const internal::Deletion& deletion : decoded().deletions) result.push_back(deletion.client);
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

}  // namespace palimpsest::crdt
