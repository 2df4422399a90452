#include "cli/serve.hpp"

#include <iostream>

#include "app.hpp"

namespace palimpsest::server::cli {
namespace {

void greet(const App& app, const Config& config) {
  std::cout << "Palimpsest is at " << app.url() << " with its documents in " << config.data.string()
            << "\n";
  if (config.listen.is_loopback)
    std::cout << "Open mode: whoever uses this machine can read and change every document.\n";
  else
    std::cout << "WARNING: open mode on a public address. ANYBODY who can reach it can read and "
                 "change EVERY document.\n";
  std::cout.flush();
}

}  // namespace

int serve(const Flags& flags) {
  const Config config = load_config(flags, process_environment);
  check_safety(config);
  App app(config);
  app.stop_on_signals();
  app.start();
  greet(app, config);
  return app.wait();
}

}  // namespace palimpsest::server::cli
