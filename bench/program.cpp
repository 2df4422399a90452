#include "program.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

#include <CLI/CLI.hpp>

namespace palimpsest::bench {
namespace {

constexpr int kWrongArguments = 2;

}  // namespace

int run_program(CLI::App& program, int argc, const char* const* argv,
                const std::function<void()>& work) {
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? EXIT_SUCCESS : kWrongArguments;
  }
  try {
    work();
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program.get_name().c_str(), error.what());
    return EXIT_FAILURE;
  }
}

}  // namespace palimpsest::bench
