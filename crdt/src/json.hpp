#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "crdt/any.hpp"

namespace palimpsest::crdt::internal {

// JSON (RFC 8259) as JavaScript reads and writes it: what embeds, formatting values and old array
// elements are made of.

// Throws DecodeError, its offsets counted from `base_offset`.
Any parse_json(std::string_view json, std::size_t base_offset = 0);
// Checks what parse_json() checks, without building the value.
void check_json(std::string_view json, std::size_t base_offset);

// JSON.stringify.
void append_json(std::string& out, const Any& value);
void append_json_string(std::string& out, std::string_view utf8);
// Number.prototype.toString (ECMA-262 §6.1.6.1.20).
void append_number(std::string& out, double number);

}  // namespace palimpsest::crdt::internal
