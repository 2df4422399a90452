#include "net/uploads.hpp"

#include <array>
#include <filesystem>
#include <memory>
#include <vector>

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using server::TemporaryFile;
using server::net::Uploads;

constexpr std::array<std::uint8_t, 3> kBytes{1, 2, 3};

TEST_CASE("a few uploads are kept at once, and a place is free again when one ends", "[uploads]") {
  const TempDirectory directory;
  Uploads uploads(directory.path());
  std::vector<std::shared_ptr<TemporaryFile>> files;
  for (std::size_t i = 0; i < Uploads::kAtOnce; ++i) {
    files.push_back(uploads.open());
    REQUIRE(files.back());
  }
  CHECK_FALSE(uploads.open());
  CHECK_FALSE(uploads.open());
  files.pop_back();
  CHECK(uploads.open());
  files.clear();
  CHECK(fs::is_empty(directory.path()));
}

TEST_CASE("where a file cannot be made, no place is lost", "[uploads]") {
  const TempDirectory directory;
  const fs::path later = directory.path() / "later";
  Uploads uploads(later);
  for (std::size_t i = 0; i < 2 * Uploads::kAtOnce; ++i) {
    CHECK_THROWS_AS(uploads.open(), fs::filesystem_error);
  }
  fs::create_directory(later);
  CHECK(uploads.open());
}

TEST_CASE("what is written to a temporary file is read again from any place", "[uploads]") {
  const TempDirectory directory;
  TemporaryFile file(directory.path());
  file.write(kBytes);
  file.write(kBytes);
  CHECK(file.size() == 6);
  std::array<std::uint8_t, 4> read{};
  CHECK(file.read(1, read) == 4);
  CHECK(read == std::array<std::uint8_t, 4>{2, 3, 1, 2});
  CHECK(file.read(5, read) == 1);
  CHECK(file.read(6, read) == 0);
}

TEST_CASE("files that a killed server left behind are removed, and no others", "[uploads]") {
  const TempDirectory directory;
  const fs::path left = directory.path() / "upload-abcdef";
  {
    const TemporaryFile file(directory.path());
    fs::copy_file(file.path(), left);
  }
  fs::copy_file(left, directory.path() / "palimpsest.db");
  TemporaryFile::remove_remains(directory.path());
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(directory.path() / "palimpsest.db"));
}

}  // namespace
}  // namespace palimpsest::testing
