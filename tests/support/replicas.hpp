#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {

// A document that writes as one client and keeps the updates it made. Its text is the root `t`.
class Replica {
 public:
  explicit Replica(crdt::ClientId client, crdt::Doc::Options options = {})
      : client_(client), doc_(options) {}

  crdt::Doc& doc() { return doc_; }
  crdt::ClientId client() const { return client_; }
  std::string text() const { return doc_.text("t"); }
  std::size_t length() const { return crdt::length_utf16(doc_.text("t")); }
  // Oldest first.
  const std::vector<crdt::Bytes>& updates() const { return updates_; }

  template <class Change>
  crdt::Bytes change(Change&& change) {
    crdt::Bytes update = doc_.transact(client_, std::forward<Change>(change));
    if (!update.empty()) updates_.push_back(update);
    doc_.check_invariants();
    return update;
  }
  crdt::Bytes insert(std::size_t index, std::string_view text) {
    return change([&](crdt::Transaction& t) { t.text_insert("t", index, text); });
  }
  crdt::Bytes erase(std::size_t index, std::size_t length) {
    return change([&](crdt::Transaction& t) { t.text_delete("t", index, length); });
  }
  crdt::Bytes set(std::string_view key, const crdt::Any& value) {
    return change([&](crdt::Transaction& t) { t.map_set("m", key, value); });
  }

  crdt::Doc::Applied apply(const crdt::Bytes& update) {
    const crdt::Doc::Applied applied = doc_.apply(crdt::Update::decode(update));
    doc_.check_invariants();
    return applied;
  }
  // Takes what the other has and this lacks.
  void pull(Replica& other) { apply(other.doc_.encode_since(doc_.state_vector())); }

 private:
  crdt::ClientId client_;
  crdt::Doc doc_;
  std::vector<crdt::Bytes> updates_;
};

// Several replicas of one document, addressed by client id.
class Replicas {
 public:
  explicit Replicas(std::initializer_list<crdt::ClientId> clients) {
    for (const crdt::ClientId client : clients) replicas_.emplace(client, Replica(client));
  }

  Replica& operator[](crdt::ClientId client) { return replicas_.at(client); }

  // Calls `visit(Replica&)` for each, lowest client id first.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [client, replica] : replicas_) visit(replica);
  }

  // Afterwards all know everything.
  void sync() {
    for (auto& [to_client, to] : replicas_) {
      for (auto& [from_client, from] : replicas_) {
        if (to_client != from_client) to.pull(from);
      }
    }
    Replica& last = replicas_.rbegin()->second;
    for (auto& [client, replica] : replicas_) {
      if (client != last.client()) replica.pull(last);
    }
  }

  // The text that all have; fails when they differ.
  std::string text() {
    const std::string text = replicas_.begin()->second.text();
    for (auto& [client, replica] : replicas_) {
      INFO("client " << client);
      CHECK(replica.text() == text);
    }
    return text;
  }

 private:
  std::map<crdt::ClientId, Replica> replicas_;
};

}  // namespace palimpsest::testing
