// A process that is killed at any moment loses nothing that it has acknowledged.

#include <array>
#include <random>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builders.hpp"
#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using storage::Access;
using storage::Seq;

// Appends to "notes" from `first` on until somebody ends the process, and writes every seq that is
// on disk into `acknowledgements`. Checkpoints of both kinds come in between.
[[noreturn]] void write_for_ever(const std::filesystem::path& directory, Seq first,
                                 int acknowledgements) {
  const auto store = open_sqlite_store(directory, Access::kReadWrite);
  const auto writer = store->writer();
  Merged merged;
  for (Seq seq = 1; seq < first; ++seq) merged.add(seq, std::to_string(seq));
  for (Seq seq = first;; seq += 2) {
    const std::vector<storage::Append> batch{entry("notes", seq, std::to_string(seq)),
                                             entry("notes", seq + 1, std::to_string(seq + 1))};
    writer->append(batch);
    const Seq last = seq + 1;
    merged.add(seq, std::to_string(seq)).add(last, std::to_string(last));
    if (::write(acknowledgements, &last, sizeof last) != sizeof last) ::_exit(1);
    if (last % 16 == 0) writer->write_checkpoint({"notes", last, merged.state(), "", ""});
    if (last % 64 == 0) writer->settle();
    writer->maintain();
  }
}

// Lets a child write until it has acknowledged some appends, and for so long more, and kills it.
// Answers the last that it acknowledged.
Seq write_and_kill(const std::filesystem::path& directory, Seq first, std::size_t appends,
                   std::chrono::microseconds more) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(pipe[0]);
    try {
      write_for_ever(directory, first, pipe[1]);
    } catch (...) {
      ::_exit(2);
    }
  }
  ::close(pipe[1]);
  Seq last = first - 1;
  for (std::size_t i = 0; i < appends; ++i) {
    REQUIRE(::read(pipe[0], &last, sizeof last) == sizeof last);
  }
  ::usleep(static_cast<useconds_t>(more.count()));  // how long is what the test is about
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  Seq read = 0;
  while (::read(pipe[0], &read, sizeof read) == sizeof read) last = read;
  ::close(pipe[0]);
  return last;
}

TEST_CASE("F1: nothing that was acknowledged is lost when the process is killed", "[crash]") {
  const TempDirectory directory;
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  Seq stored = 0;
  for (int round = 0; round < 25; ++round) {
    CAPTURE(round);
    const std::chrono::microseconds more(random() % 20000);
    const Seq acknowledged = write_and_kill(directory.path(), stored + 1, random() % 40, more);

    const auto store = open_sqlite_store(directory.path(), Access::kReadWrite);
    const auto reader = store->reader();
    CHECK(reader->verify().empty());
    const auto log = reader->log("notes", 1, ~std::size_t{0});
    REQUIRE(log.size() >= acknowledged);
    CHECK(log.size() % 2 == 0);  // a batch is there as a whole or not at all
    for (std::size_t i = stored; i < log.size(); ++i) {
      REQUIRE(texts({log[i]}).front() == std::to_string(i + 1));
    }
    stored = log.size();
  }
  CHECK(stored > 0);
}

TEST_CASE("a store whose creation was interrupted is created again", "[crash]") {
  const TempDirectory directory;
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 25; ++round) {
    const auto home = directory.path() / std::to_string(round);
    write_and_kill(home, 1, 0, std::chrono::microseconds(random() % 8000));
    CHECK(open_sqlite_store(home, Access::kReadWrite)->reader()->verify().empty());
  }
}

}  // namespace
}  // namespace palimpsest::testing
