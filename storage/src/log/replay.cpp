#include "log/replay.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "crdt/any.hpp"
#include "crdt/error.hpp"
#include "crdt/update.hpp"

namespace palimpsest::storage::log {
namespace {

using crdt::Doc;

std::string sizes(crdt::Clock in_checkpoint, crdt::Clock in_log) {
  return std::to_string(in_checkpoint) + " units in it and " + std::to_string(in_log) +
         " in the log";
}

std::optional<std::string> difference_of_insertions(const Doc& checkpoint, const Doc& log) {
  const crdt::StateVector theirs = checkpoint.state_vector();
  const crdt::StateVector ours = log.state_vector();
  if (theirs == ours) return std::nullopt;
  for (const crdt::StateVector* clients : {&ours, &theirs}) {
    for (const auto& [client, clock] : clients->entries()) {
      if (theirs.clock_of(client) == ours.clock_of(client)) continue;
      return "client " + std::to_string(client) + " has " +
             sizes(theirs.clock_of(client), ours.clock_of(client));
    }
  }
  return "other clients";
}

std::optional<std::string> difference_of_deletions(const Doc& checkpoint, const Doc& log) {
  crdt::DeleteSet theirs = checkpoint.delete_set();
  crdt::DeleteSet ours = log.delete_set();
  theirs.normalize();
  ours.normalize();
  if (theirs == ours) return std::nullopt;
  const auto length_of = [](const crdt::DeleteSet& deleted) {
    crdt::Clock length = 0;
    for (const auto& [client, ranges] : deleted.clients()) {
      for (const crdt::DeleteSet::Range& range : ranges) length += range.length;
    }
    return length;
  };
  return "deleted are " + sizes(length_of(theirs), length_of(ours)) + ", not the same";
}

// With the entries of maps by their keys: their order is that in which a replica heard of the keys.
crdt::Any sorted(crdt::Any any) {
  if (auto* array = std::get_if<crdt::Any::Array>(&any.value())) {
    for (crdt::Any& element : *array) element = sorted(std::move(element));
  } else if (auto* object = std::get_if<crdt::Any::Object>(&any.value())) {
    for (auto& [key, value] : *object) value = sorted(std::move(value));
    std::ranges::sort(*object, {}, &crdt::Any::Object::value_type::first);
  }
  return any;
}

std::string text_of(crdt::Any any) { return sorted(std::move(any)).to_json(); }

// What the root shows, read as one kind. Its entries belong to every kind: attributes, where it is
// no map.
std::string content(const Doc& doc, const std::string& root, Doc::RootKind kind) {
  std::string entries = text_of(doc.map(root));
  switch (kind) {
    case Doc::RootKind::kText:
      return entries + text_of(doc.delta(root));
    case Doc::RootKind::kArray:
      return entries + text_of(doc.array(root));
    case Doc::RootKind::kXml:
      return entries + doc.xml(root);
    default:
      return entries;
  }
}

std::optional<std::string> difference_of_contents(const Doc& checkpoint, const Doc& log) {
  std::set<std::string> roots;
  for (const Doc* doc : {&checkpoint, &log}) {
    for (std::string& root : doc->root_names()) roots.insert(std::move(root));
  }
  for (const std::string& root : roots) {
    for (const Doc* doc : {&checkpoint, &log}) {
      const Doc::RootKind kind = doc->guess_kind(root);
      if (content(checkpoint, root, kind) != content(log, root, kind)) {
        return "the root \"" + root + "\" has other content";
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> difference(const Doc& checkpoint, const Doc& log) {
  if (auto found = difference_of_insertions(checkpoint, log)) return found;
  if (auto found = difference_of_deletions(checkpoint, log)) return found;
  if (checkpoint.has_pending() != log.has_pending()) {
    return std::string("something waits for what is missing, in one of the two");
  }
  return difference_of_contents(checkpoint, log);
}

}  // namespace

std::optional<std::string> Replay::add(const EntryView& entry) {
  try {
    const crdt::Update update = crdt::Update::decode(entry.update);
    if (entry.seq <= last_) {
      doc_.apply(update);
      ++added_;
    }
    return std::nullopt;
  } catch (const crdt::DecodeError& error) {
    return "entry " + std::to_string(entry.seq) + " of the log is no update: " + error.what();
  }
}

std::optional<std::string> Replay::fault_of(crdt::ByteView state) const {
  const std::string checkpoint = "the checkpoint at seq " + std::to_string(last_);
  try {
    if (added_ != last_) {
      crdt::Update::decode(state);
      return std::nullopt;
    }
    if (std::ranges::equal(doc_.encode(), state)) return std::nullopt;  // no two need be loaded
    const auto found = difference(Doc::load(state), doc_);
    if (!found) return std::nullopt;
    return checkpoint + " is not what the log up to it comes to: " + *found;
  } catch (const crdt::DecodeError& error) {
    return checkpoint + " is no update: " + error.what();
  }
}

}  // namespace palimpsest::storage::log
