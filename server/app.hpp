#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config.hpp"
#include "http/message.hpp"
#include "net/limits.hpp"

namespace palimpsest::server {

// The server: builds every object in order, runs them, and stops them so that nothing received is
// lost.
//
// Home: the thread that made it; stop() any thread.
class App {
 public:
  // Where requests come in.
  enum class Doors {
    kPortAndSocket,  // the port, and the socket in the data directory
    kNone,           // neither: for a command that asks by itself, see ask()
  };
  // Opens the store and the doors. Throws ConfigError when any of them cannot be had.
  explicit App(const Config& config, net::Limits limits = {}, Doors doors = Doors::kPortAndSocket);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Of the port, which must be one of the doors.
  std::uint16_t port() const;
  // "http://127.0.0.1:1234"
  std::string url() const;

  // Serves on threads of its own.
  void start();
  // A request by who owns the data, once started; waits for the answer. Any thread but its own.
  http::Response ask(http::Request request);
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
