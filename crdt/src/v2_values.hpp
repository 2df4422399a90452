#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crdt/id.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::crdt::internal {

// What is written differently in the two formats, value by value: embeds and formatting (JSON in
// v1, any in v2), and the ranges of a delete set.

// Appends what JSON.stringify() writes of the `any` that is read next. Undefined, which JSON does
// not have, becomes null. Throws DecodeError.
void append_json_of_any(std::string& json, Reader& reader);

// Writes what JSON.parse() makes of JSON that was checked, as `any`.
void write_any_of_json(Writer& writer, std::string_view json);

// Reads `count` ranges of one client in v2 and calls visit(clock, length) for each; none is empty.
// Throws DecodeError.
template <class Visit>
void read_ranges_v2(Reader& reader, std::uint64_t count, Visit&& visit) {
  Clock clock = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t start = reader.position();
    clock += reader.read_var_uint();  // both below 2^53
    const std::uint64_t length = reader.read_var_uint() + 1;
    if (clock > kMaxSafeInteger || length > kMaxSafeInteger - clock) {
      reader.fail_at(start, "a deletion that ends beyond 2^53-1");
    }
    visit(clock, length);
    clock += length;
  }
}

}  // namespace palimpsest::crdt::internal
