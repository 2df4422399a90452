#include "cli/files.hpp"

#include <cerrno>
#include <cstring>
#include <string>

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

void write_in_place(const std::filesystem::path& path, crdt::ByteView bytes) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) fail(path, "written", errno);
  write_all(file.get(), bytes, path);
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

void write_file(const std::filesystem::path& path, crdt::ByteView bytes) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    if (S_ISDIR(status.st_mode)) fail(path, "written", EISDIR);
    return write_in_place(path, bytes);
  }

  std::string temporary = path.string() + ".XXXXXX";
  const FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) fail(path, "written", errno);
  try {
    write_all(file.get(), bytes, path);
    ::fchmod(file.get(), 0644);
    if (::fsync(file.get()) != 0) fail(path, "written", errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "written", errno);
  } catch (const InputError&) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_directory_of(path);
}

}  // namespace palimpsest::server::cli
