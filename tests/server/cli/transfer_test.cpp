#include <filesystem>
#include <string>

#include "crdt/v2.hpp"
#include "storage/builders.hpp"
#include "storage/raw_database.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"
#include "transfer/document_file.hpp"
#include "transfer/import.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using server::detect;
using server::Import;
using server::ImportError;
using server::ImportFormat;
using storage::WholeDocument;

class Files {
 public:
  fs::path write(const std::string& name, std::string_view content) const {
    write_file(directory_.path() / name, {content.begin(), content.end()});
    return directory_.path() / name;
  }
  fs::path write(const std::string& name, const crdt::Bytes& content) const {
    write_file(directory_.path() / name, {content.begin(), content.end()});
    return directory_.path() / name;
  }
  const fs::path& path() const { return directory_.path(); }

 private:
  TempDirectory directory_;
};

Import import_of(const fs::path& file) {
  Import import;
  import.file = file;
  import.fallback_name = file.stem().string();
  import.now = time(1'790'000'000'000);
  return import;
}

WholeDocument only(const Import& import) {
  const std::vector<WholeDocument> documents = read_import(import);
  REQUIRE(documents.size() == 1);
  return documents.front();
}

std::string content_of(const WholeDocument& document) {
  return crdt::Doc::load(document.checkpoint.state).text("content");
}

std::string refusal_of(const Import& import) {
  try {
    read_import(import);
    return "";
  } catch (const ImportError& error) {
    return error.what();
  }
}

TEST_CASE("what a file is, is seen from its content", "[transfer]") {
  const Files files;
  CHECK(detect(files.write("a.txt", "words\n")) == ImportFormat::kText);
  CHECK(detect(files.write("a.md", "# words\n")) == ImportFormat::kMarkdown);
  CHECK(detect(files.write("b", "Grüße")) == ImportFormat::kText);
  CHECK(detect(files.write("c.txt", update_of(1, "a"))) == ImportFormat::kYjs);
  CHECK(detect(files.write("d", "PLMPDOC\n and so on")) == ImportFormat::kPalimpsest);
  CHECK(detect(files.write("e", std::string("SQLite format 3\0...", 19))) ==
        ImportFormat::kHocuspocus);
  CHECK(detect(files.path()) == ImportFormat::kYLeveldb);
}

TEST_CASE("a text is one insertion by somebody called import", "[transfer]") {
  const Files files;
  const WholeDocument document =
      only(import_of(files.write("notes.md", "\xEF\xBB\xBF# Title\r\n\r\nwords\rand more\n")));
  CHECK(document.name == "notes");
  CHECK(content_of(document) == "# Title\n\nwords\nand more\n");
  CHECK(document.checkpoint.seq == 1);
  CHECK(document.checkpoint.title == "Title");
  REQUIRE(document.authors.size() == 1);
  CHECK(document.authors.front().author.name == "import");
  CHECK(document.created_at == time(1'790'000'000'000));
}

TEST_CASE("an update is one entry by those who wrote it, in either format", "[transfer]") {
  const Files files;
  crdt::Doc doc;
  doc.transact(7, [](crdt::Transaction& t) { t.text_insert("content", 0, "seven"); });
  Import import = import_of(files.write("plan.bin", doc.encode()));
  CHECK(content_of(only(import)) == "seven");
  CHECK(only(import).authors.front().author.client == 7);
  import.name = "other";
  CHECK(only(import).name == "other");

  import.file = files.write("plan2.bin", crdt::update_v2_from_v1(doc.encode()));
  CHECK_FALSE(refusal_of(import).empty());
  import.is_v2 = true;
  CHECK(content_of(only(import)) == "seven");
}

TEST_CASE("what cannot be used is refused with a cause", "[transfer]") {
  const Files files;
  const auto said = [&](const fs::path& file) { return refusal_of(import_of(file)); };
  CHECK(contains(said(files.path() / "none"), "cannot be read"));
  CHECK(contains(said(files.write("empty.txt", "")), "no text"));
  CHECK(contains(said(files.write("update", crdt::Bytes{1, 2, 3})), "byte "));
  CHECK(contains(said(files.write("nothing", crdt::Bytes{0, 0})), "nothing in it"));
  CHECK(contains(said(files.path()), "is no LevelDB"));
  CHECK(
      contains(said(files.write("e", std::string("SQLite format 3\0...", 19))), "not a database"));
  Import import = import_of(files.write("a.txt", "a"));
  import.name = std::string(256, 'x');
  CHECK(contains(refusal_of(import), "a name has 1 to 255 bytes"));
  import.name = "a\nb";
  CHECK(contains(refusal_of(import), "a name has 1 to 255 bytes"));
  import.name = "fine";
  import.file = files.write("latin1.txt", "caf\xE9");
  import.format = ImportFormat::kText;
  CHECK(contains(refusal_of(import), "no UTF-8"));
}

