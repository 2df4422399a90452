#pragma once

#include <functional>

namespace CLI {
class App;
}  // namespace CLI

namespace palimpsest::bench {

// Reads the arguments into what `program` was told of them, then runs `work`: the whole of a main()
// in bench/. Answers the exit status: 2 for arguments that are wrong, 1 for an exception out of
// `work`, which it names on standard error.
int run_program(CLI::App& program, int argc, const char* const* argv,
                const std::function<void()>& work);

}  // namespace palimpsest::bench
