#pragma once

#include <cstddef>
#include <memory>

namespace palimpsest::testing {

// While it lives, all files that SQLite opens go through it, and it can make their n-th operation
// fail: a layer over the system's VFS (sqlite.org/vfs.html). A write that fails has written the
// first half of its bytes. Nothing is really synced.
//
// Home: one at a time, on the thread of the test.
class FaultyDisk {
 public:
  enum class Operations {
    kWrites,  // write, sync and truncate
    kReads,   // read
    kOpens,   // open, delete, look for a file, measure it, lock it, map memory
  };
  enum class Cause { kIo, kFull };
  enum class Lasting { kOnce, kForEver };

  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  struct Fault {
    std::size_t operations_until = 0;  // 0: the next one fails
    Operations operations = Operations::kWrites;
    Cause cause = Cause::kIo;
    Lasting lasting = Lasting::kOnce;
  };
  void arm(Fault fault);
  // From here on all works again.
  void repair();
  // Whether the fault came, since arm().
  bool has_struck() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palimpsest::testing