// --- The head of our own files ---

std::string file_with(const std::string& head) {
  std::string file;
  storage::ExportWriter writer([&](crdt::ByteView bytes) {
    file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  storage::WholeDocumentBuilder builder("x", 1);
  const storage::Append append = entry("x", 1, "a");
  builder.add({1, append.at, {}, 1, 1, *append.update});
  writer.head(head);
  for (const auto& stretch : std::move(builder).finish("", "").log) writer.stretch(stretch);
  writer.end();
  return file;
}

TEST_CASE("a head of another form is refused, member by member", "[transfer]") {
  const Files files;
  const auto said = [&](const std::string& head) {
    return refusal_of(import_of(files.write("x", file_with(head))));
  };
  const std::string rest =
      R"("createdAt": "2026-11-21T10:00:00.000Z", "lastSeq": 1, "authors": [{"client": 1, "name": "A"}]})";
  CHECK(said(R"({"name": "x", "generation": 3, )" + rest).empty());
  const auto thinned = [&](const std::string& note) {
    return said(R"({"name": "x", "generation": 3, "thinned": )" + note + ", " + rest);
  };
  CHECK(thinned("null").empty());
  CHECK(thinned(R"({"until": 1, "at": "2026-11-21T10:00:00Z", "days": 90})").empty());
  CHECK(contains(thinned("[]"), "thinned is no object"));
  CHECK(contains(thinned(R"({"until": 2, "at": "2026-11-21T10:00:00Z", "days": 90})"),
                 "thinned reaches to an entry that is not there"));
  CHECK(contains(thinned(R"({"until": 1, "at": "soon", "days": 90})"), "at is no time"));
  CHECK(contains(thinned(R"({"until": 1, "at": "2026-11-21T10:00:00Z", "days": 99999})"),
                 "days that cannot be"));
  CHECK(contains(said("[]"), "no JSON object"));
  CHECK(contains(said("{"), "no JSON object"));
  CHECK(contains(said(R"({"generation": 3, )" + rest), "name is no text"));
  CHECK(contains(said(R"({"name": "", "generation": 3, )" + rest), "1 to 255 bytes"));
  CHECK(contains(said(R"({"name": "x", "generation": 0, )" + rest), "generation"));
  CHECK(contains(said(R"({"name": "x", "generation": -1, )" + rest), "generation"));
  CHECK(contains(said(R"({"name": "x", "generation": 3, "authors": [], "lastSeq": 1})"),
                 "createdAt"));
  CHECK(contains(said(R"({"name": "x", "generation": 3, "lastSeq": 2, "authors": [],
                          "createdAt": "2026-11-21T10:00:00Z"})"),
                 "lastSeq"));
}

TEST_CASE("what is set and noted of a document is refused where it cannot be, with the place",
          "[transfer]") {
  const Files files;
  const auto said = [&](const std::string& member) {
    const std::string head =
        R"({"name": "x", "generation": 3, "createdAt": "2026-11-21T10:00:00.000Z", "lastSeq": 1,
            "authors": [], )" +
        member + "}";
    return refusal_of(import_of(files.write("x", file_with(head))));
  };
  const std::string at = R"("2026-11-21T10:00:00Z")";
  CHECK(said(R"("ownTitle": "T", "tags": [], "versions": [], "purges": [], "later": 1)").empty());
  CHECK(contains(said(R"("ownTitle": 1)"), "ownTitle is no text"));
  CHECK(contains(said(R"("ownTitle": " ")"), "ownTitle is empty or too long"));
  CHECK(contains(said(R"("tags": "a")"), "tags is no list"));
  CHECK(contains(said(R"("tags": ["a", 1])"), "tags[1]: is no text"));
  CHECK(contains(said(R"("tags": [")" + std::string(51, 'x') + R"("])"), "tags[0]: is empty or"));
  CHECK(contains(said(R"("tags": ["a", "a"])"), "tags has one twice"));
  CHECK(contains(said(R"("versions": [1])"), "versions[0]: is no object"));
  const auto version = [&](const std::string& name, int seq) {
    return R"({"name": ")" + name + R"(", "seq": )" + std::to_string(seq) + R"(, "namedAt": )" +
           at + R"(, "by": ""})";
  };
  CHECK(said("\"versions\": [" + version("a", 0) + ", " + version("b", 1) + "]").empty());
  CHECK(contains(said("\"versions\": [" + version("a", 2) + "]"),
                 "versions[0]: seq is behind the last entry"));
  CHECK(contains(said("\"versions\": [" + version("", 1) + "]"), "versions[0]: name has not 1"));
  CHECK(contains(said("\"versions\": [" + version("a", 1) + ", " + version("a", 0) + "]"),
                 "versions has one name twice"));
  CHECK(contains(said(R"("versions": [{"name": "a", "seq": 1, "namedAt": "then", "by": ""}])"),
                 "versions[0]: namedAt is no time"));
  CHECK(contains(said(R"("purges": [{"at": )" + at + R"(, "by": "", "units": 1}])"),
                 "purges[0]: reason is no text"));
  CHECK(contains(said(R"("purges": [{"at": )" + at + R"(, "by": "", "reason": ")" +
                      std::string(1001, 'x') + R"(", "units": 1}])"),
                 "purges[0]: reason is too long"));
  CHECK(contains(said(R"("purges": [{"at": )" + at + R"(, "by": "", "reason": "", "units": -1}])"),
                 "purges[0]: units is no number"));
}

