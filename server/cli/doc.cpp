#include "cli/doc.hpp"

#include <limits>
#include <ostream>

#include <nlohmann/json.hpp>

#include "cli/files.hpp"
#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/update.hpp"
#include "crdt/v2.hpp"
#include "history/json.hpp"

namespace palimpsest::server::cli {
namespace {

// A file on one's own disk may hold whatever memory takes; how deep types nest stays bounded.
constexpr crdt::Limits kFileLimits{.pending_bytes = std::numeric_limits<std::size_t>::max(),
                                   .pending_blocks = std::numeric_limits<std::size_t>::max(),
                                   .clients = std::numeric_limits<std::size_t>::max()};
// In v2, 100,000 empty types in a list take 40 bytes: more is taken of a file than of a stranger.
constexpr crdt::V2Limits kFileLimitsV2{.free_blocks = std::size_t{1} << 17};

[[noreturn]] void fail_at(const std::filesystem::path& file, std::size_t offset,
                          const std::string& cause) {
  throw InputError(file.string() + ": byte " + std::to_string(offset) + ": " + cause);
}

std::string cause_of(crdt::Refusal refusal) {
  switch (refusal) {
    case crdt::Refusal::kPendingFull:
      return "too much of it waits for updates that are missing";
    case crdt::Refusal::kTooManyClients:
      return "too many clients";
    case crdt::Refusal::kTooDeep:
      return "types are nested too deep";
  }
  return "it is not taken";
}

// An update file, and how it is to be read.
struct Input {
  const std::filesystem::path& file;
  bool v2;
};

// `offset` is where the update starts in the file.
void apply(crdt::Doc& doc, crdt::ByteView bytes, const Input& input, std::size_t offset) {
  const auto& [file, v2] = input;
  try {
    const crdt::Update update =
        v2 ? crdt::Update::decode_v2(bytes, kFileLimitsV2) : crdt::Update::decode(bytes);
    if (const auto refusal = doc.check(update, kFileLimits))
      fail_at(file, offset, cause_of(*refusal));
    doc.apply(update);
  } catch (const crdt::DecodeError& error) {
    fail_at(file, offset + error.offset_bytes(), error.cause());
  }
}

// framed := (u32_le(length) update)*
void apply_framed(crdt::Doc& doc, crdt::ByteView bytes, const Input& input) {
  const std::filesystem::path& file = input.file;
  constexpr std::size_t kHeader = 4;
  for (std::size_t offset = 0; offset < bytes.size();) {
    if (bytes.size() - offset < kHeader)
      fail_at(file, offset, "the file ends within the length of an update");
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < kHeader; ++i)
      length |= static_cast<std::uint32_t>(bytes[offset + i]) << (8 * i);
    if (bytes.size() - offset - kHeader < length)
      fail_at(file, offset,
              "the file ends within an update of " + std::to_string(length) + " bytes");
    offset += kHeader;
    apply(doc, bytes.subspan(offset, length), input, offset);
    offset += length;
  }
}

// What a Yjs document holds that applied the same updates.
crdt::Doc empty_doc() { return crdt::Doc({.gc = true, .clean_formatting = true}); }

crdt::Doc load(const Input& input) {
  crdt::Doc doc = empty_doc();
  const crdt::Bytes bytes = read_file(input.file);
  apply(doc, bytes, input, 0);
  return doc;
}

void write_update(const std::filesystem::path& file, crdt::ByteView update, bool v2) {
  if (v2)
    write_file(file, crdt::update_v2_from_v1(update));
  else
    write_file(file, update);
}

}  // namespace

void run(const DocMerge& command) {
  crdt::Doc doc = empty_doc();
  for (const auto& file : command.files) {
    const crdt::Bytes bytes = read_file(file);
    const Input input{.file = file, .v2 = command.v2_in};
    if (command.framed)
      apply_framed(doc, bytes, input);
    else
      apply(doc, bytes, input, 0);
  }
  write_update(command.out, doc.encode(), command.v2_out);
}

void run(const DocShow& command, std::ostream& out) {
  const crdt::Doc doc = load({command.file, command.v2_in});
  switch (command.format) {
    case DocShow::Format::kText:
      out << doc.text(command.root);
      break;
    case DocShow::Format::kJson:
      out << root_json(doc, command.root) << '\n';
      break;
    case DocShow::Format::kDelta:
      out << doc.delta(command.root).to_json() << '\n';
      break;
    case DocShow::Format::kXml:
      out << doc.xml(command.root);
      break;
  }
}

void run(const DocState& command, std::ostream& out) {
  const crdt::Doc doc = load({command.file, command.v2_in});
  nlohmann::ordered_json state = {{"stateVector", nlohmann::ordered_json::object()},
                                  {"deleteSet", nlohmann::ordered_json::object()},
                                  {"pending", doc.has_pending()}};
  for (const auto& [client, clock] : doc.state_vector().entries())
    state["stateVector"][std::to_string(client)] = clock;
  const crdt::DeleteSet deleted = doc.delete_set();
  for (const auto& [client, ranges] : deleted.clients()) {
    auto& list = state["deleteSet"][std::to_string(client)];
    for (const auto& range : ranges) list.push_back({range.clock, range.length});
  }
  out << state.dump() << '\n';
}

void run(const DocDiff& command) {
  const crdt::Doc doc = load({command.file, command.v2_in});
  const crdt::Bytes since = read_file(command.since);
  try {
    const crdt::Bytes update = doc.encode_since(crdt::StateVector::decode(since));
    write_update(command.out, update, command.v2_out);
  } catch (const crdt::DecodeError& error) {
    fail_at(command.since, error.offset_bytes(), error.cause());
  }
}

}  // namespace palimpsest::server::cli
