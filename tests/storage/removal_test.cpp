// A document goes as a whole: what is left of it, and what a failure on the way leaves.

#include "builders.hpp"
#include "faulty_disk.hpp"
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
using storage::Error;
using storage::LostClocks;
using storage::Removed;
using storage::Seq;
using Ranges = std::map<crdt::ClientId, LostClocks::Range>;

constexpr std::size_t kMostBytes = std::size_t{1} << 30;
// Words that stand nowhere but where they are put, each in another place of the store.
const std::vector<std::string> kSecrets = {"SECRETTEXT", "SECRETPAST",    "SECRETTITLE",
                                           "SECRETTAG",  "SECRETVERSION", "SECRETAUTHOR"};
const storage::Purge kNote{
    .at = time(5), .by = "Grace", .reason = "a request", .units = 3, .is_whole = true};

// A store with "secret", of which everything is known that can be, and "other".
class Opened {
 public:
  explicit Opened(const fs::path& data, bool is_new = true) : data_(data) {
    open();
    if (is_new) fill();
  }

  void open() {
    close();
    store_ = open_sqlite_store(data_, Access::kReadWrite);
    writer_ = store_->writer();
    reader_ = store_->reader();
  }
  void close() {
    writer_.reset();
    reader_.reset();
    store_.reset();
  }

  void write(const std::string& name, Seq seq, auto&& change) {
    storage::Append append =
        entry_by({7, name == "secret" ? "SECRETAUTHOR" : "Ada"}, name, seq, "");
    append.update = std::make_shared<const crdt::Bytes>(docs_[name].transact(7, change));
    append_one(*writer_, append);
  }
  void insert(const std::string& name, Seq seq, const std::string& text) {
    write(name, seq, [&](crdt::Transaction& t) { t.text_insert("content", 0, text); });
  }
  void index(const std::string& name) {
    auto prepared = reader_->prepare_index(name, kMostBytes).value();
    writer_->index(prepared.steps);
  }
  void put_into_bin() { writer_->put_into_bin("secret", time(4)); }
  Removed remove() { return writer_->remove(reader_->prepare_removal("secret").value(), kNote); }

  std::vector<std::string> found(const std::string& words) {
    std::vector<std::string> names;
    for (const auto in : {storage::SearchQuery::In::kNow, storage::SearchQuery::In::kPast}) {
      storage::SearchQuery query;
      query.text = words;
      query.in = in;
      for (const auto& hit : reader_->search(query).hits) names.push_back(hit.document.name);
    }
    return names;
  }
  // Those that are in any file of the store, or in `other`.
  std::vector<std::string> secrets(const fs::path& other = {}) const {
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(data_)) files.push_back(file.path());
    if (!other.empty()) files.push_back(other);
    std::vector<std::string> found;
    for (const std::string& secret : kSecrets) {
      const bool is_there = std::ranges::any_of(files, [&](const fs::path& file) {
        const std::vector<char> content = read_file(file);
        return contains({content.data(), content.size()}, secret);
      });
      if (is_there) found.push_back(secret);
    }
    return found;
  }

  storage::Writer& writer() { return *writer_; }
  storage::Reader& reader() { return *reader_; }
  crdt::Doc& doc(const std::string& name) { return docs_[name]; }

 private:
  void fill() {
    insert("other", 1, "other words");
    insert("secret", 1, "SECRETTEXT words. ");
    insert("secret", 2, "SECRETPAST ");
    writer_->write_checkpoint(
        {"secret", 2, docs_["secret"].encode(), "SECRETTEXT", "SECRETTEXT words"});
    write("secret", 3, [](crdt::Transaction& t) { t.text_delete("content", 0, 11); });
    index("secret");
    index("other");
    storage::DocumentEdit edit;
    edit.document = "secret";
    edit.title = "SECRETTITLE";
    edit.tags = {"SECRETTAG"};
    edit.star = {"", true};
    writer_->edit(edit);
    writer_->name_version("secret", {"SECRETVERSION", 2, time(3), "SECRETAUTHOR"});
  }

  const fs::path data_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Writer> writer_;
  std::unique_ptr<storage::Reader> reader_;
  std::map<std::string, crdt::Doc> docs_;
};

