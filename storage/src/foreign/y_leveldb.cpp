#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <leveldb/db.h>
#include <unistd.h>

#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "storage/foreign_stores.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kString = 0;
constexpr std::uint8_t kNumber = 1;
constexpr std::size_t kNumberBytes = 4;

[[noreturn]] void fail(const fs::path& directory, Error::Kind kind, const std::string& cause) {
  throw Error(kind, directory.string() + ": import: " + cause);
}

// LevelDB holds a lock of fcntl(2) on this file.
void refuse_when_in_use(const fs::path& directory) {
  const int lock = ::open((directory / "LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (lock < 0) return;
  struct flock query {};
  query.l_type = F_WRLCK;
  query.l_whence = SEEK_SET;
  const bool is_held = ::fcntl(lock, F_GETLK, &query) == 0 && query.l_type != F_UNLCK;
  ::close(lock);
  if (is_held)
    fail(directory, Error::Kind::kUnavailable, "a server is running on it; stop it first");
}

// A copy that goes with this.
class Copy {
 public:
  explicit Copy(const fs::path& directory) {
    std::string name = (fs::temp_directory_path() / "palimpsest-import-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      fail(directory, Error::Kind::kIo, name + ": " + std::generic_category().message(errno));
    }
    path_ = name;
    try {
      for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        fs::copy_file(entry.path(), path_ / entry.path().filename());
      }
    } catch (const fs::filesystem_error& error) {
      remove();
      fail(directory, Error::Kind::kIo, error.what());
    }
  }
  ~Copy() { remove(); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  const fs::path& path() const { return path_; }

 private:
  void remove() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path path_;
};

void check(const fs::path& directory, const leveldb::Status& status) {
  if (status.ok()) return;
  fail(directory, status.IsCorruption() ? Error::Kind::kCorrupt : Error::Kind::kUnavailable,
       status.ToString());
}

std::unique_ptr<leveldb::DB> open(const fs::path& directory, const fs::path& copy) {
  leveldb::Options options;
  options.create_if_missing = false;
  options.paranoid_checks = true;
  leveldb::DB* database = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, copy.string(), &database);
  std::unique_ptr<leveldb::DB> owned(database);
  check(directory, status);
  return owned;
}

// The document of whose log the key is an entry; nullopt: of something else that y-leveldb keeps.
std::optional<std::string> document_of(const leveldb::Slice& key) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(key.data());
  crdt::Reader reader(crdt::ByteView(bytes, key.size()));
  try {
    if (reader.read_byte() != kString || reader.read_var_string() != "v1") return std::nullopt;
    if (reader.read_byte() != kString) return std::nullopt;
    std::string document(reader.read_var_string());
    if (reader.read_byte() != kString || reader.read_var_string() != "update") return std::nullopt;
    if (reader.read_byte() != kNumber || reader.remaining() != kNumberBytes) return std::nullopt;
    return document;
  } catch (const crdt::DecodeError&) {
    return std::nullopt;
  }
}

// What the keys of one document's updates begin with, or those of all.
std::string prefix_of(const std::optional<std::string>& document) {
  crdt::Writer writer;
  writer.write_byte(kString);
  writer.write_var_string("v1");
  writer.write_byte(kString);
  if (document) {
    writer.write_var_string(*document);
    writer.write_byte(kString);
    writer.write_var_string("update");
  }
  const crdt::Bytes bytes = std::move(writer).take();
  return {bytes.begin(), bytes.end()};
}

}  // namespace

// Keys are ordered by their bytes, and so the updates of a document by their numbers.
void read_y_leveldb(const fs::path& directory, const std::optional<std::string>& document,
                    const ForeignVisitor& visit) {
  if (!fs::exists(directory / "CURRENT")) {
    fail(directory, Error::Kind::kUnavailable, "is no LevelDB: a file CURRENT is missing");
  }
  refuse_when_in_use(directory);
  const Copy copy(directory);
  const std::unique_ptr<leveldb::DB> database = open(directory, copy.path());
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  const std::unique_ptr<leveldb::Iterator> entry(database->NewIterator(options));
  const std::string prefix = prefix_of(document);
  for (entry->Seek(prefix); entry->Valid() && entry->key().starts_with(prefix); entry->Next()) {
    const std::optional<std::string> name = document_of(entry->key());
    if (!name) continue;
    const leveldb::Slice value = entry->value();
    visit(*name, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
  }
  check(directory, entry->status());
}

}  // namespace palimpsest::storage
