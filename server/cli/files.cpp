#include "cli/files.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace palimpsest::server::cli {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* action, int error) {
  throw InputError(path.string() + ": cannot be " + action + ": " + std::strerror(error));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~FileDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

void write_all(int descriptor, crdt::ByteView bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path, "written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

// A rename is on disk when its directory is.
void sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  const FileDescriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
}

}  // namespace

crdt::Bytes read_file(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail(path, "read", errno);
  crdt::Bytes bytes;
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  for (;;) {
    const std::size_t size = bytes.size();
    bytes.resize(size + kBlock);
    const ssize_t count = ::read(file.get(), bytes.data() + size, kBlock);
    bytes.resize(size + static_cast<std::size_t>(count > 0 ? count : 0));
    if (count == 0) return bytes;
    if (count < 0 && errno != EINTR) fail(path, "read", errno);
  }
}

NewFile::NewFile(std::filesystem::path path) : path_(std::move(path)) {
  struct stat status {};
  const bool is_special = ::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  if (is_special && S_ISDIR(status.st_mode)) fail(path_, "written", EISDIR);
  if (is_special) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    temporary_ = path_.string() + ".XXXXXX";
    descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  }
  if (descriptor_ < 0) fail(path_, "written", errno);
}

NewFile::~NewFile() {
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void NewFile::write(crdt::ByteView bytes) { write_all(descriptor_, bytes, path_); }

void NewFile::finish() {
  if (temporary_.empty()) return;
  ::fchmod(descriptor_, 0644);
  if (::fsync(descriptor_) != 0) fail(path_, "written", errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "written", errno);
  temporary_.clear();
  sync_directory_of(path_);
}

void write_file(const std::filesystem::path& path, crdt::ByteView bytes) {
  NewFile file(path);
  file.write(bytes);
  file.finish();
}

}  // namespace palimpsest::server::cli
