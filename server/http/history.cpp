#include "http/history.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "history/json.hpp"
#include "history/unified_diff.hpp"
#include "http/histories.hpp"
#include "http/moments.hpp"
#include "http/problem.hpp"
#include "http/reply.hpp"
#include "storage/history.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;
using crdt::WovenText;
using storage::History;
using storage::Seq;

constexpr std::size_t kPhraseBytes = 1000;
constexpr std::size_t kMostRuns = 100'000;  // in one answer
constexpr std::size_t kYearSeconds = 366UL * 86'400;

// One of the words that a parameter may be, the first where it is not there.
std::string_view choice_parameter(const Query& query, std::string_view name,
                                  std::initializer_list<std::string_view> choices) {
  const std::string* value = find_parameter(query, name);
  if (!value) return *choices.begin();
  const auto chosen = std::find(choices.begin(), choices.end(), *value);
  if (chosen != choices.end()) return *chosen;
  std::string all;
  for (const std::string_view choice : choices)
    all += (all.empty() ? "" : " or ") + std::string(choice);
  throw Problem(400, std::string(name) + " must be " + all);
}

// The text that the query is about, and its name.
std::pair<History::TextName, const WovenText*> text_of(History& history, const Query& query) {
  if (const std::string* type = find_parameter(query, "type")) {
    const History::TextName name{"", parse_type(*type)};
    return {name, looking_for("type", [&] { return &history.text(name); })};
  }
  return looking_for("root", [&] {
    const std::string* root = find_parameter(query, "root");
    const History::TextName name =
        root ? History::TextName{*root, std::nullopt} : history.main_text();
    return std::pair(name, &history.text(name));
  });
}

Response bytes_response(std::string type, std::string body) {
  Response response;
  response.set("Content-Type", std::move(type));
  response.set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

Response bytes_response(const crdt::Bytes& bytes) {
  return bytes_response("application/octet-stream", std::string(bytes.begin(), bytes.end()));
}

Response text_response(std::string text) {
  return bytes_response("text/plain; charset=utf-8", std::move(text));
}

// Leaves of the runs those that are asked for, and answers where the rest begins; null for nowhere.
template <class Run>
Json cut_to_page(std::vector<Run>& runs, const Query& query) {
  const std::size_t limit = number_parameter(query, "limit", kMostRuns, kMostRuns);
  const std::size_t offset = number_parameter(query, "offset", 0, crdt::WovenText::kNever - 1);
  const std::size_t begin = std::min(offset, runs.size());
  const std::size_t end = begin + std::min(limit, runs.size() - begin);
  const Json next = end < runs.size() ? Json(end) : Json();
  runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(end), runs.end());
  runs.erase(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(begin));
  return next;
}

