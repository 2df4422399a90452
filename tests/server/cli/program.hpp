#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <sys/types.h>

namespace palimpsest::testing {

struct ProgramResult {
  int status = -1;  // 128 and the signal, where one ended it
  std::string out;
  std::string error;
};

// A palimpsest of its own process. A variable is "NAME=VALUE". Writing beyond `file_limit_bytes`
// of any file fails, as on a full disk; 0 is no limit.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& variables = {},
                   std::size_t file_limit_bytes = 0);
  // Kills what still runs.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // One line of its standard output, without the line end; "" at its end.
  std::string read_line();
  void signal(int number);
  ProgramResult wait();

 private:
  pid_t process_;
  int out_;
  int error_;
};

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& variables = {});

}  // namespace palimpsest::testing
