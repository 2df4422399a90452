#include "crdt/awareness.hpp"

#include <algorithm>

#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::crdt {

std::vector<AwarenessState> decode_awareness(ByteView bytes) {
  Reader reader(bytes);
  // A client, a clock and the length of a string take a byte each at least.
  const std::uint64_t count = reader.read_count(3, "awareness states");
  std::vector<AwarenessState> states;
  states.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    AwarenessState state;
    state.client = reader.read_var_uint();
    state.clock = reader.read_var_uint();
    state.json = reader.read_var_string();
    states.push_back(std::move(state));
  }
  if (!reader.at_end()) reader.fail("bytes after the last awareness state");
  return states;
}

Bytes encode_awareness(std::span<const AwarenessState> states) {
  Writer writer;
  writer.write_var_uint(states.size());
  for (const AwarenessState& state : states) {
    writer.write_var_uint(state.client);
    writer.write_var_uint(state.clock);
    writer.write_var_string(state.json);
  }
  return std::move(writer).take();
}

bool Awareness::apply(const AwarenessState& state) {
  const auto [known, is_new] = states_.try_emplace(state.client, state);
  if (is_new) return true;
  AwarenessState& current = known->second;
  const bool is_newer = state.clock > current.clock;
  const bool ends_current = state.clock == current.clock && state.is_gone() && !current.is_gone();
  if (!is_newer && !ends_current) return false;
  current = state;
  return true;
}

AwarenessState Awareness::remove(ClientId client) {
  const auto found = states_.find(client);
  PALIMPSEST_ASSERT(found != states_.end() && !found->second.is_gone());
  AwarenessState& state = found->second;
  state.clock = std::min(state.clock + 1, kMaxSafeInteger);
  state.json = "null";
  return state;
}

void Awareness::forget(ClientId client) { states_.erase(client); }

const AwarenessState* Awareness::find(ClientId client) const {
  const auto found = states_.find(client);
  return found == states_.end() ? nullptr : &found->second;
}

}  // namespace palimpsest::crdt
