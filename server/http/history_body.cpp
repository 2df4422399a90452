#include "http/history_body.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "http/json_body.hpp"
#include "http/moments.hpp"
#include "http/problem.hpp"
#include "room/plain_text.hpp"

namespace palimpsest::server::http {

using Json = nlohmann::ordered_json;
using storage::History;
using storage::Seq;

namespace {

constexpr std::size_t kPersonNameBytes = 256;
constexpr std::size_t kPersonNameCodePoints = 64;
constexpr std::size_t kWhenBytes = 300;

std::uint64_t number_member(const Json& body, std::string_view name) {
  const auto member = body.find(name);
  if (member == body.end() || !member->is_number_unsigned())
    throw Problem(400, std::string(name) + " must be a number");
  return member->get<std::uint64_t>();
}

}  // namespace

std::string person_of(const Json& body) {
  return plain_text(text_member_or_empty(body, "by", kPersonNameBytes), kPersonNameCodePoints);
}

Seq moment_member(const History& history, const Json& body, std::string_view name) {
  const auto member = body.find(name);
  if (member == body.end()) throw Problem(400, std::string(name) + ": a moment is missing");
  const std::string when = member->is_number_unsigned()
                               ? std::to_string(member->get<std::uint64_t>())
                               : text_member(body, name, kWhenBytes);
  return looking_for(name, [&] { return history.resolve(when); });
}

Seq moment_member_or_now(const History& history, const Json& body, std::string_view name) {
  return body.contains(name) ? moment_member(history, body, name) : history.last_seq();
}

std::optional<NamedType> type_of(const Json& body) {
  if (body.contains("root") && body.contains("type"))
    throw Problem(400, "root and type name one text each");
  if (body.contains("type")) return NamedType{"", parse_type(text_member(body, "type", 100))};
  if (body.contains("root")) return NamedType{text_member(body, "root", 1000), std::nullopt};
  return std::nullopt;
}

std::optional<crdt::Transaction::Range> range_of(const Json& body) {
  const auto member = body.find("range");
  if (member == body.end()) return std::nullopt;
  if (!member->is_object() || member->size() != 2)
    throw Problem(400, "range must have an index and a length");
  return crdt::Transaction::Range{number_member(*member, "index"),
                                  number_member(*member, "length")};
}

crdt::ClientId new_restorer(const History& history, const Random& random) {
  const crdt::StateVector known = history.weave().doc().state_vector();
  for (;;) {
    std::array<unsigned char, 3> bytes{};
    random(bytes);
    crdt::ClientId client = 0;
    for (const unsigned char byte : bytes) client = client << 8 | byte;
    client += crdt::kFirstRestorer;
    if (known.clock_of(client) == 0) return client;
  }
}

}  // namespace palimpsest::server::http
