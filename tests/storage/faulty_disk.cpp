#include "faulty_disk.hpp"

#include <optional>

#include <sqlite3.h>

namespace palimpsest::testing {
namespace {

using Operations = FaultyDisk::Operations;

struct Plan {
  std::optional<FaultyDisk::Fault> fault;
  bool has_struck = false;

  // The result code of an operation that is to fail, else SQLITE_OK.
  int strike(Operations operations, int io_code) {
    if (!fault || fault->operations != operations) return SQLITE_OK;
    if (fault->operations_until > 0) {
      --fault->operations_until;
      return SQLITE_OK;
    }
    has_struck = true;
    const bool is_full = fault->cause == FaultyDisk::Cause::kFull;
    if (fault->lasting == FaultyDisk::Lasting::kOnce) fault.reset();
    return is_full ? SQLITE_FULL : io_code;
  }
};

// SQLite's file handle; the system's own follows it in the same allocation.
struct File {
  sqlite3_file base;
  Plan* plan;
};

Plan& plan(sqlite3_file* file) { return *reinterpret_cast<File*>(file)->plan; }

sqlite3_file* inner(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
}

// The same method of the system's file.
template <auto Method, typename... Arguments>
auto pass(sqlite3_file* file, Arguments... arguments) {
  return (inner(file)->pMethods->*Method)(inner(file), arguments...);
}

int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (const int code = plan(file).strike(Operations::kWrites, SQLITE_IOERR_WRITE)) {
    pass<&sqlite3_io_methods::xWrite>(file, data, size / 2, offset);
    return code;
  }
  return pass<&sqlite3_io_methods::xWrite>(file, data, size, offset);
}

// Counted only: these tests pull no plug, and a real one would take most of their time.
int sync(sqlite3_file* file, int) {
  return plan(file).strike(Operations::kWrites, SQLITE_IOERR_FSYNC);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = plan(file).strike(Operations::kWrites, SQLITE_IOERR_TRUNCATE)) return code;
  return pass<&sqlite3_io_methods::xTruncate>(file, size);
}

int read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  if (const int code = plan(file).strike(Operations::kReads, SQLITE_IOERR_READ)) return code;
  return pass<&sqlite3_io_methods::xRead>(file, data, size, offset);
}

// What is none of the above, and may fail as well.
template <auto Method, int Code, typename... Arguments>
int pass_or_fail(sqlite3_file* file, Arguments... arguments) {
  if (const int code = plan(file).strike(Operations::kOpens, Code)) return code;
  return pass<Method>(file, arguments...);
}

// Version 2: no memory mapping, which our connections switch off.
constexpr sqlite3_io_methods kMethods{
    2,
    pass<&sqlite3_io_methods::xClose>,
    read,
    write,
    truncate,
    sync,
    pass_or_fail<&sqlite3_io_methods::xFileSize, SQLITE_IOERR_FSTAT>,
    pass_or_fail<&sqlite3_io_methods::xLock, SQLITE_IOERR_LOCK>,
    pass<&sqlite3_io_methods::xUnlock>,
    pass<&sqlite3_io_methods::xCheckReservedLock>,
    pass<&sqlite3_io_methods::xFileControl>,
    pass<&sqlite3_io_methods::xSectorSize>,
    pass<&sqlite3_io_methods::xDeviceCharacteristics>,
    pass_or_fail<&sqlite3_io_methods::xShmMap, SQLITE_IOERR_SHMMAP>,
    pass<&sqlite3_io_methods::xShmLock>,  // asks no disk
    pass<&sqlite3_io_methods::xShmBarrier>,
    pass<&sqlite3_io_methods::xShmUnmap>,
    nullptr,
    nullptr,
};

}  // namespace

struct FaultyDisk::State {
  sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
  sqlite3_vfs vfs = *system;  // what concerns no open file is left to the system's
  Plan plan;

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    auto* self = static_cast<State*>(vfs->pAppData);
    reinterpret_cast<File*>(file)->plan = &self->plan;
    file->pMethods = nullptr;
    if (self->plan.strike(Operations::kOpens, SQLITE_CANTOPEN)) return SQLITE_CANTOPEN;
    const int code = self->system->xOpen(self->system, name, inner(file), flags, out);
    file->pMethods = inner(file)->pMethods ? &kMethods : nullptr;
    return code;
  }

  static int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    auto* self = static_cast<State*>(vfs->pAppData);
    if (const int code = self->plan.strike(Operations::kOpens, SQLITE_IOERR_DELETE)) return code;
    return self->system->xDelete(self->system, name, sync_directory);
  }

  static int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    auto* self = static_cast<State*>(vfs->pAppData);
    if (const int code = self->plan.strike(Operations::kOpens, SQLITE_IOERR_ACCESS)) return code;
    return self->system->xAccess(self->system, name, flags, out);
  }
};

FaultyDisk::FaultyDisk() : state_(std::make_unique<State>()) {
  state_->vfs.zName = "palimpsest-faulty-disk";
  state_->vfs.pAppData = state_.get();
  state_->vfs.szOsFile += static_cast<int>(sizeof(File));
  state_->vfs.xOpen = State::open;
  state_->vfs.xDelete = State::remove;
  state_->vfs.xAccess = State::access;
  sqlite3_vfs_register(&state_->vfs, 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->system, 1);
}

void FaultyDisk::arm(Fault fault) { state_->plan = {fault, false}; }
void FaultyDisk::repair() { state_->plan.fault.reset(); }
bool FaultyDisk::has_struck() const { return state_->plan.has_struck; }

}  // namespace palimpsest::testing
