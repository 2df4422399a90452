#include "fleet.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

#include <sys/epoll.h>
#include <unistd.h>

#include "process.hpp"

namespace palimpsest::bench {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

// Five bytes as varUint, as the ids of nearly all clients that there are.
constexpr std::uint64_t kFirstWriterId = 0x4000'0000;
constexpr auto kPatience = 60s;

const Bytes kStep1OfEmpty = {0, 0, 1, 0};
const Bytes kStep2OfEmpty = {0, 1, 2, 0, 0};

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Fleet::Fleet(std::uint16_t port, pid_t server, FleetShape shape, std::string name)
    : port_(port),
      server_(server),
      shape_(shape),
      name_(std::move(name)),
      poll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (poll_ < 0) throw std::runtime_error("epoll");
  for (std::size_t document = 0; document < shape_.documents; ++document) {
    for (std::size_t place = 0; place < shape_.writers; ++place) {
      writers_.push_back({kFirstWriterId + writers_.size(), document, place, {}});
    }
  }
  connect_all();
}

Fleet::~Fleet() { ::close(poll_); }

void Fleet::connect_all() {
  for (std::size_t document = 0; document < shape_.documents; ++document) {
    for (std::size_t place = 0; place < shape_.clients; ++place) {
      const std::size_t index = clients_.size();
      const bool is_told = shape_.wants_acknowledgements && place < shape_.writers;
      const std::string path = "/" + name_ + std::to_string(document) + (is_told ? "?ack=1" : "");
      clients_.push_back(
          {WebSocket(port_, path), document, std::vector<std::uint64_t>(shape_.writers)});
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = index;
      epoll_ctl(poll_, EPOLL_CTL_ADD, clients_[index].socket.descriptor(), &event);
      clients_[index].socket.send(kStep1OfEmpty);
      flush(index);
      receive(index);  // what came together with the upgrade
    }
  }
  const auto is_synced = [](const Client& each) { return each.is_synced; };
  const Instant patience = SteadyClock::now() + kPatience;
  while (!std::ranges::all_of(clients_, is_synced)) {
    if (SteadyClock::now() > patience) throw std::runtime_error("the server does not sync");
    turn(SteadyClock::now() + 100ms);
  }
}

// --- Typing ---

void Fleet::type(Writer& writer, Instant due) {
  Bytes message;
  write_typing(message, writer.id, writer.due.size());
  writer.due.push_back(due);
  const std::size_t index = writer.document * shape_.clients + writer.place;
  clients_[index].socket.send(message);
  queue_flush(index);
  if (is_measuring_) ++measured_.updates;
}

// One after the other of all writers: those of one document follow each other at a distance.
void Fleet::type_what_is_due(Instant now, Instant until) {
  const std::chrono::duration<double> gap(1 / *pace_.rate);
  for (;; ++typed_) {
    const Instant due = typing_since_ + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                            gap * static_cast<double>(typed_));
    if (due > now || due >= until) return;
    const std::size_t turn = typed_ % writers_.size();
    type(writer(turn % shape_.documents, turn / shape_.documents), due);
  }
}

void Fleet::fill_window(Writer& writer) {
  const std::size_t witness = (writer.place + 1) % shape_.clients;
  const std::uint64_t seen = client(writer.document, witness).received[writer.place];
  const Instant now = SteadyClock::now();
  while (writer.due.size() - seen < pace_.window) type(writer, now);
}

// --- The sockets ---

void Fleet::watch(std::size_t index, bool is_full) {
  Client& client = clients_[index];
  if (client.is_full == is_full) return;
  client.is_full = is_full;
  epoll_event event{};
  event.events = is_full ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = index;
  epoll_ctl(poll_, EPOLL_CTL_MOD, client.socket.descriptor(), &event);
}

void Fleet::queue_flush(std::size_t index) {
  if (!clients_[index].is_queued) with_output_.push_back(index);
  clients_[index].is_queued = true;
}

void Fleet::flush(std::size_t index) {
  clients_[index].is_queued = false;
  watch(index, !clients_[index].socket.flush());
}

