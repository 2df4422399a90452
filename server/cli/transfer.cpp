#include "cli/transfer.hpp"

#include <chrono>
#include <ostream>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/api.hpp"
#include "cli/files.hpp"
#include "room/plain_text.hpp"
#include "storage/sqlite_store.hpp"
#include "transfer/document_file.hpp"

namespace palimpsest::server::cli {
namespace {

using Json = nlohmann::ordered_json;
using storage::WholeDocument;

constexpr std::size_t kNameCodePoints = 255;
constexpr std::size_t kListedDocuments = 20;

void write_export(const Export& command, const storage::ExportWriter::Write& write) {
  const auto store = storage::open_sqlite_store(command.data, storage::Access::kReadOnly);
  if (export_document(*store->reader(), command.document, write)) return;
  throw InputError("document \"" + command.document + "\": there is none of that name in " +
                   command.data.string());
}

void write_to_stream(const Export& command, std::ostream& out) {
  write_export(command, [&out](crdt::ByteView bytes) {
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  });
}

std::vector<WholeDocument> read(const Import& import) {
  try {
    return read_import(import);
  } catch (const ImportError& error) {
    throw InputError(import.file.string() + ": " + error.what());
  }
}

http::Request request_of(const std::vector<WholeDocument>& documents) {
  http::Request request;
  request.method = "POST";
  request.target = "/api/import?format=palimpsest";
  for (const WholeDocument& document : documents) {
    export_document(document, [&request](crdt::ByteView bytes) {
      request.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    });
  }
  return request;
}

std::string detail_of(const http::Response& response) {
  const Json problem = Json::parse(response.body, nullptr, false);
  const auto detail = problem.is_object() ? problem.find("detail") : problem.end();
  if (detail != problem.end() && detail->is_string()) return detail->get<std::string>();
  return "status " + std::to_string(response.status);
}

void print(const std::vector<WholeDocument>& documents, std::ostream& out) {
  std::uint64_t updates = 0;
  for (const WholeDocument& document : documents) updates += document.checkpoint.seq;
  out << "imported " << documents.size() << (documents.size() == 1 ? " document, " : " documents, ")
      << updates << (updates == 1 ? " update" : " updates") << '\n';
  for (std::size_t i = 0; i < documents.size() && i < kListedDocuments; ++i) {
    out << "  " << plain_text(documents[i].name, kNameCodePoints) << '\n';
  }
  if (documents.size() > kListedDocuments) {
    out << "  and " << documents.size() - kListedDocuments << " more\n";
  }
}

}  // namespace

void run(const Export& command, std::ostream& out) {
  try {
    if (!command.out) return write_to_stream(command, out);
    NewFile file(*command.out);
    write_export(command, [&file](crdt::ByteView bytes) { file.write(bytes); });
    file.finish();
  } catch (const storage::Error& error) {
    throw ConfigError(error.what());
  }
}

// What is replayed here the server replays again: it trusts nobody but itself.
void run(const ImportCommand& command, std::ostream& out) {
  const std::vector<WholeDocument> documents = read(command.import);
  const http::Response response = call_api(command.config, request_of(documents));
  if (response.status >= 500) throw ConfigError(detail_of(response));
  if (response.status >= 400) {
    throw InputError(command.import.file.string() + ": " + detail_of(response));
  }
  print(documents, out);
}

}  // namespace palimpsest::server::cli
