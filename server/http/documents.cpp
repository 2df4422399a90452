#include "http/documents.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "http/json_body.hpp"
#include "http/listing.hpp"
#include "http/problem.hpp"
#include "http/reply.hpp"
#include "room/clock.hpp"
#include "room/directory.hpp"
#include "room/notes.hpp"
#include "room/plain_text.hpp"
#include "room/task.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;
using storage::ListQuery;

constexpr std::size_t kDefaultLimit = 100;
constexpr std::size_t kMaxLimit = 1000;
constexpr std::size_t kQueryBytes = 1000;
constexpr std::size_t kBytesOfCodePoint = 4;
// Stars are everybody's as long as there are no accounts.
constexpr const char* kEverybody = "";

ListQuery::Order order_parameter(const Query& query, bool in_bin) {
  const std::string* sort = find_parameter(query, "sort");
  if (!sort) return in_bin ? ListQuery::Order::kDeleted : ListQuery::Order::kEdited;
  if (*sort == "edited") return ListQuery::Order::kEdited;
  if (*sort == "created") return ListQuery::Order::kCreated;
  if (*sort == "title") return ListQuery::Order::kTitle;
  if (*sort == "deleted" && in_bin) return ListQuery::Order::kDeleted;
  throw Problem(400, "sort must be edited, created or title, or in the bin deleted");
}

ListQuery parse_list(const Query& query) {
  ListQuery list;
  if (const std::string* words = find_parameter(query, "query")) {
    if (words->size() > kQueryBytes)
      throw Problem(400, "query must be at most " + std::to_string(kQueryBytes) + " bytes");
    list.words = *words;
  }
  if (const std::string* tag = find_parameter(query, "tag")) list.tag = *tag;
  list.user = kEverybody;
  list.only_starred = flag_parameter(query, "starred");
  list.in_bin = flag_parameter(query, "bin");
  list.order = order_parameter(query, list.in_bin);
  list.after = cursor_parameter(query);
  list.limit = number_parameter(query, "limit", kDefaultLimit, kMaxLimit);
  if (list.limit == 0) throw Problem(400, "limit must be 1 at least");
  return list;
}

std::string plain_member(const std::string& text, const std::string& name, std::size_t most) {
  std::optional<std::string> line = line_of(text, most);
  if (!line) {
    throw Problem(400, name + " must be text of 1 to " + std::to_string(most) + " characters");
  }
  return std::move(*line);
}

std::vector<std::string> tags_member(const Json& tags) {
  if (!tags.is_array()) throw Problem(400, "tags must be an array of texts");
  if (tags.size() > kMostTags)
    throw Problem(400, "tags must be at most " + std::to_string(kMostTags));
  std::vector<std::string> all;
  for (const Json& tag : tags) {
    const std::string name = "tags[" + std::to_string(all.size()) + "]";
    if (!tag.is_string()) throw Problem(400, name + " must be text");
    std::string plain = plain_member(tag.get<std::string>(), name, kTagCodePoints);
    if (std::find(all.begin(), all.end(), plain) != all.end())
      throw Problem(400, name + " is there twice");
    all.push_back(std::move(plain));
  }
  return all;
}

storage::DocumentEdit parse_edit(std::string document, const Request& request) {
  const Json body = json_body(request, {"title", "tags", "starred", "historyDays"});
  if (body.empty()) throw Problem(400, "the body must have title, tags, starred or historyDays");
  storage::DocumentEdit edit;
  edit.document = std::move(document);
  if (const auto title = body.find("title"); title != body.end()) {
    edit.title.emplace();
    if (!title->is_null()) {
      const std::string text = text_member(body, "title", kTitleCodePoints * kBytesOfCodePoint);
      *edit.title = plain_member(text, "title", kTitleCodePoints);
    }
  }
  if (const auto tags = body.find("tags"); tags != body.end()) edit.tags = tags_member(*tags);
  if (const auto starred = body.find("starred"); starred != body.end()) {
    if (!starred->is_boolean()) throw Problem(400, "starred must be true or false");
    edit.star = {kEverybody, starred->get<bool>()};
  }
  if (const auto days = body.find("historyDays"); days != body.end()) {
    edit.history_days.emplace();
    if (!days->is_null()) *edit.history_days = days_member(body, "historyDays");
  }
  return edit;
}

