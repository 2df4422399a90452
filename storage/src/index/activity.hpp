#pragma once

#include <vector>

#include "crdt/bytes.hpp"
#include "storage/history.hpp"
#include "storage/index.hpp"

namespace palimpsest::storage::index {

// The last kActivityPeriods of a history in which something was done. Of somebody with several
// client ids (who reloaded the page) the changes are counted together.
crdt::Bytes encode_activity(const History& history);
// Without names. Empty where it is damaged: a list without a drawing is better than none.
std::vector<Activity> decode_activity(crdt::ByteView bytes);

}  // namespace palimpsest::storage::index
