#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "histogram.hpp"
#include "typing.hpp"
#include "web_socket.hpp"

namespace palimpsest::bench {

struct FleetShape {
  std::size_t documents = 1;
  std::size_t clients = 2;  // of each document
  std::size_t writers = 1;  // of these
  // The writers ask to be told what is on disk (`?ack=1`), which only Palimpsest does.
  bool wants_acknowledgements = false;
};

// How the writers type.
struct Pace {
  // Updates per second of all writers together, evenly spread; whatever becomes of them.
  std::optional<double> rate;
  // Without a rate each writer types on when the next client of its document has all but this many.
  std::size_t window = 1;
};

struct Measured {
  double seconds = 0;
  std::uint64_t updates = 0;
  // Updates that have reached another client, however many came in one message.
  std::uint64_t deliveries = 0;
  // From when an update was due until another client had read it; of those due while measuring.
  Histogram latency;
  // From when an update was due until its author heard that it is on disk.
  Histogram acknowledgement;
  double server_cores = 0;  // processor time over time
  double own_cores = 0;
  std::size_t server_bytes = 0;  // resident at the end

  double deliveries_per_second() const { return static_cast<double>(deliveries) / seconds; }
};

// Connected clients of a y-websocket server, of which some type.
//
// Invariant: every client has received each writer's characters in order, without a gap, and right.
// Home:      one thread, which nobody else uses: it waits only for the sockets and the next update.
// Errors:    std::runtime_error: a lost or wrong update, or a connection that ended.
class Fleet {
 public:
  // Connects all, and waits until each has its document. `name` begins the documents' names.
  Fleet(std::uint16_t port, pid_t server, FleetShape shape, std::string name);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // Types for `warm_up`, then measures for `time`, then waits until every update has reached every
  // client.
  Measured run(const Pace& pace, std::chrono::nanoseconds warm_up, std::chrono::nanoseconds time);

  // Joins every document anew and checks that nothing is missing in what the server sends.
  void check_fresh_joins();

 private:
  using Instant = std::chrono::steady_clock::time_point;

  struct Client {
    WebSocket socket;
    std::size_t document;
    std::vector<std::uint64_t> received;  // writer of the document → how many characters
    bool is_synced = false;
    bool is_answer_acknowledged = false;
    bool is_full = false;    // the socket takes no more at the moment
    bool is_queued = false;  // in with_output_
  };
  struct Writer {
    std::uint64_t id;
    std::size_t document;
    std::size_t place;         // among the writers of its document, and among its clients
    std::vector<Instant> due;  // of each character typed
    std::uint64_t acknowledged = 0;
  };

  Client& client(std::size_t document, std::size_t place) {
    return clients_[document * shape_.clients + place];
  }
  Writer& writer(std::size_t document, std::size_t place) {
    return writers_[document * shape_.writers + place];
  }

  void connect_all();
  void type(Writer& writer, Instant due);
  void type_what_is_due(Instant now, Instant until);
  void fill_window(Writer& writer);
  void turn(Instant until);
  void queue_flush(std::size_t index);
  void flush(std::size_t index);
  void flush_all();
  void watch(std::size_t index, bool is_full);
  void receive(std::size_t index);
  void take(std::size_t index, ByteView frame);
  void take_run(std::size_t index, const Run& run, Instant now);
  void take_acknowledgement(std::size_t index, std::uint64_t updates, Instant now);
  bool is_complete() const;
  void run_until(Instant until);
  void wait_until_complete();
  void check_fresh_join(std::size_t document);

  const std::uint16_t port_;
  const pid_t server_;
  const FleetShape shape_;
  const std::string name_;
  int poll_ = -1;
  std::vector<Client> clients_;
  std::vector<Writer> writers_;
  std::vector<std::size_t> with_output_;  // clients to be flushed at the end of this turn

  // Of the run.
  Pace pace_;
  bool is_typing_ = false;
  bool is_measuring_ = false;
  Instant typing_since_;
  std::uint64_t typed_ = 0;
  Instant measured_from_;
  Instant measured_to_;
  Measured measured_;
};

}  // namespace palimpsest::bench
