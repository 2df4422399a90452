#include "crdt/sync.hpp"

#include "crdt/reader.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::crdt {

SyncMessage SyncMessage::read(Reader& reader) {
  const std::size_t start = reader.position();
  const std::uint64_t kind = reader.read_var_uint();
  if (kind > static_cast<std::uint64_t>(Kind::kUpdate)) {
    reader.fail_at(start, "no such kind of sync message");
  }
  return {static_cast<Kind>(kind), reader.read_var_bytes()};
}

void SyncMessage::write(Writer& writer) const {
  writer.write_var_uint(static_cast<std::uint64_t>(kind));
  writer.write_var_bytes(payload);
}

}  // namespace palimpsest::crdt
