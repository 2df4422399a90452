#include "http/documents.hpp"

#include <cstdint>
#include <optional>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "http/problem.hpp"
#include "http/reply.hpp"
#include "room/directory.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;

constexpr std::size_t kDefaultLimit = 100;
constexpr std::size_t kMaxLimit = 1000;

Json authors_of(const storage::DocumentSummary& document) {
  Json authors = Json::array();
  for (const storage::Author& author : document.authors)
    authors.push_back({{"client", author.client}, {"name", author.name}});
  return authors;
}

Json people_of(const std::optional<RoomStatus>& status) {
  Json people = Json::array();
  if (!status) return people;
  for (const Person& person : status->people)
    people.push_back({{"name", person.name}, {"color", person.color}});
  return people;
}

// What is stored of a document, and what its room knows better.
Json describe(const storage::DocumentSummary& document, const std::optional<RoomStatus>& status) {
  const bool has_news = status && status->summary;
  return {{"name", document.name},
          {"title", has_news ? status->summary->title : document.title},
          {"excerpt", has_news ? status->summary->excerpt : document.excerpt},
          {"createdAt", storage::format_time(document.created_at)},
          {"editedAt", storage::format_time(document.edited_at)},
          {"seq", document.last_seq},
          {"authors", authors_of(document)},
          {"here", people_of(status)}};
}

}  // namespace

// The store's reader and the strand on which its calls block.
class Documents::Shelf {
 public:
  Shelf(std::unique_ptr<storage::Reader> reader, const asio::any_io_executor& reading)
      : reader_(std::move(reader)), strand_(asio::make_strand(reading)) {}

  using Summaries = std::vector<storage::DocumentSummary>;
  static asio::awaitable<Summaries> list(const std::shared_ptr<Shelf>& self, std::size_t limit,
                                         std::size_t offset) {
    return asio::co_spawn(self->strand_, read_list(self, limit, offset), asio::use_awaitable);
  }
  static asio::awaitable<std::optional<storage::DocumentSummary>> find(
      const std::shared_ptr<Shelf>& self, std::string name) {
    return asio::co_spawn(self->strand_, read_one(self, std::move(name)), asio::use_awaitable);
  }

 private:
  static asio::awaitable<Summaries> read_list(const std::shared_ptr<Shelf>& self, std::size_t limit,
                                              std::size_t offset) {
    co_return self->reader_->list(limit, offset);
  }

  static asio::awaitable<std::optional<storage::DocumentSummary>> read_one(
      std::shared_ptr<Shelf> self, std::string name) {
    if (self->reader_->log(name, 1, 1).empty()) co_return std::nullopt;
    for (std::size_t offset = 0;; offset += kMaxLimit) {
      Summaries page = self->reader_->list(kMaxLimit, offset);
      for (storage::DocumentSummary& document : page)
        if (document.name == name) co_return std::move(document);
      if (page.size() < kMaxLimit) co_return std::nullopt;
    }
  }

  std::unique_ptr<storage::Reader> reader_;
  asio::strand<asio::any_io_executor> strand_;
};

Documents::Documents(Directory& directory, storage::Store& store,
                     const asio::any_io_executor& reading, Random random)
    : directory_(directory),
      shelf_(std::make_shared<Shelf>(store.reader(), reading)),
      random_(std::move(random)) {}

Documents::~Documents() = default;

asio::awaitable<Response> Documents::list(Query query) {
  const std::size_t limit = number_parameter(query, "limit", kDefaultLimit, kMaxLimit);
  const std::size_t offset = number_parameter(query, "offset", 0, 1'000'000'000);
  const Shelf::Summaries stored = co_await Shelf::list(shelf_, limit, offset);
  Json documents = Json::array();
  for (const storage::DocumentSummary& document : stored) {
    const auto status = directory_.open_document(document.name);
    documents.push_back(describe(document, status));
    // After a crash the summary may be of an older state: the next list has the right one.
    if (!status && document.summary_seq < document.last_seq) directory_.refresh(document.name);
  }
  co_return json_response(200, {{"documents", std::move(documents)}});
}

asio::awaitable<Response> Documents::create() {
  const std::string name = random_token(random_);
  Response response = json_response(201, {{"name", name}});
  response.set("Location", "/api/documents/" + name);
  co_return response;
}

asio::awaitable<Response> Documents::get(std::string name) {
  const auto stored = co_await Shelf::find(shelf_, name);
  if (!stored) throw Problem(404, "there is no such document");
  co_return json_response(200, describe(*stored, directory_.open_document(name)));
}

}  // namespace palimpsest::server::http
