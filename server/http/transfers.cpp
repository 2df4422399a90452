#include "http/transfers.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "http/problem.hpp"
#include "http/reply.hpp"
#include "http/security.hpp"
#include "room/claim.hpp"
#include "room/directory.hpp"
#include "room/journal.hpp"
#include "room/task.hpp"
#include "storage/store.hpp"
#include "transfer/document_file.hpp"
#include "transfer/import.hpp"
#include "transfer/temporary_file.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;
using Documents = std::vector<storage::WholeDocument>;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// --- On the executor for files ---

asio::awaitable<std::shared_ptr<TemporaryFile>> write_export(storage::Store& store,
                                                             std::filesystem::path directory,
                                                             std::string name) {
  auto file = std::make_shared<TemporaryFile>(directory);
  const auto write = [&](crdt::ByteView bytes) { file->write(bytes); };
  if (!export_document(*store.reader(), name, write)) co_return nullptr;
  co_return file;
}

asio::awaitable<std::shared_ptr<Documents>> read_documents(
    Import import, std::shared_ptr<const TemporaryFile> upload) {
  import.file = upload->path();
  co_return std::make_shared<Documents>(read_import(import));
}

// --- Requests ---

Import import_of(const Query& query) {
  Import import;
  import.now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  if (const std::string* format = find_parameter(query, "format")) {
    const auto known = import_format(*format);
    if (!known || *known == ImportFormat::kYLeveldb) {
      throw Problem(400, "format is none of auto, palimpsest, text, markdown, yjs, hocuspocus");
    }
    import.format = *known;
  }
  if (const std::string* name = find_parameter(query, "name")) {
    if (!is_document_name(*name)) {
      throw Problem(400, "name: a document's name has 1 to 255 bytes and no control characters");
    }
    import.name = *name;
  }
  if (const std::string* document = find_parameter(query, "document")) import.document = *document;
  if (const std::string* v2 = find_parameter(query, "v2")) import.is_v2 = *v2 == "1";
  return import;
}

Json described(const Documents& documents) {
  Json list = Json::array();
  for (const storage::WholeDocument& document : documents) {
    list.push_back({{"name", document.name},
                    {"title", document.checkpoint.title},
                    {"seq", document.checkpoint.seq}});
  }
  return {{"documents", std::move(list)}};
}

Problem name_taken(const std::string& name) {
  return {409, "there is a document \"" + name + "\" already: give another name, or remove it"};
}

}  // namespace

Transfers::Transfers(Parts parts) : parts_(std::move(parts)) {}

asio::awaitable<Response> Transfers::export_document(std::string name) {
  std::shared_ptr<TemporaryFile> file = co_await asio::co_spawn(
      parts_.reading, write_export(parts_.store, parts_.data, name), asio::use_awaitable);
  if (!file) throw Problem(404, "there is no such document");
  Response response;
  response.set("Content-Type", "application/vnd.palimpsest.document");
  response.set("Content-Disposition",
               "attachment; filename*=UTF-8''" + percent_encode(name) + ".palimpsest");
  response.set("Cache-Control", "no-store");
  response.file = std::move(file);
  co_return response;
}

asio::awaitable<Response> Transfers::import_documents(Request request, Query query) {
  Import import = import_of(query);
  std::shared_ptr<const TemporaryFile> upload = std::move(request.upload);
  if (!upload) {
    const auto kept = std::make_shared<TemporaryFile>(parts_.data);
    kept->write(bytes_of(request.body));
    upload = kept;
  }
  import.fallback_name = random_token(parts_.random);
  std::shared_ptr<Documents> documents;
  try {
    documents = co_await asio::co_spawn(parts_.reading, read_documents(import, upload),
                                        asio::use_awaitable);
  } catch (const ImportError& error) {
    throw Problem(400, std::string("the file: ") + error.what());
  }
  co_await store(documents);
  Response response = json_response(201, described(*documents));
  if (documents->size() == 1) {
    response.set("Location", "/api/documents/" + percent_encode(documents->front().name));
  }
  co_return response;
}

// With all names held, nobody begins one of the documents while they are written.
asio::awaitable<void> Transfers::store(std::shared_ptr<Documents> documents) {
  std::vector<Claim> claims;
  for (const storage::WholeDocument& document : *documents) {
    claims.push_back(co_await claim_name(parts_.directory, document.name));
    if (claims.back().outcome() == Claim::Outcome::kTaken) throw name_taken(document.name);
    if (claims.back().outcome() == Claim::Outcome::kUnavailable) {
      throw Problem(503, "a document of that name is being stored or cannot be loaded; try again");
    }
  }
  // Done again after a full disk, it may find its own work.
  const auto taken = std::make_shared<std::optional<std::string>>();
  const auto attempts = std::make_shared<int>(0);
  // Named, since g++ 12 destroys what a temporary closure captured twice within a co_await.
  const std::function<void(storage::Writer&)> work = [documents, taken,
                                                      attempts](storage::Writer& writer) {
    const bool is_first = ++*attempts == 1;
    try {
      writer.create(*documents);
    } catch (const storage::NameTaken& error) {
      if (is_first) *taken = error.name();
    }
  };
  const bool is_done = co_await write(parts_.journal, work);
  if (!is_done) throw Problem(503, "the store has failed: whether it was imported is not known");
  if (*taken) throw name_taken(**taken);
}

}  // namespace palimpsest::server::http