TEST_CASE("of a document that is purged as a whole no byte is left, and the others stay",
          "[removal]") {
  const TempDirectory directory;
  Opened opened(directory.path() / "data");
  opened.put_into_bin();
  const std::vector<std::string> all = opened.secrets();
  CHECK(std::ranges::find(all, "SECRETTITLE") != all.end());
  CHECK(opened.remove() == Removed::kDone);
  REQUIRE(opened.writer().scrub());
  storage::Backup(directory.path() / "data").write_to(directory.path() / "copy.db");
  CHECK(opened.secrets(directory.path() / "copy.db").empty());

  CHECK_FALSE(opened.reader().find("secret", ""));
  CHECK(opened.reader().log("secret", 1, 10).empty());
  CHECK(opened.reader().versions("secret").empty());
  CHECK(opened.reader().log_version("secret") == storage::LogVersion{});
  CHECK(opened.reader().purges("secret") == std::vector{kNote});
  CHECK(opened.found("SECRETTEXT").empty());
  CHECK(opened.found("words") == std::vector<std::string>{"other", "other"});
  CHECK(opened.reader().load("other")->last_seq == 1);
  CHECK(opened.reader().verify().empty());
  CHECK_FALSE(opened.reader().prepare_removal("secret"));
}

TEST_CASE("only what is in the bin goes, and only as it was when that was prepared", "[removal]") {
  const TempDirectory directory;
  Opened opened(directory.path());
  CHECK(opened.remove() == Removed::kNotInBin);
  opened.put_into_bin();
  const storage::Removal removal = opened.reader().prepare_removal("secret").value();
  opened.insert("secret", 4, "late ");
  CHECK(opened.writer().remove(removal, kNote) == Removed::kChanged);
  CHECK(opened.reader().purges("secret").empty());
  CHECK(opened.reader().load("secret")->last_seq == 4);
  CHECK(opened.remove() == Removed::kDone);
  CHECK(opened.writer().remove(removal, kNote) == Removed::kNoSuchDocument);
  CHECK(opened.reader().purges("secret").size() == 1);
}

TEST_CASE("I8: the next document of a purged name is of the next generation and inherits nothing",
          "[removal]") {
  const TempDirectory directory;
  Opened opened(directory.path());
  storage::History history("secret");
  REQUIRE(history.catch_up(opened.reader()));
  opened.put_into_bin();
  opened.insert("secret", 4, "late ");
  const auto prepared = opened.reader().prepare_index("secret", kMostBytes);
  REQUIRE(prepared);
  REQUIRE(opened.remove() == Removed::kDone);
  const auto gone = opened.reader().load("secret");
  REQUIRE(gone);
  CHECK(gone->generation == 2);
  CHECK(gone->last_seq == 0);
  CHECK_FALSE(gone->is_in_bin);
  CHECK(gone->lost.ranges() == Ranges{{7, {0, 34}}});
  CHECK_FALSE(history.catch_up(opened.reader()));

  append_one(opened.writer(), entry_by({2, "Bob"}, "secret", 1, "new"));
  const auto next = opened.reader().load("secret");
  REQUIRE(next);
  CHECK(next->generation == 2);
  CHECK(next->lost == gone->lost);
  const auto summary = opened.reader().find("secret", "").value();
  CHECK(summary.title.empty());
  CHECK(summary.tags.empty());
  CHECK_FALSE(summary.is_starred);
  CHECK_FALSE(summary.deleted_at);
  REQUIRE(summary.authors.size() == 1);
  CHECK(summary.authors.front().name == "Bob");
  CHECK(opened.reader().versions("secret").empty());
  // What was read of the one before does not get in.
  CHECK(opened.writer().index(prepared->steps) == 0);
  CHECK(opened.found("late").empty());
  REQUIRE(history.catch_up(opened.reader()));
  CHECK(history.last_seq() == 1);
  CHECK(history.name_of(7).empty());
  CHECK(opened.reader().verify().empty());

  SECTION("and when that goes too, both count") {
    opened.put_into_bin();
    REQUIRE(opened.remove() == Removed::kDone);
    const auto third = opened.reader().load("secret");
    CHECK(third->generation == 3);
    CHECK(third->lost.ranges() == Ranges{{1, {0, 3}}, {7, {0, 34}}});
    CHECK(opened.reader().purges("secret").size() == 2);
  }
}

