#include "v2_values.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "crdt/any.hpp"
#include "crdt/delete_set.hpp"
#include "crdt/snapshot.hpp"
#include "crdt/v2.hpp"
#include "json.hpp"

namespace palimpsest::crdt {
namespace internal {
namespace {

// Whether JavaScript takes a key for an index, and so puts it in front of an object's other keys
// (ECMA-262 §10.1.11): "0", "1" … "4294967294".
bool is_array_index(std::string_view key, std::uint32_t& index) {
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  if (key.empty() || (key[0] == '0' && key.size() > 1)) return false;
  const char* const end = key.data() + key.size();
  const auto [last, error] = std::from_chars(key.data(), end, index);
  return error == std::errc() && last == end && index != kNone;
}

// The order of a JavaScript object's keys: indices by value, then the others as they were set.
// Of a key that comes again the last value counts, at the place of the first.
Any::Object in_javascript_order(Any::Object members) {
  struct Place {
    bool is_index;
    std::uint32_t index;
    std::size_t first;
  };
  std::map<std::string_view, std::pair<Place, std::size_t>> latest;  // key → place, last member
  for (std::size_t i = 0; i < members.size(); ++i) {
    Place place{.is_index = false, .index = 0, .first = i};
    place.is_index = is_array_index(members[i].first, place.index);
    if (!place.is_index) place.index = 0;
    latest.try_emplace(members[i].first, place, i).first->second.second = i;
  }
  std::vector<std::pair<Place, std::size_t>> order;
  order.reserve(latest.size());
  for (const auto& [key, entry] : latest) order.push_back(entry);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    if (a.first.is_index != b.first.is_index) return a.first.is_index;
    return a.first.is_index ? a.first.index < b.first.index : a.first.first < b.first.first;
  });
  Any::Object result;
  result.reserve(order.size());
  for (const auto& [place, last] : order) result.push_back(std::move(members[last]));
  return result;
}

// Throughout a value; its depth is bounded by Any::kMaxDepth.
void order_members(Any& value) {
  if (auto* elements = std::get_if<Any::Array>(&value.value())) {
    for (Any& element : *elements) order_members(element);
  } else if (auto* members = std::get_if<Any::Object>(&value.value())) {
    for (auto& [key, member] : *members) order_members(member);
    if (members->size() > 1) *members = in_javascript_order(std::move(*members));
  }
}

// The words of JSON that most formatting consists of, without building a value.
bool write_word(Writer& writer, std::string_view json) {
  constexpr std::uint8_t kTrue = 120;  // the tags of any (any.cpp)
  constexpr std::uint8_t kFalse = 121;
  constexpr std::uint8_t kNull = 126;
  const std::uint8_t tag = json == "null" ? kNull : json == "true" ? kTrue : kFalse;
  if (tag == kFalse && json != "false") return false;
  writer.write_byte(tag);
  return true;
}

bool is_ascending(const DeleteSet::Ranges& ranges) {
  return std::adjacent_find(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) {
           return a.end() > b.clock;
         }) == ranges.end();
}

void write_ranges_v2(Writer& writer, const DeleteSet::Ranges& ranges) {
  writer.write_var_uint(ranges.size());
  Clock clock = 0;
  for (const DeleteSet::Range& range : ranges) {
    writer.write_var_uint(range.clock - clock);
    writer.write_var_uint(range.length - 1);
    clock = range.end();
  }
}

DeleteSet::Ranges sorted_and_joined(ClientId client, const DeleteSet::Ranges& ranges) {
  DeleteSet set;
  for (const DeleteSet::Range& range : ranges) set.append(client, range.clock, range.length);
  set.normalize();
  return std::move(set).clients().at(client);
}

}  // namespace

void append_json_of_any(std::string& json, Reader& reader) {
  Any value = Any::read(reader);
  order_members(value);
  append_json(json, value);
}

void write_any_of_json(Writer& writer, std::string_view json) {
  if (write_word(writer, json)) return;
  Any value = parse_json(json);
  order_members(value);
  value.write(writer);
}

}  // namespace internal

DeleteSet read_delete_set_v2(Reader& reader) {
  DeleteSet deletes;
  const std::uint64_t clients = reader.read_count(2, "more clients than the bytes can hold");
  for (std::uint64_t i = 0; i < clients; ++i) {
    const ClientId client = reader.read_var_uint();
    const std::uint64_t count = reader.read_count(2, "more deletions than the bytes can hold");
    internal::read_ranges_v2(reader, count, [&](Clock clock, std::uint64_t length) {
      deletes.append(client, clock, length);
    });
  }
  return deletes;
}

void write_delete_set_v2(Writer& writer, const DeleteSet& deletes) {
  writer.write_var_uint(deletes.clients().size());
  for (auto entry = deletes.clients().rbegin(); entry != deletes.clients().rend(); ++entry) {
    const auto& [client, ranges] = *entry;
    writer.write_var_uint(client);
    internal::write_ranges_v2(writer, internal::is_ascending(ranges)
                                          ? ranges
                                          : internal::sorted_and_joined(client, ranges));
  }
}

Snapshot decode_snapshot_v2(ByteView bytes) {
  Reader reader(bytes);
  DeleteSet deletes = read_delete_set_v2(reader);
  StateVector state = StateVector::read(reader);
  if (!reader.at_end()) reader.fail("bytes after the end of the snapshot");
  return {.state_vector = std::move(state), .delete_set = std::move(deletes)};
}

Bytes encode_snapshot_v2(const Snapshot& snapshot) {
  Writer writer;
  write_delete_set_v2(writer, snapshot.delete_set);
  writer.write_bytes(snapshot.state_vector.encode());
  return std::move(writer).take();
}

}  // namespace palimpsest::crdt