Response timeline_page(History& history, const Query& query) {
  const bool is_sitting = choice_parameter(query, "group", {"burst", "sitting"}) == "sitting";
  const std::size_t limit = number_parameter(query, "limit", 100, 1000);
  const Seq before = number_parameter(query, "before", history.last_seq() + 1, 4'294'967'295);
  const auto bursts = history.timeline(
      is_sitting ? History::Group::kSitting : History::Group::kBurst, before, limit);
  Json texts = Json::array();
  for (const auto& text : history.texts()) texts.push_back(text_name_json({text.root, text.type}));
  return json_response(200, {{"seq", history.last_seq()},
                             {"texts", std::move(texts)},
                             {"thinned", thinned_json(history)},
                             {"bursts", timeline_json(history, bursts)}});
}

Response activity_page(History& history, const Query& query) {
  const std::size_t seconds = number_parameter(query, "bucket", 3600, kYearSeconds);
  if (seconds == 0) throw Problem(400, "bucket must be a number of seconds");
  const auto buckets = history.activity(std::chrono::seconds(seconds));
  return json_response(200, {{"seq", history.last_seq()},
                             {"bucket", seconds},
                             {"buckets", activity_json(history, buckets)}});
}

Response weave_page(History& history, const Query& query) {
  const bool is_json = choice_parameter(query, "format", {"binary", "json"}) == "json";
  const auto [name, text] = text_of(history, query);
  if (!is_json) return bytes_response(history.encode_weave(name));
  std::vector<WovenText::Run> runs = text->runs();
  Json next = cut_to_page(runs, query);
  return json_response(200, {{"seq", history.last_seq()},
                             {"text", text_name_json(name)},
                             {"runs", weave_json(history, *text, runs)},
                             {"next", std::move(next)}});
}

Response diff_page(History& history, const Query& query) {
  const bool is_text = choice_parameter(query, "format", {"json", "text"}) == "text";
  const Seq from = moment(history, query, "from");
  const Seq to = moment_or_now(history, query, "to");
  const auto [name, text] = text_of(history, query);
  auto changes = text->diff(from, to, history.groups());
  if (is_text)
    return text_response(unified_diff(changes, std::to_string(from), std::to_string(to)));
  Json next = cut_to_page(changes, query);
  return json_response(200, {{"from", from},
                             {"to", to},
                             {"text", text_name_json(name)},
                             {"runs", diff_json(history, changes)},
                             {"next", std::move(next)}});
}

Response blame_page(History& history, const Query& query) {
  const Seq at = moment_or_now(history, query, "at");
  const auto [name, text] = text_of(history, query);
  auto runs = text->blame(at, history.groups());
  Json next = cut_to_page(runs, query);
  return json_response(200, {{"at", at},
                             {"text", text_name_json(name)},
                             {"runs", blame_json(history, runs)},
                             {"next", std::move(next)}});
}

Response search_page(History& history, const Query& query) {
  const std::string* phrase = find_parameter(query, "q");
  if (!phrase || phrase->empty() || phrase->size() > kPhraseBytes)
    throw Problem(400, "q must be a phrase of up to " + std::to_string(kPhraseBytes) + " bytes");
  WovenText::SearchLimits limits;
  limits.occurrences = number_parameter(query, "limit", 100, 1000);
  const auto [name, text] = text_of(history, query);
  const WovenText::Found found = text->search(*phrase, limits);
  return json_response(200, {{"seq", history.last_seq()},
                             {"text", text_name_json(name)},
                             {"complete", found.complete},
                             {"occurrences", occurrences_json(history, found.occurrences)}});
}

Response content_response(History& history, const Query& query, std::string_view format, Seq at) {
  if (format == "text") return text_response(text_of(history, query).second->text(at));
  const crdt::Doc& doc = history.weave().doc();
  const crdt::Snapshot then = history.weave().snapshot(at);
  if (format == "update") return bytes_response(doc.encode_at(then));
  const crdt::Doc past = doc.at(then);
  if (const std::string* root = find_parameter(query, "root")) {
    const auto roots = past.root_names();
    if (std::find(roots.begin(), roots.end(), *root) == roots.end())
      throw Problem(404, "root: the document had no such root then");
    return bytes_response("application/json", root_json(past, *root) + "\n");
  }
  std::string all;
  for (const std::string& root : past.root_names())
    all += (all.empty() ? "" : ",") + crdt::Any(root).to_json() + ":" + root_json(past, root);
  return bytes_response("application/json", "{" + all + "}\n");
}

Response content_page(History& history, const Query& query) {
  const std::string_view format = choice_parameter(query, "format", {"text", "json", "update"});
  const Seq at = moment_or_now(history, query, "at");
  Response response = content_response(history, query, format, at);
  // Where that is inside of a thinned burst it is not the one that was asked for.
  response.set("Palimpsest-Seq", std::to_string(at));
  return response;
}

}  // namespace

HistoryPages::HistoryPages(Histories& histories) : histories_(histories) {}

asio::awaitable<Response> HistoryPages::ask(std::string document, Query query, Page page) {
  return histories_.look(std::move(document), [query = std::move(query), page](History& history) {
    return page(history, query);
  });
}

asio::awaitable<Response> HistoryPages::timeline(std::string document, Query query) {
  return ask(std::move(document), std::move(query), timeline_page);
}

asio::awaitable<Response> HistoryPages::activity(std::string document, Query query) {
  return ask(std::move(document), std::move(query), activity_page);
}

asio::awaitable<Response> HistoryPages::weave(std::string document, Query query) {
  return ask(std::move(document), std::move(query), weave_page);
}

asio::awaitable<Response> HistoryPages::diff(std::string document, Query query) {
  return ask(std::move(document), std::move(query), diff_page);
}

asio::awaitable<Response> HistoryPages::blame(std::string document, Query query) {
  return ask(std::move(document), std::move(query), blame_page);
}

asio::awaitable<Response> HistoryPages::search(std::string document, Query query) {
  return ask(std::move(document), std::move(query), search_page);
}

asio::awaitable<Response> HistoryPages::content(std::string document, Query query) {
  return ask(std::move(document), std::move(query), content_page);
}

}  // namespace palimpsest::server::http
