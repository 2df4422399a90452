#include "process.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace palimpsest::bench {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be read: the server has ended");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::chrono::nanoseconds processor_time(pid_t process) {
  const std::string line = read_file("/proc/" + std::to_string(process) + "/stat");
  // The name, in brackets, may have spaces; utime and stime are fields 14 and 15 (proc(5)).
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  long long user = 0;
  long long system = 0;
  fields >> user >> system;
  return std::chrono::nanoseconds(1'000'000'000 / sysconf(_SC_CLK_TCK) * (user + system));
}

std::size_t resident_bytes(pid_t process) {
  const std::string status = read_file("/proc/" + std::to_string(process) + "/status");
  const std::size_t line = status.find("VmRSS:");
  if (line == std::string::npos) throw std::runtime_error("the server has ended");
  return std::stoull(status.substr(line + 6)) * 1024;
}

}  // namespace palimpsest::bench
