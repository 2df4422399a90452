#include "transfer/document_file.hpp"

#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "crdt/error.hpp"
#include "http/target.hpp"
#include "room/notes.hpp"
#include "room/plain_text.hpp"
#include "room/summary.hpp"

namespace palimpsest::server {
namespace {

using Json = nlohmann::ordered_json;
using crdt::DecodeError;
using storage::ExportReader;
using storage::ExportWriter;
using storage::PackedStretch;
using storage::WholeDocument;
using storage::WholeDocumentBuilder;

constexpr std::size_t kLongestNameBytes = 1024;  // of a person
// Beyond what any server of ours gives out, and far from overflowing.
constexpr std::uint64_t kLargestGeneration = std::uint64_t{1} << 40;

std::string text_of(const Json& head) {
  return head.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const std::vector<storage::Author>& authors) {
  Json list = Json::array();
  for (const storage::Author& author : authors) {
    list.push_back({{"client", author.client}, {"name", author.name}});
  }
  return list;
}

Json json_of(const std::optional<storage::Thinned>& thinned) {
  if (!thinned) return nullptr;
  return {{"until", thinned->until},
          {"at", storage::format_time(thinned->at)},
          {"days", thinned->days}};
}

void add_notes(const storage::Notes& notes, Json& head) {
  if (notes.own_title) head["ownTitle"] = *notes.own_title;
  if (!notes.tags.empty()) head["tags"] = notes.tags;
  for (const storage::Version& version : notes.versions) {
    head["versions"].push_back({{"name", version.name},
                                {"seq", version.seq},
                                {"namedAt", storage::format_time(version.named_at)},
                                {"by", version.named_by}});
  }
  for (const storage::Purge& purge : notes.purges) {
    head["purges"].push_back({{"at", storage::format_time(purge.at)},
                              {"by", purge.by},
                              {"reason", purge.reason},
                              {"units", purge.units}});
  }
}

std::string head_of(const storage::DocumentHead& document) {
  Json head = {{"name", document.name},
               {"title", document.title},
               {"generation", document.generation},
               {"createdAt", storage::format_time(document.created_at)},
               {"lastSeq", document.last_seq},
               {"thinned", json_of(document.thinned)},
               {"authors", json_of(document.authors)}};
  add_notes(document.notes, head);
  return text_of(head);
}

storage::DocumentHead described(const WholeDocument& document) {
  storage::DocumentHead head;
  head.name = document.name;
  head.generation = document.generation;
  head.created_at = document.created_at;
  head.title = document.checkpoint.title;
  head.last_seq = document.checkpoint.seq;
  head.thinned = document.thinned;
  for (const auto& contributor : document.authors) head.authors.push_back(contributor.author);
  head.notes = document.notes;
  return head;
}

// --- Reading a head: whatever is not as it has to be is refused. ---

class HeadReader {
 public:
  HeadReader(const std::string& text, std::size_t offset)
      : offset_(offset), head_(Json::parse(text, nullptr, false)) {
    if (!head_.is_object()) fail("the head is no JSON object");
  }

  std::string name() const {
    std::string name = text(head_, "name");
    if (!http::is_document_name(name)) {
      fail("the document's name has not 1 to 255 bytes without control characters");
    }
    return name;
  }
  std::uint64_t generation() const {
    const std::uint64_t generation = number(head_, "generation");
    if (generation == 0 || generation > kLargestGeneration) fail("a generation that cannot be");
    return generation;
  }
  storage::Time created_at() const { return time(head_, "createdAt"); }
  // Files of before there was such a thing have none.
  std::optional<storage::Thinned> thinned() const {
    const auto member = head_.find("thinned");
    if (member == head_.end() || member->is_null()) return std::nullopt;
    if (!member->is_object()) fail("thinned is no object");
    const std::uint64_t days = number(*member, "days");
    const storage::Thinned thinned{number(*member, "until"), time(*member, "at"),
                                   static_cast<std::uint32_t>(days)};
    if (days > storage::kMostDays) fail("thinned has a number of days that cannot be");
    if (thinned.until == 0 || thinned.until > last_seq())
      fail("thinned reaches to an entry that is not there");
    return thinned;
  }
  std::uint64_t last_seq() const { return number(head_, "lastSeq"); }

  std::vector<storage::Author> authors() const {
    const auto list = head_.find("authors");
    if (list == head_.end() || !list->is_array()) fail("authors is no list");
    std::vector<storage::Author> authors;
    for (const Json& entry : *list) {
      if (!entry.is_object()) fail("an author that is no object");
      authors.push_back({number(entry, "client"), text(entry, "name")});
      if (authors.back().client > crdt::kMaxSafeInteger) fail("a client that cannot be");
      if (authors.back().name.size() > kLongestNameBytes) fail("a person's name that is too long");
    }
    return authors;
  }

  storage::Notes notes() const {
    storage::Notes notes;
    if (head_.contains("ownTitle")) {
      notes.own_title = line_of(text(head_, "ownTitle"), kTitleCodePoints);
      if (!notes.own_title) fail("ownTitle is empty or too long");
    }
    for_each("tags", [&](const Json& tag) { notes.tags.push_back(tag_of(tag)); });
    for_each("versions", [&](const Json& one) { notes.versions.push_back(version_of(one)); });
    for_each("purges", [&](const Json& one) { notes.purges.push_back(purge_of(one)); });
    check(notes);
    return notes;
  }

