#include "cli/backup.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.hpp"
#include "storage/builders.hpp"
#include "storage/raw_database.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using storage::Access;
using storage::Seq;

std::size_t files_in(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

// Another process, which appends to "notes" until it is ended.
class Appending {
 public:
  explicit Appending(const fs::path& data) {
    REQUIRE(::pipe(pipe_.data()) == 0);
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
      try {
        append_for_ever(data);
      } catch (...) {
        ::_exit(2);
      }
    }
    ::close(pipe_[1]);
  }
  ~Appending() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    ::close(pipe_[0]);
  }
  Appending(const Appending&) = delete;
  Appending& operator=(const Appending&) = delete;

  // Waits for so many more and answers the last one that is known to be on disk now.
  Seq acknowledged(std::size_t more) {
    Seq last = 0;
    for (std::size_t i = 0; i < more; ++i) {
      REQUIRE(::read(pipe_[0], &last, sizeof last) == sizeof last);
    }
    for (pollfd poll{pipe_[0], POLLIN, 0}; ::poll(&poll, 1, 0) == 1;) {
      REQUIRE(::read(pipe_[0], &last, sizeof last) == sizeof last);
    }
    return last;
  }

 private:
  [[noreturn]] void append_for_ever(const fs::path& data) {
    const auto store = open_sqlite_store(data, Access::kReadWrite);
    const auto writer = store->writer();
    Merged merged;
    for (Seq seq = 1;; ++seq) {
      append_one(*writer, entry("notes", seq, std::to_string(seq)));
      if (::write(pipe_[1], &seq, sizeof seq) != sizeof seq) ::_exit(1);
      merged.add(seq, std::to_string(seq));
      if (seq % 64 == 0) writer->write_checkpoint({"notes", seq, merged.state(), "", ""});
      if (seq % 512 == 0) writer->settle();
      writer->maintain();
    }
  }

  std::array<int, 2> pipe_{};
  pid_t process_ = -1;
};

