#include "http/history_writes.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "crdt/doc.hpp"
#include "history/json.hpp"
#include "http/histories.hpp"
#include "http/history_body.hpp"
#include "http/history_tools.hpp"
#include "http/json_body.hpp"
#include "http/moments.hpp"
#include "http/problem.hpp"
#include "http/reply.hpp"
#include "http/target.hpp"
#include "room/clock.hpp"
#include "room/edit.hpp"
#include "storage/history.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;
using storage::History;
using storage::Seq;

constexpr std::size_t kVersionNameBytes = 255;

// --- Bringing back ---

// The clients of one author: one by its id, or all of that name.
std::vector<crdt::ClientId> clients_of(History& history, const Json& author) {
  std::vector<crdt::ClientId> clients;
  for (const storage::Author& known : history.authors()) {
    const bool is_one = author.is_string() ? known.name == author.get<std::string>()
                                           : author.is_number_unsigned() &&
                                                 known.client == author.get<std::uint64_t>();
    if (is_one) clients.push_back(known.client);
  }
  if (clients.empty()) throw Problem(404, "author: nobody of that id or name wrote here");
  return clients;
}

// An edit, before the document has it.
struct Draft {
  crdt::ClientId client = 0;
  crdt::Bytes update = {};
  crdt::Undone undone = {};
};

crdt::Undone restore_moment(const History& history, const Json& body, crdt::Transaction& edit) {
  const crdt::Snapshot then = history.weave().snapshot(moment_member(history, body, "at"));
  std::optional<NamedType> type = type_of(body);
  const auto range = range_of(body);
  if (!range) return type ? edit.restore(type->ref(), then) : edit.restore(then);
  if (!type) {
    const History::TextName main = looking_for("root", [&] { return history.main_text(); });
    type = NamedType{main.root, main.type};
  }
  return edit.restore(type->ref(), *range, then);
}

crdt::Undone take_back(History& history, const Json& body, crdt::Transaction& edit) {
  const Seq from = moment_member(history, body, "from");
  const Seq to = moment_member_or_now(history, body, "to");
  if (to < from) throw Problem(400, "to: is before from");
  const auto author = body.find("author");
  return edit.undo(author == body.end()
                       ? history.weave().changes(from, to)
                       : history.weave().changes(from, to, clients_of(history, *author)));
}

void check_restore(const Json& body) {
  const bool is_moment = body.contains("at");
  const bool is_interval = body.contains("from");
  if (is_moment == is_interval)
    throw Problem(400, "either at, a moment to go back to, or from, where to begin to take back");
  const bool has_foreign =
      is_moment ? body.contains("author") || body.contains("to")
                : body.contains("root") || body.contains("type") || body.contains("range");
  if (has_foreign)
    throw Problem(400, "author and to go with from; root, type and range go with at");
}

Draft draft_of(History& history, const Json& body, const Random& random) {
  crdt::Doc replica = history.weave().replica();
  Draft draft{.client = new_restorer(history, random)};
  try {
    draft.update = replica.transact(draft.client, [&](crdt::Transaction& edit) {
      draft.undone = body.contains("at") ? restore_moment(history, body, edit)
                                         : take_back(history, body, edit);
    });
  } catch (const std::out_of_range&) {
    throw Problem(400, "range: the text was not as long as that then");
  } catch (const std::invalid_argument&) {
    throw Problem(404, "type: the document has no such type");
  }
  return draft;
}

Json undone_json(const crdt::Undone& undone) {
  return {{"deleted", undone.deleted},
          {"restored", undone.restored},
          {"lost", undone.collected + undone.superseded + undone.homeless}};
}

storage::Version version_of(const History& history, const Json& body, storage::Time now) {
  storage::Version version;
  version.name = text_member(body, "name", kVersionNameBytes);
  const auto& present = history.versions();
  if (std::ranges::find(present, version.name, &storage::Version::name) != present.end())
    throw Problem(409, "name: there is a version of that name");
  version.named_by = person_of(body);
  version.named_at = now;
  version.seq = moment_member_or_now(history, body, "at");
  return version;
}

Response named_response(const storage::Version& version) {
  return json_response(201, {{"name", version.name},
                             {"seq", version.seq},
                             {"namedAt", storage::format_time(version.named_at)},
                             {"by", version.named_by}});
}

// Not within the coroutine, of whose variables g++ 12 destroys copies in a closure twice.
std::function<void(storage::Writer&)> naming_of(std::string document, storage::Version version,
                                                std::shared_ptr<storage::Naming> naming) {
  return [document = std::move(document), version = std::move(version), naming = std::move(naming)](
             storage::Writer& writer) { *naming = writer.name_version(document, version); };
}

}  // namespace

asio::awaitable<Response> HistoryWrites::versions(std::string document) {
  auto list = [](History& history) {
    return json_response(200, {{"seq", history.last_seq()}, {"versions", versions_json(history)}});
  };
  return tools_.histories.look(std::move(document), std::move(list));
}

asio::awaitable<Response> HistoryWrites::name_version(std::string document, Request request) {
  const Json body = json_body(request, {"name", "at", "by"});
  const storage::Time now = tools_.clock.wall();
  auto look = [&body, now](History& history) { return version_of(history, body, now); };
  const storage::Version version = co_await tools_.histories.look(document, look);
  const auto naming = std::make_shared<storage::Naming>(storage::Naming::kNoSuchMoment);
  const std::function<void(storage::Writer&)> work = naming_of(document, version, naming);
  co_await tools_.write(work);
  if (*naming == storage::Naming::kTaken)
    throw Problem(409, "name: there is a version of that name");
  if (*naming == storage::Naming::kNoSuchMoment) throw Problem(404, "there is no such document");
  co_return named_response(version);
}

asio::awaitable<Response> HistoryWrites::restore(std::string document, Request request) {
  const Json body =
      json_body(request, {"at", "root", "type", "range", "from", "to", "author", "by"});
  check_restore(body);
  auto look = [&](History& history) { return draft_of(history, body, tools_.random); };
  Draft draft = co_await tools_.histories.look(document, look);
  Json answer = {{"seq", nullptr}, {"client", draft.client}};
  answer.update(undone_json(draft.undone));
  if (!draft.update.empty()) {
    Edit edit{.document = std::move(document),
              .update = std::move(draft.update),
              .authors = {{draft.client, person_of(body)}}};
    const Edited edited = co_await tools_.take(std::move(edit));
    answer["seq"] = edited.seq;
  }
  co_return json_response(200, answer);
}

asio::awaitable<Response> HistoryWrites::fork(std::string document, Request request) {
  const Json body = json_body(request, {"at", "name"});
  Edit edit;
  edit.document =
      body.contains("name") ? text_member(body, "name", 255) : random_token(tools_.random);
  if (!is_document_name(edit.document))
    throw Problem(400, "name: 1 to 255 bytes without control characters");
  edit.is_new_document = true;
  auto look = [&body, &edit](History& history) {
    const Seq at = moment_member_or_now(history, body, "at");
    edit.update = history.weave().doc().encode_at(history.weave().snapshot(at));
    edit.authors = history.authors();
    return at;
  };
  const Seq at = co_await tools_.histories.look(document, look);
  const std::string name = edit.document;
  co_await tools_.take(std::move(edit));
  Response response = json_response(201, {{"name", name}, {"from", document}, {"at", at}});
  response.set("Location", "/api/documents/" + percent_encode(name));
  co_return response;
}

}  // namespace palimpsest::server::http
