// Content is taken out of a log that keeps everything, and of the file that it lies in.

#include "builders.hpp"
#include "crdt/purge.hpp"
#include "raw_database.hpp"
#include "storage/backup.hpp"
#include "storage/history.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using storage::Access;
using storage::Append;
using storage::LogEntry;
using storage::Seq;

constexpr Seq kEntries = 200;
constexpr Seq kSecretSeq = 70;

std::string words_of(Seq seq) {
  return seq == kSecretSeq ? "SECRET PASSAGE" : "words " + std::to_string(seq) + ". ";
}

// A document of which the secret was deleted again, half of it packed.
class Opened {
 public:
  Opened()
      : store_(open_sqlite_store(data(), Access::kReadWrite)),
        writer_(store_->writer()),
        reader_(store_->reader()) {
    for (Seq seq = 1; seq <= kEntries; ++seq) {
      const crdt::Bytes update = doc_.transact(
          1, [&](crdt::Transaction& t) { t.text_insert("content", 0, words_of(seq)); });
      append(seq, update);
      if (seq == kEntries / 2) checkpoint(seq);
    }
    const std::size_t at = doc_.text("content").find("SECRET");
    append(kEntries + 1, doc_.transact(1, [&](crdt::Transaction& t) {
      t.text_delete("content", at, words_of(kSecretSeq).size());
    }));
  }

