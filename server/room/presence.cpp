#include "room/presence.hpp"

#include <algorithm>
#include <utility>

#include "crdt/any.hpp"
#include "crdt/error.hpp"
#include "room/plain_text.hpp"

namespace palimpsest::server {

namespace {

constexpr std::size_t kNameCodePoints = 64;

bool is_nested_deeper(const crdt::Any& value, std::size_t depth) {
  const auto is_deeper = [depth](const crdt::Any& inner) {
    return depth == 0 || is_nested_deeper(inner, depth - 1);
  };
  if (const auto* array = value.get_if<crdt::Any::Array>()) {
    return std::any_of(array->begin(), array->end(), is_deeper);
  }
  if (const auto* object = value.get_if<crdt::Any::Object>()) {
    return std::any_of(object->begin(), object->end(),
                       [&](const auto& member) { return is_deeper(member.second); });
  }
  return false;
}

std::string_view string_member(const crdt::Any& object, std::string_view key) {
  const crdt::Any* member = object.find(key);
  const std::string* text = member ? member->get_if<std::string>() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

// Goes into style sheets of other people's browsers: nothing but #RRGGBB.
bool is_color(std::string_view text) {
  return text.size() == 7 && text[0] == '#' &&
         text.find_first_not_of("0123456789abcdefABCDEF", 1) == text.npos;
}

}  // namespace

Person person_of(crdt::ClientId client, std::string_view json, std::size_t max_depth) {
  const crdt::Any state = crdt::Any::from_json(json);
  if (is_nested_deeper(state, max_depth)) throw crdt::DecodeError(0, "an awareness state too deep");
  Person person{client, {}, {}};
  if (const crdt::Any* user = state.find("user")) {
    person.name = plain_text(string_member(*user, "name"), kNameCodePoints);
    if (is_color(string_member(*user, "color"))) person.color = string_member(*user, "color");
  }
  return person;
}

Presence::Received Presence::receive(std::uint64_t connection, crdt::ByteView update, Instant now) {
  std::vector<crdt::AwarenessState> states = crdt::decode_awareness(update);
  std::vector<Person> persons;
  persons.reserve(states.size());
  for (const crdt::AwarenessState& state : states) {
    if (state.json.size() > limits_.state_bytes) {
      throw crdt::DecodeError(0, "an awareness state too large");
    }
    persons.push_back(person_of(state.client, state.json, limits_.depth));
  }

  Received received;
  for (std::size_t i = 0; i < states.size(); ++i) {
    take(connection, std::move(states[i]), std::move(persons[i]), now, received);
  }
  return received;
}

void Presence::take(std::uint64_t connection, crdt::AwarenessState state, Person person,
                    Instant now, Received& received) {
  const crdt::AwarenessState* known = awareness_.find(state.client);
  const bool was_gone = known == nullptr || known->is_gone();
  if (!may_speak_for(connection, state.client, now)) return;
  if (was_gone && (state.is_gone() || is_full(connection))) return;
  if (!awareness_.apply(state)) {
    if (was_gone) received.reminder.push_back(*known);
    return;
  }
  Entry& entry = entries_[state.client];
  const bool same_person = !was_gone && !state.is_gone() && entry.person == person;
  received.people_changed |= !same_person;
  entry = {state.is_gone() ? kNobody : connection, now, std::move(person)};
  received.news.push_back(std::move(state));
}

std::vector<crdt::AwarenessState> Presence::leave(std::uint64_t connection, Instant now) {
  std::vector<crdt::AwarenessState> gone;
  for (auto& [client, entry] : entries_) {
    if (entry.connection == connection) gone.push_back(remove(client, entry, now));
  }
  return gone;
}

std::vector<crdt::AwarenessState> Presence::expire(Instant now) {
  std::vector<crdt::AwarenessState> gone;
  for (auto& [client, entry] : entries_) {
    const bool is_there = entry.connection != kNobody;
    if (is_there && now - entry.renewed >= limits_.expiry)
      gone.push_back(remove(client, entry, now));
  }
  std::erase_if(entries_, [&](const auto& known) {
    const bool is_old =
        known.second.connection == kNobody && now - known.second.renewed >= limits_.memory;
    if (is_old) awareness_.forget(known.first);
    return is_old;
  });
  return gone;
}

std::vector<crdt::AwarenessState> Presence::present() const {
  std::vector<crdt::AwarenessState> states;
  for (const auto& [client, state] : awareness_.states()) {
    if (!state.is_gone()) states.push_back(state);
  }
  return states;
}

std::vector<crdt::AwarenessState> Presence::all() const {
  std::vector<crdt::AwarenessState> states;
  for (const auto& [client, state] : awareness_.states()) states.push_back(state);
  return states;
}

std::vector<Person> Presence::people() const {
  std::vector<Person> people;
  for (const auto& [client, entry] : entries_) {
    if (entry.connection != kNobody) people.push_back(entry.person);
  }
  return people;
}

std::string Presence::name_of(crdt::ClientId client) const {
  const auto found = entries_.find(client);
  return found == entries_.end() ? std::string() : found->second.person.name;
}

std::vector<crdt::ClientId> Presence::clients_of(std::uint64_t connection) const {
  std::vector<crdt::ClientId> clients;
  for (const auto& [client, entry] : entries_) {
    if (entry.connection == connection) clients.push_back(client);
  }
  return clients;
}

bool Presence::may_speak_for(std::uint64_t connection, crdt::ClientId client, Instant now) const {
  const auto found = entries_.find(client);
  if (found == entries_.end()) return true;
  const Entry& entry = found->second;
  return entry.connection == kNobody || entry.connection == connection ||
         now - entry.renewed >= limits_.renewal;
}

bool Presence::is_full(std::uint64_t connection) const {
  return clients_of(connection).size() >= limits_.clients_per_connection;
}

crdt::AwarenessState Presence::remove(crdt::ClientId client, Entry& entry, Instant now) {
  entry.connection = kNobody;
  entry.renewed = now;
  return awareness_.remove(client);
}

}  // namespace palimpsest::server
