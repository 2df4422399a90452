#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config.hpp"
#include "net/limits.hpp"

namespace palimpsest::server {

// The server: builds every object in order, runs them, and stops them so that nothing received is
// lost.
//
// Home: the thread that made it; stop() any thread.
class App {
 public:
  // Opens the store and binds the port. Throws ConfigError when either cannot be had.
  explicit App(const Config& config, net::Limits limits = {});
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  std::uint16_t port() const;
  // "http://127.0.0.1:1234"
  std::string url() const;

  // Serves on threads of its own.
  void start();
  // Begins to stop: no new connection, everything received goes to disk, peers are told to come
  // back (1012). Calling it again changes nothing.
  void stop();
  // Returns when all has ended; the exit status. A part that does not end in time is left behind,
  // together with the process.
  int wait();
  // stop() when SIGTERM or SIGINT comes; the second one ends the process at once.
  void stop_on_signals();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace palimpsest::server
