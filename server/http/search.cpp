#include "http/search.hpp"

#include <optional>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "history/past_search.hpp"
#include "http/listing.hpp"
#include "http/problem.hpp"
#include "http/reply.hpp"
#include "room/directory.hpp"
#include "storage/history.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;
using storage::SearchQuery;

constexpr std::size_t kTextBytes = 1000;
constexpr std::size_t kHits = 20;
constexpr std::size_t kMostHits = 100;
// Of documents whose history is read for one page: so many, and of so many changes, about.
constexpr std::size_t kHistories = 10;
constexpr std::size_t kMostHistories = 20;
constexpr storage::Seq kChangesRead = 2'000'000;
constexpr std::size_t kLargestLogBytes = std::size_t{48} << 20;

std::optional<storage::Time> time_parameter(const Query& query, std::string_view name) {
  const std::string* text = find_parameter(query, name);
  if (!text) return std::nullopt;
  const auto time = storage::parse_time(*text);
  if (!time) throw Problem(400, std::string(name) + " must be an RFC 3339 time");
  return time;
}

struct Asked {
  SearchQuery query;
  PastSearch past;
};

Asked parse(const Query& query) {
  Asked request;
  const std::string* text = find_parameter(query, "q");
  if (!text || text->empty() || text->size() > kTextBytes)
    throw Problem(400, "q must be a text of 1 to " + std::to_string(kTextBytes) + " bytes");
  const std::string* in = find_parameter(query, "in");
  if (in && *in != "now" && *in != "past") throw Problem(400, "in must be now or past");
  const bool is_past = in && *in == "past";
  request.query.text = *text;
  request.query.in = is_past ? SearchQuery::In::kPast : SearchQuery::In::kNow;
  request.query.after = cursor_parameter(query);
  request.query.limit = number_parameter(query, "limit", is_past ? kHistories : kHits,
                                         is_past ? kMostHistories : kMostHits);
  if (request.query.limit == 0) throw Problem(400, "limit must be 1 at least");
  for (const char* const name : {"from", "until", "who"}) {
    if (!is_past && find_parameter(query, name))
      throw Problem(400, std::string(name) + " is for in=past");
  }
  request.past.terms = storage::search_terms(*text);
  request.past.from = time_parameter(query, "from");
  request.past.until = time_parameter(query, "until");
  if (const std::string* who = find_parameter(query, "who")) request.past.who = *who;
  return request;
}

Json snippets_json(const std::vector<storage::Snippet>& snippets) {
  Json all = Json::array();
  for (const storage::Snippet& snippet : snippets)
    all.push_back({{"text", snippet.text}, {"matches", snippet.matches}});
  return all;
}

}  // namespace

// The store's reader and the strand on which searches run.
class Search::Shelf {
 public:
  Shelf(Directory& directory, std::unique_ptr<storage::Reader> reader,
        const asio::any_io_executor& reading)
      : directory_(directory), reader_(std::move(reader)), strand_(asio::make_strand(reading)) {}

  static asio::awaitable<Response> search(const std::shared_ptr<Shelf>& self, Asked request) {
    return asio::co_spawn(self->strand_, answer(self, std::move(request)), asio::use_awaitable);
  }

 private:
  static asio::awaitable<Response> answer(std::shared_ptr<Shelf> self, Asked request) {
    storage::SearchPage page = self->reader_->search(request.query);
    const bool is_now = request.query.in == SearchQuery::In::kNow;
    Json documents = is_now ? self->now(page, request.query.text) : self->past(page, request.past);
    co_return json_response(200, {{"documents", std::move(documents)},
                                  {"next", cursor_json(page.next)},
                                  {"behind", page.behind}});
  }

  Json describe(const storage::DocumentSummary& document) const {
    return document_json(document, directory_.open_document(document.name));
  }

  Json now(const storage::SearchPage& page, const std::string& text) const {
    Json documents = Json::array();
    for (const storage::SearchHit& hit : page.hits) {
      Json document = describe(hit.document);
      document["titleMatches"] =
          storage::search_matches(text, document["title"].get<std::string>());
      document["snippets"] = snippets_json(hit.snippets);
      documents.push_back(std::move(document));
    }
    return documents;
  }

  // Goes on until enough was read; then the next page begins behind that.
  Json past(storage::SearchPage& page, const PastSearch& search) {
    Json documents = Json::array();
    storage::Seq changes = 0;
    for (std::size_t i = 0; i < page.hits.size(); ++i) {
      const storage::DocumentSummary& found = page.hits[i].document;
      Json matches = matches_in(found.name, search);
      if (!matches.empty()) {
        Json document = describe(found);
        document["past"] = std::move(matches);
        documents.push_back(std::move(document));
      }
      changes += found.last_seq;
      if (changes < kChangesRead || i + 1 == page.hits.size()) continue;
      page.next = storage::ListPlace{found.edited_at.time_since_epoch().count(), "", found.id};
      break;
    }
    return documents;
  }

  // One whose log cannot be read, or is too large for it, says nothing of the others.
  Json matches_in(const std::string& document, const PastSearch& search) {
    try {
      storage::History history(document, kLargestLogBytes);
      history.catch_up(*reader_);
      return past_matches_json(history, search);
    } catch (const storage::HistoryTooLarge&) {
      return Json::array({{{"unreadable", "its history is too large"}}});
    } catch (const storage::Error& error) {
      if (error.kind() != storage::Error::Kind::kCorrupt) throw;
      return Json::array({{{"unreadable", "its history is damaged"}}});
    }
  }

  Directory& directory_;
  std::unique_ptr<storage::Reader> reader_;
  asio::strand<asio::any_io_executor> strand_;
};

Search::Search(Directory& directory, storage::Store& store, const asio::any_io_executor& reading)
    : shelf_(std::make_shared<Shelf>(directory, store.reader(), reading)) {}

Search::~Search() = default;

asio::awaitable<Response> Search::search(Query query) {
  return Shelf::search(shelf_, parse(query));
}

}  // namespace palimpsest::server::http
