#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core.hpp"
#include "crdt/weave.hpp"
#include "marks.hpp"

namespace palimpsest::crdt {

struct Weave::State {
  // A surrogate pair that is shown as two U+FFFD from `seq` on.
  struct Tear {
    std::uint32_t seq;
    std::uint32_t sender;
    char32_t character;
  };
  // What is known of one client of the replica.
  struct Marks {
    std::uint32_t person = 0;
    internal::InsertionMarks insertions;
    internal::DeletionMarks deletions;
    std::map<Clock, Tear> tears;  // by the clock of the first half
  };

  Doc doc;
  internal::Core& core;
  std::vector<Marks> marks;  // by ClientIndex
  std::vector<ClientId> people;
  std::unordered_map<ClientId, std::uint32_t> person_of;
  ClientId last_sender = ~ClientId{0};
  std::uint32_t last_sender_index = 0;
  std::vector<Contribution> contributions;
  Seq last_seq = 0;

  State(Doc replica, internal::Core& (*core_of)(Doc&))
      : doc(std::move(replica)), core(core_of(doc)) {}

  std::uint32_t person(ClientId client) {
    const auto [entry, is_new] =
        person_of.try_emplace(client, static_cast<std::uint32_t>(people.size()));
    if (is_new) people.push_back(client);
    return entry->second;
  }
  std::uint32_t sender_index(ClientId sender) {
    if (sender != last_sender) {
      last_sender = sender;
      last_sender_index = person(sender);
    }
    return last_sender_index;
  }
  Marks& marks_of(internal::ClientIndex client) {
    while (marks.size() <= client) {
      const ClientId id = core.clients[marks.size()].id;
      marks.emplace_back().person = person(id);
    }
    return marks[client];
  }

  void note_keystroke(const internal::DecodedUpdate& update, std::uint32_t seq);
  void note_change(std::uint32_t seq, std::uint32_t sender);
  void credit(std::uint32_t seq, std::uint32_t person, std::size_t inserted, std::size_t deleted);
  std::size_t characters_in(internal::ClientIndex client, Clock begin, Clock end,
                            bool only_visible) const;
  void note_born_deleted(internal::ClientIndex client, Clock begin, std::uint32_t seq,
                         std::uint32_t sender);

  static void write_tears(const Marks& own, Writer& writer);
  void read_tears(Reader& reader, Marks& own) const;
  void read_marks(Reader& reader);

  void weave_item(const internal::Block& item, WovenText& into, std::vector<Id>* ids) const;
  void weave_list(internal::TypeIndex list, WovenText& into, std::vector<Id>* ids);
  std::string root_of(internal::TypeIndex type) const;
};

}  // namespace palimpsest::crdt
