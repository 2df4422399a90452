#include "http/listing.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

#include "http/problem.hpp"

namespace palimpsest::server::http {
namespace {

using Json = nlohmann::ordered_json;

Json authors_json(const storage::DocumentSummary& document) {
  Json authors = Json::array();
  for (const storage::Author& author : document.authors)
    authors.push_back({{"client", author.client}, {"name", author.name}});
  return authors;
}

Json activity_json(const storage::DocumentSummary& document) {
  Json periods = Json::array();
  for (const storage::Activity& period : document.activity) {
    Json authors = Json::array();
    for (const storage::Activity::Share& share : period.shares) {
      authors.push_back(
          {{"client", share.client}, {"name", share.name}, {"changes", share.changes}});
    }
    periods.push_back(
        {{"begin", storage::format_time(period.begin)}, {"authors", std::move(authors)}});
  }
  return periods;
}

Json people_json(const std::optional<RoomStatus>& status) {
  Json people = Json::array();
  if (!status) return people;
  for (const Person& person : status->people)
    people.push_back({{"name", person.name}, {"color", person.color}});
  return people;
}

template <class Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return true;
}

bool take_point(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Json document_json(const storage::DocumentSummary& document,
                   const std::optional<RoomStatus>& status) {
  const bool has_news = status && status->summary;
  const bool has_new_title = has_news && !document.has_own_title;
  return {{"name", document.name},
          {"title", has_new_title ? status->summary->title : document.title},
          {"ownTitle", document.has_own_title},
          {"excerpt", has_news ? status->summary->excerpt : document.excerpt},
          {"tags", document.tags},
          {"starred", document.is_starred},
          {"createdAt", storage::format_time(document.created_at)},
          {"editedAt", storage::format_time(document.edited_at)},
          {"deletedAt",
           document.deleted_at ? Json(storage::format_time(*document.deleted_at)) : Json()},
          {"seq", document.last_seq},
          {"size", document.size_bytes},
          {"historyDays", document.history_days ? Json(*document.history_days) : Json()},
          {"authors", authors_json(document)},
          {"activity", activity_json(document)},
          {"here", people_json(status)}};
}

// cursor := time "." document "." title
Json cursor_json(const std::optional<storage::ListPlace>& place) {
  if (!place) return nullptr;
  return std::to_string(place->time) + "." + std::to_string(place->document) + "." + place->title;
}

std::optional<storage::ListPlace> cursor_parameter(const Query& query) {
  const std::string* text = find_parameter(query, "cursor");
  if (!text) return std::nullopt;
  storage::ListPlace place;
  std::string_view rest = *text;
  const bool is_whole = take_number(rest, place.time) && take_point(rest) &&
                        take_number(rest, place.document) && take_point(rest);
  if (!is_whole) throw Problem(400, "cursor: not one that a list gave");
  place.title = rest;
  return place;
}

bool flag_parameter(const Query& query, std::string_view name) {
  const std::string* value = find_parameter(query, name);
  if (!value || *value == "0") return false;
  if (*value != "1") throw Problem(400, std::string(name) + " must be 1 or 0");
  return true;
}

}  // namespace palimpsest::server::http