// A store in which "notes" has some entries of which the last is long.
class Stored {
 public:
  Stored() {
    const auto store = open_sqlite_store(data(), Access::kReadWrite);
    const auto writer = store->writer();
    append_one(*writer, entry("notes", 1, "a"));
    append_one(*writer, entry("notes", 2, "b"));
    writer->write_checkpoint({"notes", 2, Merged().add(1, "a").add(2, "b").state(), "", ""});
    append_one(*writer, entry("notes", 3, std::string(300'000, 'x')));
  }
  fs::path data() const { return directory_.path() / "data"; }
  // Where backups go: an empty directory.
  fs::path target() const {
    fs::create_directory(directory_.path() / "target");
    return directory_.path() / "target";
  }
  std::vector<std::string> arguments(const fs::path& file) const {
    return {"backup", file, "--data", data()};
  }

 private:
  TempDirectory directory_;
};

// The backup put into a data directory of its own.
class Restored {
 public:
  explicit Restored(const fs::path& file) {
    fs::copy_file(file, directory_.path() / "palimpsest.db");
  }
  ProgramResult check() const { return run_program({"check", "--data", directory_.path()}); }
  Seq last(const std::string& document) const {
    const auto store = open_sqlite_store(directory_.path(), Access::kReadOnly);
    const auto stored = store->reader()->load(document);
    return stored ? stored->last_seq : 0;
  }
  void go_on() const {
    const auto store = open_sqlite_store(directory_.path(), Access::kReadWrite);
    append_one(*store->writer(), entry("notes", last("notes") + 1, "next"));
  }

 private:
  TempDirectory directory_;
};

TEST_CASE("a backup is one file that can take the place of the store", "[backup]") {
  const Stored stored;
  const fs::path file = stored.target() / "copy.db";
  const ProgramResult result = run_program(stored.arguments(file));
  CHECK(result.status == 0);
  CHECK(result.out.empty());
  CHECK(result.error.empty());
  CHECK(files_in(stored.target()) == 1);
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));

  const Restored restored(file);
  CHECK(restored.check().out == "1 document, 3 updates: all well\n");
  CHECK(restored.last("notes") == 3);
  restored.go_on();
  CHECK(restored.check().out == "1 document, 4 updates: all well\n");
}

TEST_CASE("F24: what was acknowledged before a backup began is in it, while others append",
          "[backup]") {
  const TempDirectory directory;
  const fs::path data = directory.path() / "data";
  Appending appending(data);
  for (int round = 0; round < 8; ++round) {
    CAPTURE(round);
    const Seq acknowledged = appending.acknowledged(150);
    const fs::path file = directory.path() / std::to_string(round);
    const ProgramResult result = run_program({"backup", file, "--data", data});
    CAPTURE(result.error);
    REQUIRE(result.status == 0);
    const Restored restored(file);
    CHECK(restored.last("notes") >= acknowledged);
    const ProgramResult check = restored.check();
    CAPTURE(check.out);
    CHECK(check.status == 0);
  }
  CHECK(run_program({"check", "--data", data}).status == 0);  // the store itself, meanwhile
  CHECK(appending.acknowledged(10) > 0);                      // who writes has not noticed
}

TEST_CASE("F24: a backup that is killed is whole or has no name", "[backup]") {
  const Stored stored;
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    const fs::path file = stored.target() / std::to_string(round);
    {
      Program backup(stored.arguments(file));
      ::usleep(static_cast<useconds_t>(random() % 40'000));  // how long is what the test is about
      backup.signal(SIGKILL);
      backup.wait();
    }
    if (fs::exists(file)) CHECK(Restored(file).check().status == 0);
  }
  CHECK(run_program({"check", "--data", stored.data()}).status == 0);
}

TEST_CASE("a backup goes nowhere where a file is", "[backup]") {
  const Stored stored;
  const fs::path file = stored.target() / "copy.db";
  const std::string name = GENERATE(std::string("copy.db"), std::string("copy.db-wal"));
  write_file(stored.target() / name, {'x'});
  const ProgramResult result = run_program(stored.arguments(file));
  CHECK(result.status == 1);
  CHECK(contains(result.error, (stored.target() / name).string() + ": backup: is there"));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  CHECK(read_file(stored.target() / name) == std::vector<char>{'x'});
  CHECK(files_in(stored.target()) == 1);
}

TEST_CASE("a backup that cannot be written says so and leaves nothing", "[backup]") {
  const Stored stored;
  const auto [name, limit, cause] = GENERATE(table<std::string, std::size_t, std::string>({
      {"no/copy.db", 0, "No such file or directory"},
      {"../data/palimpsest.lock/copy.db", 0, "Not a directory"},
      {"copy.db", 100'000, "File too large"},  // as a full disk would
      {std::string(300, 'x'), 0, "File name too long"},
  }));
  const fs::path file = stored.target() / name;
  CAPTURE(cause);
  const ProgramResult result = Program(stored.arguments(file), {}, limit).wait();
  CHECK(result.status == 1);
  CAPTURE(result.error);
  CHECK(contains(result.error, file.string()));
  CHECK(contains(result.error, cause));
  CHECK(std::count(result.error.begin(), result.error.end(), '\n') == 1);
  CHECK(files_in(stored.target()) == 0);
}

TEST_CASE("of a store that cannot be used there is no backup", "[backup]") {
  const TempDirectory directory;
  const fs::path file = directory.path() / "copy.db";
  std::size_t files = 0;
  SECTION("there is none") {}
  SECTION("of another program") {
    run_sql(directory.path() / "palimpsest.db", "CREATE TABLE theirs (x)");
    files = 1;
  }
  const ProgramResult result = run_program({"backup", file, "--data", directory.path()});
  CHECK(result.status == 78);
  CHECK(contains(result.error, (directory.path() / "palimpsest.db").string()));
  CHECK(files_in(directory.path()) == files);
}

TEST_CASE("a backup asks for the name of a file", "[backup]") {
  CHECK(run_program({"backup"}).status == 2);
}

}  // namespace
}  // namespace palimpsest::testing