  fs::path data() const { return directory_.path() / "data"; }
  fs::path outside(const char* name) const { return directory_.path() / name; }
  storage::Writer& writer() { return *writer_; }
  storage::Reader& reader() { return *reader_; }
  bool pack() {
    const auto packed = reader_->prepare_compaction("notes", storage::Occasion::kUnloading);
    return packed && writer_->compact(*packed);
  }
  void append(Seq seq, const crdt::Bytes& update) {
    Append append;
    append.document = "notes";
    append.seq = seq;
    append.at = storage::Time(std::chrono::milliseconds(1'000 * seq));
    append.author = {1, "Ada"};
    append.connection = 3;
    append.update = std::make_shared<const crdt::Bytes>(update);
    writer_->append(std::vector{append});
  }
  void checkpoint(Seq seq) {
    writer_->write_checkpoint({"notes", seq, doc_.encode(), "SECRET PASSAGE", "SECRET PASSAGE"});
  }
  // Whether the bytes are in any file of the store.
  bool has(const std::string& bytes) const {
    for (const auto& file : fs::directory_iterator(data())) {
      const std::vector<char> content = read_file(file.path());
      if (contains({content.data(), content.size()}, bytes)) return true;
    }
    return false;
  }
  std::optional<storage::LogRewrite> prepare(const crdt::DeleteSet& gone) {
    const auto change = [gone](crdt::ByteView update) -> std::optional<crdt::Bytes> {
      crdt::Bytes other = crdt::without_content(update, gone);
      return std::ranges::equal(other, update) ? std::nullopt : std::optional(std::move(other));
    };
    return reader_->prepare_rewrite(
        "notes", {.entry = [change](const auto& entry) -> std::optional<storage::ChangedEntry> {
                    auto other = change(entry.update);
                    if (!other) return std::nullopt;
                    return storage::ChangedEntry{entry.at, entry.made_at, std::move(*other)};
                  },
                  .checkpoint = change});
  }
  crdt::DeleteSet secret() {
    crdt::DeleteSet found;
    reader_->visit("notes", 1, kEntries, [&](const storage::EntryView& entry) {
      const crdt::DeleteSet here = crdt::units_containing(entry.update, words_of(kSecretSeq));
      for (const auto& [client, ranges] : here.clients())
        for (const auto& range : ranges) found.append(client, range.clock, range.length);
    });
    return found;
  }

 private:
  TempDirectory directory_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Writer> writer_;
  std::unique_ptr<storage::Reader> reader_;
  crdt::Doc doc_;
};

const storage::Purge kNote{.at = storage::Time(std::chrono::milliseconds(5)),
                           .by = "Grace",
                           .reason = "a name",
                           .units = 14};

TEST_CASE("what is taken out of a log is in no byte of the store, and the rest is as it was",
          "[rewrite]") {
  Opened opened;
  const bool is_packed = GENERATE(false, true);
  CAPTURE(is_packed);
  const auto before = opened.reader().log("notes", 1, 1000);
  if (is_packed) REQUIRE(opened.pack());
  REQUIRE(opened.has("SECRET PASSAGE"));  // in the checkpoint, the title and, unpacked, in the log

  const auto rewrite = opened.prepare(opened.secret());
  REQUIRE(rewrite);
  CHECK(rewrite->entries_changed == 1);
  CHECK(rewrite->pieces.size() == 1);
  CHECK(rewrite->pieces.front().is_segment == is_packed);
  REQUIRE(opened.writer().rewrite(*rewrite, kNote));
  REQUIRE(opened.writer().scrub());
  CHECK_FALSE(opened.has("SECRET"));
  storage::Backup(opened.data()).write_to(opened.outside("copy.db"));
  const std::vector<char> copy = read_file(opened.outside("copy.db"));
  CHECK_FALSE(contains({copy.data(), copy.size()}, "SECRET"));

  CHECK(opened.reader().verify().empty());
  const auto behind = opened.reader().log("notes", 1, 1000);
  REQUIRE(behind.size() == before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK((behind[i].update == before[i].update) == (i + 1 != kSecretSeq));
    CHECK(behind[i].at == before[i].at);
    CHECK(behind[i].author.client == before[i].author.client);
    CHECK(behind[i].connection == before[i].connection);
  }
  const auto purges = opened.reader().purges("notes");
  REQUIRE(purges.size() == 1);
  CHECK(purges.front().by == "Grace");
  CHECK(purges.front().units == 14);
  CHECK(opened.reader().list(1, 0).front().title.empty());
}

TEST_CASE("a history that was open does not remember what was taken out", "[rewrite]") {
  Opened opened;
  storage::History history("notes");
  REQUIRE(history.catch_up(opened.reader()));
  REQUIRE(history.text(history.main_text()).search("SECRET").occurrences.size() == 1);
  REQUIRE(opened.writer().rewrite(*opened.prepare(opened.secret()), kNote));
  REQUIRE(history.catch_up(opened.reader()));
  CHECK(history.last_seq() == kEntries + 1);
  CHECK(history.text(history.main_text()).search("SECRET").occurrences.empty());
  CHECK(history.text(history.main_text()).search("words 71").occurrences.size() == 1);
}

TEST_CASE("a rewrite of a log that is not as it was any more does nothing", "[rewrite]") {
  Opened opened;
  const auto rewrite = opened.prepare(opened.secret());
  const auto packed = opened.reader().prepare_compaction("notes", storage::Occasion::kUnloading);
  REQUIRE(packed);
  SECTION("packed") { REQUIRE(opened.writer().compact(*packed)); }
  SECTION("checkpointed") { opened.checkpoint(kEntries + 1); }
  SECTION("rewritten") { REQUIRE(opened.writer().rewrite(*rewrite, kNote)); }
  const std::size_t notes = opened.reader().purges("notes").size();
  CHECK_FALSE(opened.writer().rewrite(*rewrite, kNote));
  CHECK(opened.reader().purges("notes").size() == notes);
  CHECK(opened.reader().verify().empty());
}

TEST_CASE("a log that was packed before it was rewritten does not come back", "[rewrite]") {
  Opened opened;
  const auto packed = opened.reader().prepare_compaction("notes", storage::Occasion::kUnloading);
  REQUIRE(packed);
  REQUIRE(opened.writer().rewrite(*opened.prepare(opened.secret()), kNote));
  CHECK_FALSE(opened.writer().compact(*packed));
  CHECK(opened.pack());
  CHECK(opened.reader().verify().empty());
  CHECK(opened.secret().empty());
}

}  // namespace
}  // namespace palimpsest::testing