  [[noreturn]] void fail(const std::string& cause) const {
    throw DecodeError(offset_, place_ + cause);
  }

 private:
  // Of a list that may be left out. What fails meanwhile says in which element.
  template <class Visit>
  void for_each(const char* key, Visit visit) const {
    const auto list = head_.find(key);
    if (list == head_.end()) return;
    if (!list->is_array()) fail(std::string(key) + " is no list");
    for (std::size_t i = 0; i < list->size(); ++i) {
      place_ = std::string(key) + "[" + std::to_string(i) + "]: ";
      visit((*list)[i]);
    }
    place_.clear();
  }

  std::string tag_of(const Json& tag) const {
    if (!tag.is_string()) fail("is no text");
    const auto line = line_of(tag.get<std::string>(), kTagCodePoints);
    if (!line) fail("is empty or too long");
    return *line;
  }
  storage::Version version_of(const Json& version) const {
    check_object(version);
    storage::Version read{text(version, "name"), number(version, "seq"), time(version, "namedAt"),
                          person(version)};
    if (!http::is_document_name(read.name))
      fail("name has not 1 to 255 bytes without control characters");
    if (read.seq > last_seq()) fail("seq is behind the last entry");
    return read;
  }
  storage::Purge purge_of(const Json& purge) const {
    check_object(purge);
    storage::Purge read{.at = time(purge, "at"),
                        .by = person(purge),
                        .reason = text(purge, "reason"),
                        .units = number(purge, "units")};
    if (read.reason.size() > kReasonBytes) fail("reason is too long");
    if (read.units > crdt::kMaxSafeInteger) fail("units cannot be so many");
    return read;
  }
  void check(const storage::Notes& notes) const {
    if (notes.tags.size() > kMostTags) fail("tags are too many");
    std::set<std::string> seen;
    for (const std::string& tag : notes.tags)
      if (!seen.insert(tag).second) fail("tags has one twice");
    seen.clear();
    for (const storage::Version& version : notes.versions)
      if (!seen.insert(version.name).second) fail("versions has one name twice");
  }

  void check_object(const Json& value) const {
    if (!value.is_object()) fail("is no object");
  }
  std::string person(const Json& object) const {
    std::string name = text(object, "by");
    if (name.size() > kLongestNameBytes) fail("a person's name that is too long");
    return name;
  }
  storage::Time time(const Json& object, const char* key) const {
    const auto time = storage::parse_time(text(object, key));
    if (!time || time->time_since_epoch().count() < 0) fail(std::string(key) + " is no time");
    return *time;
  }
  std::string text(const Json& object, const char* key) const {
    const auto value = object.find(key);
    if (value == object.end() || !value->is_string()) {
      fail(std::string(key) + " is no text");
    }
    return value->get<std::string>();
  }
  std::uint64_t number(const Json& object, const char* key) const {
    const auto value = object.find(key);
    if (value == object.end() || !value->is_number_unsigned()) {
      fail(std::string(key) + " is no number");
    }
    return value->get<std::uint64_t>();
  }

  std::size_t offset_;
  Json head_;
  mutable std::string place_;  // in the head, of what is being read
};

// Of a piece of the file, what is wrong with an update in it.
[[noreturn]] void fail_in_piece(const ExportReader& file, const DecodeError& error) {
  throw DecodeError(file.offset_bytes(), "in the piece from here on, " + error.cause());
}

WholeDocument import_document(ExportReader& file) {
  const HeadReader head(file.head(), file.offset_bytes());
  WholeDocumentBuilder builder(head.name(), head.generation());
  for (storage::Author& author : head.authors()) {
    builder.name_client(author.client, std::move(author.name));
  }
  const storage::Time created_at = head.created_at();
  storage::Notes notes = head.notes();
  while (const std::optional<PackedStretch> stretch = file.next()) {
    try {
      builder.add_packed(*stretch);
    } catch (const DecodeError& error) {
      fail_in_piece(file, error);
    }
  }
  if (builder.last_seq() == 0) head.fail("a document without an entry");
  if (builder.last_seq() != head.last_seq()) head.fail("lastSeq is not the last entry's");
  Summary summary = summarize(builder.document().text("content"));
  WholeDocument document =
      std::move(builder).finish(std::move(summary.title), std::move(summary.excerpt));
  document.created_at = created_at;
  document.thinned = head.thinned();
  document.notes = std::move(notes);
  return document;
}

}  // namespace

bool export_document(storage::Reader& reader, const std::string& name,
                     const ExportWriter::Write& write) {
  std::optional<ExportWriter> file;
  const bool is_there = reader.read_whole(
      name,
      [&](const storage::DocumentHead& document) {
        file.emplace(write);
        file->head(head_of(document));
      },
      [&](const PackedStretch& stretch) { file->stretch(stretch); });
  if (is_there) file->end();
  return is_there;
}

void export_document(const WholeDocument& document, const ExportWriter::Write& write) {
  ExportWriter file(write);
  file.head(head_of(described(document)));
  for (const PackedStretch& stretch : document.log) file.stretch(stretch);
  file.end();
}

std::vector<WholeDocument> import_documents(const ExportReader::Read& read) {
  std::vector<WholeDocument> documents;
  ExportReader file(read);
  do {
    documents.push_back(import_document(file));
  } while (file.next_document());
  return documents;
}

}  // namespace palimpsest::server
