#include "http/history.hpp"

#include <algorithm>
#include <charconv>
#include <list>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "history/json.hpp"
#include "history/unified_diff.hpp"
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

constexpr std::size_t kBudgetBytes = std::size_t{256} << 20;
// Of updates, of which the log of one document may consist. Some twenty bytes are a keystroke.
constexpr std::size_t kLargestLogBytes = std::size_t{48} << 20;
constexpr std::size_t kPhraseBytes = 1000;
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

// Calls what looks into a history, and says which parameter it does not fit.
template <class Look>
auto looking_for(const std::string& parameter, Look&& look) {
  try {
    return look();
  } catch (const storage::NotInHistory& error) {
    throw Problem(404, parameter + ": " + error.what());
  } catch (const std::invalid_argument& error) {
    throw Problem(400, parameter + ": " + error.what());
  }
}

Seq moment(const History& history, const Query& query, const std::string& parameter) {
  const std::string* when = find_parameter(query, parameter);
  if (!when) throw Problem(400, parameter + ": a moment is missing");
  return looking_for(parameter, [&] { return history.resolve(*when); });
}

Seq moment_or_now(const History& history, const Query& query, const std::string& parameter) {
  return find_parameter(query, parameter) ? moment(history, query, parameter) : history.last_seq();
}

crdt::Id parse_type(std::string_view text) {
  const auto number = [&](std::string_view digits) {
    std::uint64_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || stop != end) throw Problem(400, "type must be CLIENT:CLOCK");
    return value;
  };
  const std::size_t colon = std::min(text.find(':'), text.size());
  return {number(text.substr(0, colon)), number(text.substr(std::min(colon + 1, text.size())))};
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

Response timeline_page(History& history, const Query& query) {
  const bool is_sitting = choice_parameter(query, "group", {"burst", "sitting"}) == "sitting";
  const std::size_t limit = number_parameter(query, "limit", 100, 1000);
  const Seq before = number_parameter(query, "before", history.last_seq() + 1, 4'294'967'295);
  const auto bursts = history.timeline(
      is_sitting ? History::Group::kSitting : History::Group::kBurst, before, limit);
  Json texts = Json::array();
  for (const auto& text : history.weave().texts())
    texts.push_back(text_name_json({text.root, text.type}));
  return json_response(200, {{"seq", history.last_seq()},
                             {"texts", std::move(texts)},
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
  return json_response(200, {{"seq", history.last_seq()},
                             {"text", text_name_json(name)},
                             {"runs", weave_json(history, *text)}});
}

Response diff_page(History& history, const Query& query) {
  const bool is_text = choice_parameter(query, "format", {"json", "text"}) == "text";
  const Seq from = moment(history, query, "from");
  const Seq to = moment_or_now(history, query, "to");
  const auto [name, text] = text_of(history, query);
  const auto changes = text->diff(from, to, history.groups());
  if (is_text)
    return text_response(unified_diff(changes, std::to_string(from), std::to_string(to)));
  return json_response(200, {{"from", from},
                             {"to", to},
                             {"text", text_name_json(name)},
                             {"runs", diff_json(history, changes)}});
}

Response blame_page(History& history, const Query& query) {
  const Seq at = moment_or_now(history, query, "at");
  const auto [name, text] = text_of(history, query);
  return json_response(200, {{"at", at},
                             {"text", text_name_json(name)},
                             {"runs", blame_json(history, text->blame(at, history.groups()))}});
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

Response content_page(History& history, const Query& query) {
  const std::string_view format = choice_parameter(query, "format", {"text", "json", "update"});
  const Seq at = moment_or_now(history, query, "at");
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

}  // namespace

// The store's reader, the histories last asked for, and the strand that is home to both.
class HistoryPages::Shelf {
 public:
  Shelf(std::unique_ptr<storage::Reader> reader, const asio::any_io_executor& reading)
      : reader_(std::move(reader)), strand_(asio::make_strand(reading)) {}

  static asio::awaitable<Response> ask(const std::shared_ptr<Shelf>& self, std::string document,
                                       Query query, Page page) {
    return asio::co_spawn(self->strand_, answer(self, std::move(document), std::move(query), page),
                          asio::use_awaitable);
  }

 private:
  struct Open {
    std::string document;
    History history;
  };

  static asio::awaitable<Response> answer(std::shared_ptr<Shelf> self, std::string document,
                                          Query query, Page page) {
    History& history = self->open(document);
    self->make_room();
    co_return page(history, query);
  }

  // As far as the log is on disk. One whose log could not be read is dropped.
  History& open(const std::string& document) {
    auto found = std::find_if(open_.begin(), open_.end(),
                              [&](const Open& one) { return one.document == document; });
    if (found == open_.end()) {
      open_.push_front({document, History(document, kLargestLogBytes)});
    } else {
      open_.splice(open_.begin(), open_, found);
    }
    History& history = open_.front().history;
    bool is_there = false;
    try {
      is_there = history.catch_up(*reader_);
    } catch (const storage::HistoryTooLarge& error) {
      open_.pop_front();
      throw Problem(507, error.what());
    } catch (...) {
      open_.pop_front();
      throw;
    }
    if (is_there) return history;
    open_.pop_front();
    throw Problem(404, "there is no such document");
  }

  // Lets go of those that nobody has asked for the longest, but not of the last one.
  void make_room() {
    std::size_t bytes = 0;
    for (auto one = open_.begin(); one != open_.end();) {
      bytes += one->history.memory_bytes();
      const bool stays = bytes <= kBudgetBytes || one == open_.begin();
      one = stays ? std::next(one) : open_.erase(one);
    }
  }

  std::unique_ptr<storage::Reader> reader_;
  asio::strand<asio::any_io_executor> strand_;
  std::list<Open> open_;  // the last asked for first
};

HistoryPages::HistoryPages(storage::Store& store, const asio::any_io_executor& reading)
    : shelf_(std::make_shared<Shelf>(store.reader(), reading)) {}

HistoryPages::~HistoryPages() = default;

asio::awaitable<Response> HistoryPages::ask(std::string document, Query query, Page page) {
  return Shelf::ask(shelf_, std::move(document), std::move(query), page);
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
