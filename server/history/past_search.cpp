#include "history/past_search.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "history/json.hpp"
#include "storage/index.hpp"

namespace palimpsest::server {
namespace {

using Json = nlohmann::ordered_json;
using crdt::WovenText;
using storage::History;
using Occurrence = WovenText::Occurrence;

bool is_by(const History& history, crdt::ClientId client, const std::string& who) {
  return history.name_of(client) == who || std::to_string(client) == who;
}

bool fits(const History& history, const Occurrence::Span& span, const PastSearch& search) {
  if (search.until && history.time_of(span.from) > *search.until) return false;
  if (search.from && span.until != WovenText::kNever && history.time_of(span.until) < *search.from)
    return false;
  return true;
}

bool has_part(const History& history, const Occurrence& occurrence, const std::string& who) {
  const auto by = [&](crdt::ClientId client) { return is_by(history, client, who); };
  return std::any_of(occurrence.writers.begin(), occurrence.writers.end(), by) ||
         std::any_of(occurrence.spans.begin(), occurrence.spans.end(), [&](const auto& span) {
           return by(span.completed_by) || (span.until != WovenText::kNever && by(span.ended_by));
         });
}

void keep_what_fits(std::vector<Occurrence>& occurrences, const History& history,
                    const PastSearch& search) {
  for (Occurrence& occurrence : occurrences) {
    std::erase_if(occurrence.spans, [&](const auto& span) { return !fits(history, span, search); });
  }
  std::erase_if(occurrences, [&](const Occurrence& occurrence) {
    return occurrence.spans.empty() ||
           (!search.who.empty() && !has_part(history, occurrence, search.who));
  });
}

Json snippet_json(const WovenText& text, const Occurrence& occurrence, const std::string& term) {
  const storage::Snippet snippet =
      storage::snippet_at(text, occurrence.unit, occurrence.spans.front().from, term);
  return {{"text", snippet.text}, {"matches", snippet.matches}};
}

// What there is of a term in one text; null for nothing.
Json matches_in(History& history, const History::TextName& name, const std::string& term,
                const PastSearch& search) {
  WovenText::SearchLimits limits;
  limits.occurrences = search.occurrences;
  limits.letters = &storage::search_letters();
  const WovenText& text = history.text(name);
  WovenText::Found found = text.search(term, limits);
  keep_what_fits(found.occurrences, history, search);
  if (found.occurrences.empty()) return nullptr;
  Json occurrences = occurrences_json(history, found.occurrences);
  for (std::size_t i = 0; i < occurrences.size(); ++i)
    occurrences[i]["snippet"] = snippet_json(text, found.occurrences[i], term);
  return {{"term", term},
          {"text", text_name_json(name)},
          {"complete", found.complete},
          {"occurrences", std::move(occurrences)}};
}

}  // namespace

Json past_matches_json(History& history, const PastSearch& search) {
  Json all = Json::array();
  const std::vector<crdt::Weave::Text> texts = history.weave().texts();
  for (const std::string& term : search.terms) {
    bool is_anywhere = false;
    for (const crdt::Weave::Text& text : texts) {
      Json matches = matches_in(history, {text.root, text.type}, term, search);
      if (matches.is_null()) continue;
      is_anywhere = true;
      all.push_back(std::move(matches));
    }
    if (!is_anywhere) return Json::array();
  }
  return all;
}

}  // namespace palimpsest::server
