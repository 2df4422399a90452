#include "storage/reserve.hpp"

#include <fstream>
#include <limits>

#include "storage/sqlite_store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using storage::Reserve;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST_CASE("F6: room is set aside once, given back by one call, and then set aside anew") {
  const TempDirectory directory;
  CHECK(storage::reserve_bytes(directory.path()) == 0);
  const Reserve made = storage::keep_reserve(directory.path(), kMiB);
  if (made == Reserve::kNotPossible) {
    WARN("this file system sets no room aside");
    return;
  }
  CHECK(made == Reserve::kThere);
  CHECK(storage::reserve_bytes(directory.path()) == kMiB);
  CHECK(storage::keep_reserve(directory.path(), kMiB) == Reserve::kThere);
  CHECK(storage::keep_reserve(directory.path(), 2 * kMiB) == Reserve::kThere);
  CHECK(storage::reserve_bytes(directory.path()) == 2 * kMiB);
  CHECK(storage::release_reserve(directory.path()) == 2 * kMiB);
  CHECK(fs::is_empty(directory.path()));
  CHECK(storage::release_reserve(directory.path()) == 0);
  CHECK(storage::keep_reserve(directory.path(), kMiB) == Reserve::kThere);
  CHECK(storage::keep_reserve(directory.path(), 0) == Reserve::kThere);
  CHECK(fs::is_empty(directory.path()));
}

TEST_CASE("F6: a reserve that the disk has no room for leaves nothing behind") {
  const TempDirectory directory;
  CHECK(storage::keep_reserve(directory.path(), std::numeric_limits<std::int64_t>::max()) ==
        Reserve::kNoRoom);
  CHECK(fs::is_empty(directory.path()));
  CHECK_THROWS_AS(storage::keep_reserve(directory.path() / "missing", kMiB), storage::Error);
}

TEST_CASE("F6: a file without room of its own counts for no reserve") {
  const TempDirectory directory;
  const fs::path file = directory.path() / "palimpsest.reserve";
  { const std::ofstream empty(file); }
  fs::resize_file(file, kMiB);
  CHECK(storage::reserve_bytes(directory.path()) == 0);
  const Reserve made = storage::keep_reserve(directory.path(), kMiB);
  CHECK(storage::reserve_bytes(directory.path()) == (made == Reserve::kThere ? kMiB : 0));
}

TEST_CASE("F6: a store is opened beside a reserve, and begins in a directory that has one") {
  const TempDirectory directory;
  storage::keep_reserve(directory.path(), kMiB);
  for (int i = 0; i < 2; ++i) {
    CHECK_NOTHROW(storage::open_sqlite_store(directory.path(), storage::Access::kReadWrite));
  }
}

}  // namespace
}  // namespace palimpsest::testing