// --- What is set and noted by hand, out of one store and into another ---

std::string exported(storage::Store& store) {
  std::string file;
  REQUIRE(server::export_document(*store.reader(), "notes", [&](crdt::ByteView bytes) {
    file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }));
  return file;
}

// Something was taken out of "notes": nothing, that is, which is all the same to the note.
void purge(storage::Store& store, storage::Writer& writer, const storage::Purge& note) {
  const auto nothing = [](const auto&) { return std::nullopt; };
  REQUIRE(writer.rewrite(
      store.reader()->prepare_rewrite("notes", {.entry = nothing, .checkpoint = nothing}).value(),
      note));
}

TEST_CASE("versions, purge notes, tags and a title set by hand go out and in with a document",
          "[transfer]") {
  const Files files;
  const auto store = storage::open_sqlite_store(files.path() / "one", storage::Access::kReadWrite);
  {
    const auto writer = store->writer();
    append_one(*writer, entry("notes", 1, "an older document"));
    writer->put_into_bin("notes", time(1));
    writer->remove(store->reader()->prepare_removal("notes").value(),
                   {.at = time(2), .by = "", .reason = "", .is_whole = true});
    for (storage::Seq seq = 1; seq <= 3; ++seq)
      append_one(*writer, entry_by({seq, ""}, "notes", seq, "a"));
    writer->edit({"notes", "By hand", std::vector<std::string>{"minutes", "press"}, {}});
    writer->name_version("notes", {"draft", 2, time(1'000), "Ada"});
    writer->name_version("notes", {"empty", 0, time(2'000), ""});
    purge(*store, *writer, {.at = time(3'000), .by = "Grace", .reason = "a name", .units = 7});
    purge(*store, *writer, {.at = time(4'000), .by = "", .reason = "", .units = 8});
  }
  const std::string file = exported(*store);
  const WholeDocument document = only(import_of(files.write("notes", file)));
  const auto other = storage::open_sqlite_store(files.path() / "two", storage::Access::kReadWrite);
  other->writer()->create({&document, 1});
  CHECK(exported(*other) == file);

  const auto reader = other->reader();
  CHECK(reader->versions("notes") == store->reader()->versions("notes"));
  CHECK(reader->versions("notes").size() == 2);
  REQUIRE(reader->purges("notes").size() == 2);  // not what became of the older document
  CHECK(reader->purges("notes").back().by == "Grace");
  const auto summary = reader->find("notes", "").value();
  CHECK(summary.title == "By hand");
  CHECK(summary.has_own_title);
  CHECK(summary.tags == std::vector<std::string>{"minutes", "press"});
  storage::ListQuery query;
  query.tag = "press";
  query.words = "hand";
  CHECK(reader->list(query).documents.size() == 1);
  CHECK(reader->verify().empty());
}

TEST_CASE("several documents in one file are imported together, or one of them", "[transfer]") {
  const Files files;
  const auto head = [](const std::string& name) {
    return R"({"name": ")" + name +
           R"(", "generation": 2, "createdAt": "2026-11-21T10:00:00Z", "lastSeq": 1, "authors": []})";
  };
  Import import = import_of(files.write("both", file_with(head("a")) + file_with(head("b"))));
  CHECK(read_import(import).size() == 2);
  import.name = "c";
  CHECK(contains(refusal_of(import), "several documents"));
  import.document = "b";
  CHECK(only(import).name == "c");
  import.document = "d";
  CHECK(contains(refusal_of(import), "no document \"d\""));
  const Import twice = import_of(files.write("twice", file_with(head("a")) + file_with(head("a"))));
  CHECK(contains(refusal_of(twice), "twice"));
}

}  // namespace
}  // namespace palimpsest::testing
