#include "storage/export_file.hpp"

#include <algorithm>
#include <cstring>

#include "builders.hpp"
#include "crdt/error.hpp"
#include "storage/sqlite_store.hpp"
#include "storage/whole_document.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using crdt::DecodeError;
using storage::Access;
using storage::DocumentHead;
using storage::ExportReader;
using storage::ExportWriter;
using storage::PackedStretch;
using storage::WholeDocument;
using storage::WholeDocumentBuilder;

// --- Files in memory ---

ExportReader::Read source(const crdt::Bytes& file) {
  return [&file, at = std::size_t{0}](std::span<std::uint8_t> bytes) mutable {
    const std::size_t count = std::min(bytes.size(), file.size() - at);
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), count, bytes.begin());
    at += count;
    return count;
  };
}

ExportWriter::Write sink(crdt::Bytes& file) {
  return [&file](crdt::ByteView bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); };
}

crdt::Bytes file_of(const std::vector<PackedStretch>& log, std::string_view head = "{}") {
  crdt::Bytes file;
  ExportWriter writer(sink(file));
  writer.head(head);
  for (const PackedStretch& stretch : log) writer.stretch(stretch);
  writer.end();
  return file;
}

std::vector<PackedStretch> log_in(const crdt::Bytes& file) {
  ExportReader reader(source(file));
  std::vector<PackedStretch> log;
  while (auto stretch = reader.next()) log.push_back(std::move(*stretch));
  if (reader.next_document()) throw DecodeError(0, "a second document");
  return log;
}

// The document of a store that has some of its log packed and some not.
class Example {
 public:
  static constexpr storage::Seq kEntries = 1500;

  Example() {
    const auto writer = store_->writer();
    Merged merged;
    for (storage::Seq seq = 1; seq <= kEntries; ++seq) {
      storage::Append append =
          entry_by({seq % 3 + 1, seq % 3 == 1 ? "Ada" : ""}, "notes", seq, text_at(seq));
      append.connection = seq / 100;
      if (seq % 7 == 0) append.made_at = append.at - std::chrono::hours(seq);
      append.others.push_back({seq, ""});
      append_one(*writer, append);
      merged.add(seq, text_at(seq));
      if (seq == 1200) {
        writer->write_checkpoint({"notes", seq, merged.state(), "Title", "and more"});
        const auto packed =
            store_->reader()->prepare_compaction("notes", storage::Occasion::kEditing);
        REQUIRE(packed);
        REQUIRE(writer->compact(*packed));
      }
    }
  }

  static std::string text_at(storage::Seq seq) { return "text " + std::to_string(seq) + "\n"; }
  storage::Store& store() { return *store_; }

  std::vector<PackedStretch> log() {
    std::vector<PackedStretch> log;
    REQUIRE(store_->reader()->read_whole(
        "notes", [this](const DocumentHead& head) { head_ = head; },
        [&](const PackedStretch& stretch) { log.push_back(stretch); }));
    return log;
  }
  const DocumentHead& head() const { return head_; }

  WholeDocument rebuilt(const std::string& name) {
    WholeDocumentBuilder builder(name, 5);
    const std::vector<PackedStretch> all = log();
    for (const auto& author : head_.authors) builder.name_client(author.client, author.name);
    for (const PackedStretch& stretch : log_in(file_of(all))) builder.add_packed(stretch);
    return std::move(builder).finish("Title", "and more");
  }

 private:
  TempDirectory directory_;
  std::unique_ptr<storage::Store> store_ = open_sqlite_store(directory_.path(), Access::kReadWrite);
  DocumentHead head_;
};

TEST_CASE("a document is read as a whole, packed or not, with who wrote it", "[export]") {
  Example example;
  const std::vector<PackedStretch> log = example.log();
  REQUIRE(log.size() == 2);
  CHECK(log.front().first == 1);
  CHECK(log.front().last == 1200);
  CHECK(log.back().last == Example::kEntries);
  CHECK(example.head().generation == 1);
  CHECK(example.head().title == "Title");
  CHECK(example.head().last_seq == Example::kEntries);
  CHECK(example.head().authors.size() == Example::kEntries);
  CHECK_FALSE(example.store().reader()->read_whole(
      "other", [](const DocumentHead&) {}, [](const PackedStretch&) {}));
}

