#include "transfer/import.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <utility>

#include "crdt/doc.hpp"
#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "crdt/update.hpp"
#include "crdt/v2.hpp"
#include "http/target.hpp"
#include "room/summary.hpp"
#include "storage/export_file.hpp"
#include "storage/foreign_stores.hpp"
#include "storage/whole_document.hpp"
#include "transfer/document_file.hpp"

namespace palimpsest::server {
namespace {

namespace fs = std::filesystem;
using storage::WholeDocument;
using storage::WholeDocumentBuilder;

constexpr const char* kRoot = "content";
constexpr const char* kImporter = "import";
constexpr std::string_view kSqliteMagic{"SQLite format 3\0", 16};
constexpr std::size_t kSampleBytes = 4096;
constexpr std::size_t kLargestText = std::size_t{16} << 20;  // as Room::Options::document_bytes

constexpr std::array<std::pair<std::string_view, ImportFormat>, 7> kFormats = {
    {{"auto", ImportFormat::kAuto},
     {"palimpsest", ImportFormat::kPalimpsest},
     {"text", ImportFormat::kText},
     {"markdown", ImportFormat::kMarkdown},
     {"yjs", ImportFormat::kYjs},
     {"y-leveldb", ImportFormat::kYLeveldb},
     {"hocuspocus", ImportFormat::kHocuspocus}}};

// As Yjs draws them: 32 bits. Never one that somebody else writes as.
crdt::ClientId new_client() {
  std::random_device random;
  return random() & 0xFFFFFFFFU;
}

std::ifstream open(const fs::path& file) {
  if (fs::is_directory(file)) throw ImportError("is a directory, and no store of y-leveldb");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw ImportError("cannot be read");
  return in;
}

crdt::Bytes read_all(const fs::path& file) {
  std::ifstream in = open(file);
  crdt::Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) throw ImportError("cannot be read");
  return bytes;
}

std::string checked(std::string name) {
  if (http::is_document_name(name)) return name;
  throw ImportError("document \"" + name.substr(0, 100) +
                    "\": a name has 1 to 255 bytes of UTF-8 and no control characters; give "
                    "another with --name");
}

std::string name_of(const Import& import) {
  return checked(import.name.value_or(import.fallback_name));
}

WholeDocument finish(WholeDocumentBuilder builder) {
  Summary summary = summarize(builder.document().text(kRoot));
  return std::move(builder).finish(std::move(summary.title), std::move(summary.excerpt));
}

// --- Text ---

// Editors count a line end as one character.
std::string with_unix_line_ends(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!is_pair) result += text[i] == '\r' ? '\n' : text[i];
  }
  return result;
}

WholeDocument read_text(const Import& import) {
  const crdt::Bytes bytes = read_all(import.file);
  const std::string_view raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!crdt::is_utf8(raw)) throw ImportError("is no UTF-8 text");
  if (raw.size() > kLargestText) throw ImportError("is larger than a document may be (16 MiB)");
  const std::string text = with_unix_line_ends(raw);
  if (text.empty()) throw ImportError("has no text in it");
  const crdt::ClientId client = new_client();
  crdt::Doc doc;
  const crdt::Bytes update =
      doc.transact(client, [&](crdt::Transaction& change) { change.text_insert(kRoot, 0, text); });
  WholeDocumentBuilder builder(name_of(import), 1);
  builder.name_client(client, kImporter);
  builder.add({1, import.now, {}, client, 0, update});
  return finish(std::move(builder));
}

// --- Updates ---

// Puts the updates of one document together. An update that is empty is no entry.
class UpdateCollector {
 public:
  UpdateCollector(std::string name, const Import& import)
      : builder_(std::move(name), 1), import_(import) {}

  void add(crdt::ByteView bytes) {
    crdt::Bytes converted;
    if (import_.is_v2) {
      converted = crdt::update_v1_from_v2(bytes);
      bytes = converted;
    }
    const crdt::Update update = crdt::Update::decode(bytes);
    if (update.empty()) return;
    const std::vector<crdt::Update::Authored> authored = update.authored();
    if (!authored.empty()) sender_ = authored.front().client;
    builder_.add({1, import_.now, {}, sender_, 0, bytes});
  }

  bool empty() const { return builder_.last_seq() == 0; }
  WholeDocument finish() && { return server::finish(std::move(builder_)); }

 private:
  WholeDocumentBuilder builder_;
  const Import& import_;
  crdt::ClientId sender_ = 0;  // of the content before, where there is none
};

WholeDocument read_update(const Import& import) {
  const crdt::Bytes bytes = read_all(import.file);
  UpdateCollector updates(name_of(import), import);
  updates.add(bytes);
  if (updates.empty()) throw ImportError("has nothing in it");
  return std::move(updates).finish();
}

// --- Stores ---

using ReadStore = void (*)(const fs::path&, const std::optional<std::string>&,
                           const storage::ForeignVisitor&);

// Documents without anything in them are left out: here they come to be with their first edit.
class StoreReader {
 public:
  explicit StoreReader(const Import& import) : import_(import) {}

  std::vector<WholeDocument> read(ReadStore read_store) && {
    read_store(
        import_.file, import_.document,
        [this](const std::string& document, crdt::ByteView update) { add(document, update); });
    end_document();
    if (documents_.empty()) fail_empty();
    if (import_.name && documents_.size() > 1) {
      throw ImportError("has " + std::to_string(documents_.size()) +
                        " documents: say which one with --document where --name is given");
    }
    return std::move(documents_);
  }

