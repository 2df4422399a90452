#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/awareness.hpp"
#include "crdt/bytes.hpp"
#include "crdt/id.hpp"
#include "room/clock.hpp"

namespace palimpsest::server {

// What a client calls itself.
struct Person {
  crdt::ClientId client = 0;
  std::string name;   // at most 64 code points, no control or bidirectional characters; may be ""
  std::string color;  // "#rrggbb", or ""

  friend bool operator==(const Person&, const Person&) = default;
};

// Reads `user.name` and `user.color` of an awareness state, and makes them fit to show.
// Throws DecodeError: no JSON, or nested deeper than `max_depth`.
Person person_of(crdt::ClientId client, std::string_view json, std::size_t max_depth);

// Who is in a document: the awareness state of every client, and the connection that speaks for it.
//
// A connection owns the client ids that it was the first to speak for, as long as it keeps renewing
// them; what others say about those is ignored. Stock clients send back every state they receive,
// so that is normal and no offence.
//
// A client that comes back after it was taken for gone starts at its old clock, which everybody
// would ignore for as long as half a minute. It is told that it was gone: a y-protocols client
// answers that at once with a newer state.
//
// Home: the room's strand.
class Presence {
 public:
  struct Limits {
    std::size_t state_bytes = 4096;
    std::size_t depth = 8;
    std::size_t clients_per_connection = 64;
    std::chrono::seconds renewal{20};  // stock clients renew every 15 s
    std::chrono::seconds expiry{30};
    std::chrono::minutes memory{10};  // how long the clock of a gone client is remembered
  };

  struct Received {
    std::vector<crdt::AwarenessState> news;      // for everybody, the sender included
    std::vector<crdt::AwarenessState> reminder;  // for the sender: taken for gone meanwhile
    bool people_changed = false;                 // a name or a colour came, changed or went
  };

  Presence() : Presence(Limits{}) {}
  explicit Presence(Limits limits) : limits_(limits) {}

  // Throws DecodeError, with nothing changed: bad form, or a state over the limits.
  Received receive(std::uint64_t connection, crdt::ByteView update, Instant now);
  // The connection has ended: its clients are gone. Answers the states that say so.
  std::vector<crdt::AwarenessState> leave(std::uint64_t connection, Instant now);
  // The same for those who have not renewed their state in time.
  std::vector<crdt::AwarenessState> expire(Instant now);

  // The states of all who are there.
  std::vector<crdt::AwarenessState> present() const;
  // Those of all who left lately, too: what a peer needs that missed some of it.
  std::vector<crdt::AwarenessState> all() const;
  std::vector<Person> people() const;
  // What that client called itself last; "" when it has not said.
  std::string name_of(crdt::ClientId client) const;
  // Those that this connection speaks for.
  std::vector<crdt::ClientId> clients_of(std::uint64_t connection) const;

 private:
  static constexpr std::uint64_t kNobody = 0;  // no connection has this number

  struct Entry {
    std::uint64_t connection = kNobody;  // its owner; nobody: the client is gone
    Instant renewed;                     // or when it went
    Person person;
  };

  void take(std::uint64_t connection, crdt::AwarenessState state, Person person, Instant now,
            Received& received);
  bool may_speak_for(std::uint64_t connection, crdt::ClientId client, Instant now) const;
  bool is_full(std::uint64_t connection) const;
  crdt::AwarenessState remove(crdt::ClientId client, Entry& entry, Instant now);

  Limits limits_;
  crdt::Awareness awareness_;
  std::map<crdt::ClientId, Entry> entries_;  // for exactly the clients of awareness_
};

}  // namespace palimpsest::server