Problem no_such_document() { return {404, "there is no such document"}; }

}  // namespace

// The store's reader and the strand on which its calls block.
class Documents::Shelf {
 public:
  Shelf(std::unique_ptr<storage::Reader> reader, const asio::any_io_executor& reading)
      : reader_(std::move(reader)), strand_(asio::make_strand(reading)) {}

  static asio::awaitable<storage::ListPage> list(const std::shared_ptr<Shelf>& self,
                                                 ListQuery query) {
    return asio::co_spawn(self->strand_, read_list(self, std::move(query)), asio::use_awaitable);
  }
  static asio::awaitable<std::optional<storage::DocumentSummary>> find(
      const std::shared_ptr<Shelf>& self, std::string name) {
    return asio::co_spawn(self->strand_, read_one(self, std::move(name)), asio::use_awaitable);
  }

 private:
  static asio::awaitable<storage::ListPage> read_list(std::shared_ptr<Shelf> self,
                                                      ListQuery query) {
    co_return self->reader_->list(query);
  }
  static asio::awaitable<std::optional<storage::DocumentSummary>> read_one(
      std::shared_ptr<Shelf> self, std::string name) {
    co_return self->reader_->find(name, kEverybody);
  }

  std::unique_ptr<storage::Reader> reader_;
  asio::strand<asio::any_io_executor> strand_;
};

Documents::Documents(Parts parts)
    : parts_(std::move(parts)),
      shelf_(std::make_shared<Shelf>(parts_.store.reader(), parts_.reading)) {}

Documents::~Documents() = default;

asio::awaitable<Response> Documents::list(Query query) {
  const storage::ListPage page = co_await Shelf::list(shelf_, parse_list(query));
  Json documents = Json::array();
  for (const storage::DocumentSummary& document : page.documents) {
    const auto status = parts_.directory.open_document(document.name);
    documents.push_back(document_json(document, status));
    // After a crash the summary may be of an older state: the next list has the right one.
    if (!status && document.summary_seq < document.last_seq)
      parts_.directory.refresh(document.name);
  }
  co_return json_response(200,
                          {{"documents", std::move(documents)}, {"next", cursor_json(page.next)}});
}

asio::awaitable<Response> Documents::create() {
  const std::string name = random_token(parts_.random);
  Response response = json_response(201, {{"name", name}});
  response.set("Location", "/api/documents/" + name);
  co_return response;
}

asio::awaitable<Response> Documents::get(std::string name) { return answer(std::move(name)); }

asio::awaitable<Response> Documents::answer(std::string name) {
  const auto stored = co_await Shelf::find(shelf_, name);
  if (!stored) throw no_such_document();
  co_return json_response(200, document_json(*stored, parts_.directory.open_document(name)));
}

asio::awaitable<Response> Documents::edit(std::string name, Request request) {
  const storage::DocumentEdit edit = parse_edit(name, request);
  const Change change = [edit](storage::Writer& writer) { return writer.edit(edit); };
  co_await write_about(change);
  co_return co_await answer(std::move(name));
}

asio::awaitable<Response> Documents::remove(std::string name) {
  const storage::Time now = parts_.clock.wall();
  const Change change = [name, now](storage::Writer& writer) {
    return writer.put_into_bin(name, now);
  };
  co_await write_about(change);
  parts_.directory.set_in_bin(name, true);
  Response response;
  response.status = 204;
  co_return response;
}

asio::awaitable<Response> Documents::undelete(std::string name) {
  const Change change = [name](storage::Writer& writer) { return writer.take_from_bin(name); };
  co_await write_about(change);
  parts_.directory.set_in_bin(name, false);
  co_return co_await answer(std::move(name));
}

// Comes back when it is on disk. Throws Problem where there was no such document.
asio::awaitable<void> Documents::write_about(Change change) {
  if (parts_.journal.is_stalled()) throw nothing_is_saved_now();
  const auto is_there = std::make_shared<bool>(false);
  const std::function<void(storage::Writer&)> work = [is_there, change](storage::Writer& writer) {
    *is_there = change(writer);
  };
  if (!co_await write(parts_.journal, work))
    throw Problem(503, "the store has failed: nothing can be saved");
  if (!*is_there) throw no_such_document();
}

}  // namespace palimpsest::server::http
