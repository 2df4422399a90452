#include "program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace palimpsest::testing {
namespace {

std::string read_all(int file) {
  std::string text;
  char bytes[4096];
  for (ssize_t count; (count = ::read(file, bytes, sizeof bytes)) > 0;)
    text.append(bytes, static_cast<std::size_t>(count));
  return text;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

void limit_files(std::size_t bytes) {
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::signal(SIGXFSZ, SIG_IGN);  // the call fails instead
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments,
                 const std::vector<std::string>& variables, std::size_t file_limit_bytes) {
  std::array<int, 2> out{}, error{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(error.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  std::vector<std::string> words = {PALIMPSEST_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = variables;
  const std::vector<char*> argv = pointers(words), envp = pointers(environment);

  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(error[1], STDERR_FILENO);
    if (file_limit_bytes > 0) limit_files(file_limit_bytes);
    ::execve(PALIMPSEST_BINARY, argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(error[1]);
  out_ = out[0];
  error_ = error[0];
}

Program::~Program() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  ::close(out_);
  ::close(error_);
}

std::string Program::read_line() {
  std::string line;
  for (char c; ::read(out_, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

void Program::signal(int number) { ::kill(process_, number); }

ProgramResult Program::wait() {
  ProgramResult result;
  result.out = read_all(out_);
  result.error = read_all(error_);
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = 0;
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& variables) {
  return Program(arguments, variables).wait();
}

}  // namespace palimpsest::testing