TEST_CASE("what waits for something missing was given out too", "[removal]") {
  const TempDirectory directory;
  Opened opened(directory.path());
  crdt::Doc away;
  away.transact(9, [](crdt::Transaction& t) { t.text_insert("content", 0, "never sent"); });
  storage::Append append = entry("secret", 4, "");
  append.update = std::make_shared<const crdt::Bytes>(
      away.transact(9, [](crdt::Transaction& t) { t.text_insert("content", 10, " sent"); }));
  append_one(opened.writer(), append);
  opened.put_into_bin();
  REQUIRE(opened.remove() == Removed::kDone);
  CHECK(opened.reader().load("secret")->lost.reached_by(crdt::StateVector({{9, 11}})));
}

TEST_CASE("a damaged document can be purged, and then whoever wrote in it has an old copy",
          "[removal]") {
  const TempDirectory directory;
  Opened opened(directory.path());
  opened.put_into_bin();
  const std::string table = GENERATE("log SET entries", "checkpoints SET state");
  opened.close();
  run_sql(directory.path() / "palimpsest.db", "UPDATE " + table + " = x'00'");
  opened.open();
  CHECK_THROWS_AS(opened.reader().load("secret"), Error);
  CHECK(opened.remove() == Removed::kDone);
  const LostClocks lost = opened.reader().load("secret")->lost;
  CHECK(lost.reached_by(crdt::StateVector({{7, 1'000'000}})));
  CHECK_FALSE(lost.reached_by(crdt::StateVector({{8, 1}})));
}

TEST_CASE("bytes that nobody came to write over are gone when the store is next opened",
          "[removal]") {
  const TempDirectory directory;
  Opened opened(directory.path());
  opened.put_into_bin();
  REQUIRE(opened.remove() == Removed::kDone);
  CHECK_FALSE(opened.secrets().empty());
  opened.open();
  CHECK(opened.secrets().empty());
  CHECK(opened.reader().verify().empty());
}

TEST_CASE("F4 F5 I11: whatever operation of the disk fails, a purged document is there or gone",
          "[removal][fault]") {
  const auto cause = GENERATE(FaultyDisk::Cause::kIo, FaultyDisk::Cause::kFull);
  const TempDirectory prepared;
  {
    Opened opened(prepared.path());
    opened.put_into_bin();
  }
  FaultyDisk disk;
  std::size_t n = 0;
  std::size_t times_gone = 0;
  for (bool has_struck = true; has_struck; ++n) {
    CAPTURE(n, static_cast<int>(cause));
    const TempDirectory directory;
    fs::copy_file(prepared.path() / "palimpsest.db", directory.path() / "palimpsest.db");
    Opened opened(directory.path(), false);
    disk.arm({n, FaultyDisk::Operations::kWrites, cause, FaultyDisk::Lasting::kOnce});
    try {
      opened.remove();
      opened.writer().scrub();
    } catch (const Error&) {
    }
    has_struck = disk.has_struck();
    disk.repair();
    opened.open();
    CHECK(opened.reader().verify().empty());
    const bool is_there = opened.reader().find("secret", "").has_value();
    CHECK(opened.reader().log("secret", 1, 10).size() == (is_there ? 3 : 0));
    CHECK(opened.reader().purges("secret").size() == (is_there ? 0 : 1));
    if (is_there) continue;
    ++times_gone;
    CHECK(opened.secrets().empty());
  }
  CHECK(times_gone > 1);
  CHECK(n > times_gone);
}

}  // namespace
}  // namespace palimpsest::testing
