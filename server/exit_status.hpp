#pragma once

namespace palimpsest::server {

// What the program's exit status says (BSD sysexits.h for the large ones).
enum ExitStatus : int {
  kExitDone = 0,
  kExitBadInput = 1,  // check: there are findings
  kExitUsage = 2,
  kExitStorageFailed = 74,  // the disk failed while serving; nothing more can be saved
  kExitUnusable = 78,       // the configuration or the store cannot be used
};

}  // namespace palimpsest::server
