#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "crdt/doc.hpp"
#include "crdt/id.hpp"
#include "crdt/shared_type.hpp"
#include "http/security.hpp"
#include "storage/history.hpp"

namespace palimpsest::server::http {

// What the bodies of requests about a document's past have in common. All throw Problem.

// "by": who asks, as claimed; "" where the body does not say.
std::string person_of(const nlohmann::ordered_json& body);

// A WHEN: a number, or text as in a query.
storage::Seq moment_member(const storage::History& history, const nlohmann::ordered_json& body,
                           std::string_view name);
storage::Seq moment_member_or_now(const storage::History& history,
                                  const nlohmann::ordered_json& body, std::string_view name);

// Which type the body names, if any. What ref() answers borrows the name.
struct NamedType {
  std::string root;
  std::optional<crdt::Id> item;

  crdt::TypeRef ref() const { return item ? crdt::TypeRef(*item) : crdt::TypeRef(root); }
};

std::optional<NamedType> type_of(const nlohmann::ordered_json& body);

// "range": {index, length}, in UTF-16 units.
std::optional<crdt::Transaction::Range> range_of(const nlohmann::ordered_json& body);

// A client for an edit that undoes, of which the document has not heard.
crdt::ClientId new_restorer(const storage::History& history, const Random& random);

}  // namespace palimpsest::server::http