 private:
  void add(const std::string& document, crdt::ByteView update) {
    if (!current_ || document != document_) {
      end_document();
      document_ = document;
      number_ = 0;
      current_.emplace(checked(import_.name.value_or(document)), import_);
    }
    ++number_;
    try {
      current_->add(update);
    } catch (const crdt::DecodeError& error) {
      throw ImportError("document \"" + document_.substr(0, 100) + "\", update " +
                        std::to_string(number_) + ": " + error.what());
    }
  }

  void end_document() {
    if (current_ && !current_->empty()) documents_.push_back(std::move(*current_).finish());
    current_.reset();
  }

  [[noreturn]] void fail_empty() const {
    if (import_.document) {
      throw ImportError("has no document \"" + *import_.document + "\" with anything in it");
    }
    throw ImportError("has no documents in it");
  }

  const Import& import_;
  std::string document_;
  std::size_t number_ = 0;
  std::optional<UpdateCollector> current_;
  std::vector<WholeDocument> documents_;
};

// --- Our own ---

std::vector<WholeDocument> read_own(const Import& import) {
  std::ifstream in = open(import.file);
  std::vector<WholeDocument> documents =
      import_documents([&](std::span<std::uint8_t> bytes) -> std::size_t {
        in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        return static_cast<std::size_t>(in.gcount());
      });
  if (import.document) {
    std::erase_if(documents, [&](const WholeDocument& it) { return it.name != *import.document; });
    if (documents.empty()) throw ImportError("has no document \"" + *import.document + "\"");
  }
  if (!import.name) return documents;
  if (documents.size() > 1) {
    throw ImportError("has several documents: say which one with --document where --name is given");
  }
  documents.front().name = checked(*import.name);
  documents.front().checkpoint.document = documents.front().name;
  return documents;
}

std::vector<WholeDocument> one(WholeDocument document) {
  std::vector<WholeDocument> documents;
  documents.push_back(std::move(document));
  return documents;
}

std::vector<WholeDocument> read_as(ImportFormat format, const Import& import) {
  switch (format) {
    case ImportFormat::kPalimpsest:
      return read_own(import);
    case ImportFormat::kText:
    case ImportFormat::kMarkdown:
      return one(read_text(import));
    case ImportFormat::kYLeveldb:
      return StoreReader(import).read(storage::read_y_leveldb);
    case ImportFormat::kHocuspocus:
      return StoreReader(import).read(storage::read_hocuspocus);
    case ImportFormat::kYjs:
    case ImportFormat::kAuto:
      break;
  }
  return one(read_update(import));
}

bool is_plain(std::string_view sample) {
  // The last character may be cut.
  while (!sample.empty() && static_cast<unsigned char>(sample.back()) >= 0x80) {
    sample.remove_suffix(1);
  }
  const auto is_control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
  };
  return crdt::is_utf8(sample) && std::ranges::none_of(sample, is_control);
}

void refuse_doubles(const std::vector<WholeDocument>& documents) {
  std::set<std::string_view> names;
  for (const WholeDocument& document : documents) {
    if (names.insert(document.name).second) continue;
    throw ImportError("has document \"" + document.name + "\" twice");
  }
}

// The store's messages begin with the file's name, which is not repeated.
std::string without_file(const std::string& what, const fs::path& file) {
  const std::string prefix = file.string() + ": ";
  return what.starts_with(prefix) ? what.substr(prefix.size()) : what;
}

}  // namespace

std::optional<ImportFormat> import_format(std::string_view name) {
  const auto* const found =
      std::ranges::find(kFormats, name, &decltype(kFormats)::value_type::first);
  if (found == kFormats.end()) return std::nullopt;
  return found->second;
}

std::string_view name_of(ImportFormat format) {
  return std::ranges::find(kFormats, format, &decltype(kFormats)::value_type::second)->first;
}

ImportFormat detect(const fs::path& file) {
  if (fs::is_directory(file)) return ImportFormat::kYLeveldb;
  std::ifstream in = open(file);
  std::string sample(kSampleBytes, '\0');
  in.read(sample.data(), static_cast<std::streamsize>(sample.size()));
  sample.resize(static_cast<std::size_t>(in.gcount()));
  if (sample.starts_with(storage::kExportMagic)) return ImportFormat::kPalimpsest;
  if (sample.starts_with(kSqliteMagic)) return ImportFormat::kHocuspocus;
  if (!is_plain(sample)) return ImportFormat::kYjs;
  const std::string extension = file.extension().string();
  const bool is_markdown = extension == ".md" || extension == ".markdown";
  return is_markdown ? ImportFormat::kMarkdown : ImportFormat::kText;
}

std::vector<WholeDocument> read_import(const Import& import) {
  try {
    const bool is_known = import.format != ImportFormat::kAuto;
    auto documents = read_as(is_known ? import.format : detect(import.file), import);
    refuse_doubles(documents);
    return documents;
  } catch (const crdt::DecodeError& error) {
    throw ImportError(error.what());
  } catch (const storage::Error& error) {
    throw ImportError(without_file(error.what(), import.file));
  } catch (const fs::filesystem_error& error) {
    throw ImportError(error.code().message());
  }
}

}  // namespace palimpsest::server