TEST_CASE("a document that goes out and in has every entry with its times and people", "[export]") {
  Example example;
  const WholeDocument whole = example.rebuilt("copy");
  const TempDirectory elsewhere;
  const auto store = open_sqlite_store(elsewhere.path(), Access::kReadWrite);
  store->writer()->create({&whole, 1});

  const auto before = example.store().reader()->log("notes", 1, 10'000);
  const auto reader = store->reader();
  const auto after = reader->log("copy", 1, 10'000);
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    CAPTURE(i);
    CHECK(after[i].seq == before[i].seq);
    CHECK(after[i].at == before[i].at);
    CHECK(after[i].made_at == before[i].made_at);
    CHECK(after[i].author.client == before[i].author.client);
    CHECK(after[i].author.name == before[i].author.name);
    CHECK(after[i].connection == before[i].connection);
    CHECK(after[i].update == before[i].update);
  }
  CHECK(reader->verify().empty());
  const auto loaded = reader->load("copy");
  REQUIRE(loaded);
  CHECK(loaded->generation == 5);
  CHECK(loaded->checkpoint_seq == Example::kEntries);
  const auto summary = reader->list(10, 0).front();
  const auto old = example.store().reader()->list(10, 0).front();
  CHECK(summary.title == "Title");
  CHECK(summary.created_at == old.created_at);
  CHECK(summary.edited_at == old.edited_at);
  REQUIRE(summary.authors.size() == old.authors.size());
  CHECK(summary.authors.front().client == old.authors.front().client);
  CHECK(reader->authors("copy").size() == example.head().authors.size());

  // And it goes on as any other.
  append_one(*store->writer(), entry("copy", Example::kEntries + 1, "x"));
  CHECK(reader->verify().empty());
}

TEST_CASE("a name that is taken is refused, and nothing of the others is stored", "[export]") {
  Example example;
  const std::vector<WholeDocument> both{example.rebuilt("copy"), example.rebuilt("notes")};
  const auto writer = example.store().writer();
  CHECK_THROWS_AS(writer->create(both), storage::NameTaken);
  CHECK(example.store().reader()->list(10, 0).size() == 1);
  const std::vector<WholeDocument> twice{both.front(), both.front()};
  CHECK_THROWS_AS(writer->create(twice), storage::NameTaken);
  writer->create({both.data(), 1});  // the writer goes on
  CHECK(example.store().reader()->list(10, 0).size() == 2);
}

// --- Damage ---

std::string fault_of(const crdt::Bytes& file) {
  try {
    WholeDocumentBuilder builder("copy", 1);
    for (const PackedStretch& stretch : log_in(file)) builder.add_packed(stretch);
    return "";
  } catch (const DecodeError& error) {
    CHECK(error.offset_bytes() <= file.size());
    return error.what();
  }
}

TEST_CASE("no byte of an export file can be changed unnoticed, and no end cut off", "[export]") {
  WholeDocumentBuilder builder("notes", 1);
  for (storage::Seq seq = 1; seq <= 5; ++seq) {
    const storage::Append append = entry("notes", seq, "abc");
    builder.add({seq, append.at, {}, 1, 1, *append.update});
  }
  const crdt::Bytes file = file_of(std::move(builder).finish("", "").log, R"({"name":"notes"})");
  REQUIRE(fault_of(file).empty());
  for (std::size_t at = 0; at < file.size(); ++at) {
    CAPTURE(at);
    crdt::Bytes damaged = file;
    damaged[at] ^= 0x10;
    CHECK_FALSE(fault_of(damaged).empty());
    CHECK_FALSE(fault_of(crdt::Bytes(file.begin(), file.begin() + static_cast<long>(at))).empty());
  }
  crdt::Bytes longer = file;
  longer.push_back(0);
  CHECK(contains(fault_of(longer), "no document exported"));
}

TEST_CASE("files that follow each other are read as one, document by document", "[export]") {
  crdt::Bytes both = file_of({}, "first");
  const crdt::Bytes second = file_of({}, "second");
  both.insert(both.end(), second.begin(), second.end());
  ExportReader reader(source(both));
  CHECK(reader.head() == "first");
  CHECK_FALSE(reader.next());
  REQUIRE(reader.next_document());
  CHECK(reader.head() == "second");
  CHECK_FALSE(reader.next());
  CHECK_FALSE(reader.next_document());
}

TEST_CASE("pieces of a file that are in another order, or missing, are noticed", "[export]") {
  Example example;
  const std::vector<PackedStretch> log = example.log();
  CHECK(contains(fault_of(file_of({log[1]})), "what comes next is entry 1"));
  CHECK(contains(fault_of(file_of({log[1], log[0]})), "what comes next is entry 1"));
  PackedStretch longer = log[0];
  longer.last += 1;
  CHECK(contains(fault_of(file_of({longer})), "number of entries"));
}

TEST_CASE("a size that is not there takes no memory", "[export]") {
  crdt::Bytes file;
  ExportWriter writer(sink(file));
  file.push_back('H');
  for (const int byte : {0xFF, 0xFF, 0xFF, 0x00, 0, 0, 0, 0})
    file.push_back(static_cast<std::uint8_t>(byte));
  CHECK(contains(fault_of(file), "cut off"));
  file[19] = 0xFF;
  CHECK(contains(fault_of(file), "too large"));
}

TEST_CASE("an update that no document takes is refused with the entry's number", "[export]") {
  WholeDocumentBuilder builder("notes", 1);
  const storage::Append append = entry("notes", 1, "abc");
  builder.add({1, append.at, {}, 1, 1, *append.update});
  const crdt::Bytes garbage{1, 2, 3};
  const auto said = [&](storage::Time at, const crdt::Bytes& update) -> std::string {
    try {
      builder.add({2, at, {}, 1, 1, update});
      return "";
    } catch (const DecodeError& error) {
      return error.what();
    }
  };
  CHECK(contains(said(append.at, garbage), "entry 2"));
  CHECK(contains(said(time(-1), *append.update), "a time that cannot be"));
}

}  // namespace
}  // namespace palimpsest::testing