void Fleet::flush_all() {
  for (const std::size_t index : std::exchange(with_output_, {})) flush(index);
}

// Types what is due, then takes what arrives; waits for the one or the other, but not past `until`.
void Fleet::turn(Instant until) {
  const Instant now = SteadyClock::now();
  Instant next = until;
  if (is_typing_ && pace_.rate) {
    type_what_is_due(now, until);
    next = std::min(next, typing_since_ + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                              std::chrono::duration<double>(
                                                  static_cast<double>(typed_) / *pace_.rate)));
  }
  flush_all();

  const auto wait = std::max<std::chrono::nanoseconds>(next - now, 0ns);
  const timespec timeout{wait / 1s, (wait % 1s).count()};
  std::array<epoll_event, 64> events;
  const int count = epoll_pwait2(poll_, events.data(), events.size(), &timeout, nullptr);
  if (count < 0 && errno != EINTR) throw std::runtime_error("epoll_pwait2");
  for (int i = 0; i < count; ++i) {
    const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
    const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
    if ((what & EPOLLOUT) != 0) flush(index);
    if ((what & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive(index);
  }
  flush_all();
}

void Fleet::receive(std::size_t index) {
  clients_[index].socket.receive([this, index](ByteView frame) { take(index, frame); });
  if (clients_[index].socket.has_output()) queue_flush(index);
}

void Fleet::take(std::size_t index, ByteView frame) {
  const Instant now = SteadyClock::now();
  const auto take_each = [&](const Run& run) { take_run(index, run, now); };
  while (!frame.empty()) {
    const Message message = read_message(frame);
    switch (message.kind) {
      case Message::Kind::kStep1:
        clients_[index].socket.send(kStep2OfEmpty);
        break;
      case Message::Kind::kStep2:
        clients_[index].is_synced = true;
        for_each_run(message.payload, take_each);
        break;
      case Message::Kind::kUpdate:
        for_each_run(message.payload, take_each);
        break;
      case Message::Kind::kAcknowledged:
        take_acknowledgement(index, message.count, now);
        break;
      case Message::Kind::kOther:
        break;
    }
  }
}

void Fleet::take_run(std::size_t index, const Run& run, Instant now) {
  Client& reader = clients_[index];
  const std::uint64_t number = run.client - kFirstWriterId;
  if (number >= writers_.size() || writers_[number].document != reader.document) {
    throw std::runtime_error("an update of a writer that is not in this document");
  }
  Writer& author = writers_[number];
  // Some servers send an update to its author too: that is no delivery.
  if (&reader == &client(author.document, author.place)) return;

  std::uint64_t& received = reader.received[author.place];
  if (run.clock > received) {
    throw std::runtime_error("updates were lost: " + std::to_string(received) + " to " +
                             std::to_string(run.clock) + " of a writer");
  }
  for (std::uint64_t i = received - run.clock; i < run.text.size(); ++i) {
    if (received >= author.due.size() || run.text[i] != typed_character(run.client, received)) {
      throw std::runtime_error("a character that nobody has typed");
    }
    const Instant due = author.due[received++];
    if (is_measuring_) ++measured_.deliveries;
    if (due >= measured_from_ && due < measured_to_) measured_.latency.add(now - due);
  }
  if (is_typing_ && !pace_.rate && (author.place + 1) % shape_.clients == index % shape_.clients) {
    fill_window(author);
  }
}

// The empty answer to the server's first step 1 counts as one of its own.
void Fleet::take_acknowledgement(std::size_t index, std::uint64_t updates, Instant now) {
  Client& author = clients_[index];
  const std::size_t place = index % shape_.clients;
  if (place >= shape_.writers) throw std::runtime_error("told of what it has not sent");
  if (updates > 0 && !std::exchange(author.is_answer_acknowledged, true)) --updates;
  Writer& writer = this->writer(author.document, place);
  for (; updates > 0; --updates) {
    if (writer.acknowledged >= writer.due.size()) {
      throw std::runtime_error("more is acknowledged than was typed");
    }
    const Instant due = writer.due[writer.acknowledged++];
    if (due >= measured_from_ && due < measured_to_) measured_.acknowledgement.add(now - due);
  }
}

// --- A run ---

void Fleet::run_until(Instant until) {
  while (SteadyClock::now() < until) turn(until);
}

bool Fleet::is_complete() const {
  const auto is_told = [](const Writer& writer) {
    return writer.acknowledged == writer.due.size();
  };
  if (shape_.wants_acknowledgements && !std::ranges::all_of(writers_, is_told)) return false;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const Client& reader = clients_[i];
    for (std::size_t place = 0; place < shape_.writers; ++place) {
      if (i % shape_.clients == place) continue;
      const Writer& author = writers_[reader.document * shape_.writers + place];
      if (reader.received[place] != author.due.size()) return false;
    }
  }
  return true;
}

