#pragma once

#include <span>
#include <string>

#include "crdt/woven_text.hpp"

namespace palimpsest::server {

// A difference in the format of `diff -u`, with three lines around each change and "\ No newline at
// end of file" where it applies; empty where nothing is different. The lines that changed are those
// in which something was written or deleted, not those that comparing the texts would find.
std::string unified_diff(std::span<const crdt::WovenText::Change> changes,
                         const std::string& from_label, const std::string& to_label);

}  // namespace palimpsest::server