void Fleet::wait_until_complete() {
  const Instant patience = SteadyClock::now() + kPatience;
  while (!is_complete()) {
    if (SteadyClock::now() > patience) throw std::runtime_error("updates have not arrived");
    turn(SteadyClock::now() + 10ms);
  }
}

Measured Fleet::run(const Pace& pace, std::chrono::nanoseconds warm_up,
                    std::chrono::nanoseconds time) {
  pace_ = pace;
  measured_ = {};
  typed_ = 0;
  typing_since_ = SteadyClock::now();
  measured_from_ = typing_since_ + warm_up;
  measured_to_ = measured_from_ + time;
  is_typing_ = true;
  if (!pace_.rate) {
    for (Writer& each : writers_) fill_window(each);
  }
  run_until(measured_from_);

  const auto server_before = processor_time(server_);
  const auto own_before = processor_time(getpid());
  const Instant begin = SteadyClock::now();
  is_measuring_ = true;
  run_until(measured_to_);
  is_measuring_ = false;
  is_typing_ = false;
  const auto took = SteadyClock::now() - begin;
  measured_.seconds = seconds(took);
  measured_.server_cores = seconds(processor_time(server_) - server_before) / seconds(took);
  measured_.own_cores = seconds(processor_time(getpid()) - own_before) / seconds(took);
  measured_.server_bytes = resident_bytes(server_);

  wait_until_complete();
  return measured_;
}

// --- Afterwards ---

void Fleet::check_fresh_joins() {
  for (std::size_t document = 0; document < shape_.documents; ++document) {
    check_fresh_join(document);
  }
}

void Fleet::check_fresh_join(std::size_t document) {
  WebSocket socket(port_, "/" + name_ + std::to_string(document));
  socket.send(kStep1OfEmpty);
  socket.flush();

  std::vector<std::uint64_t> received(shape_.writers);
  const auto take_run = [&](const Run& run) {
    const std::uint64_t number = run.client - kFirstWriterId - document * shape_.writers;
    if (number >= shape_.writers || run.clock != received[number]) {
      throw std::runtime_error("a fresh join gets characters out of order");
    }
    for (const char character : run.text) {
      if (character != typed_character(run.client, received[number]++)) {
        throw std::runtime_error("a fresh join gets a character that nobody has typed");
      }
    }
  };
  bool is_synced = false;
  const auto take = [&](ByteView frame) {
    while (!frame.empty()) {
      const Message message = read_message(frame);
      if (message.kind != Message::Kind::kStep2) continue;
      for_each_run(message.payload, take_run);
      is_synced = true;
    }
  };
  const Instant patience = SteadyClock::now() + kPatience;
  while (!is_synced) {
    if (SteadyClock::now() > patience) throw std::runtime_error("a fresh join is not answered");
    socket.receive(take);
    if (!is_synced) std::this_thread::sleep_for(1ms);
  }
  for (std::size_t place = 0; place < shape_.writers; ++place) {
    if (received[place] != writer(document, place).due.size()) {
      throw std::runtime_error("a fresh join gets " + std::to_string(received[place]) + " of " +
                               std::to_string(writer(document, place).due.size()) + " characters");
    }
  }
}

}  // namespace palimpsest::bench
