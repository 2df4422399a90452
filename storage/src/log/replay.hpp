#pragma once

#include <optional>
#include <string>

#include "crdt/doc.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage::log {

// A log applied again up to where a checkpoint was made of it, to be held against that checkpoint.
//
// Two replicas with the same changes need not have the same blocks (where runs were joined, and
// what of the deleted was collected, depends on what came together), so that their bytes may
// differ. Equal are what each client has inserted, what is deleted, whether something waits, and
// what every root shows.
//
// Cost: time of applying each update; memory of the document, twice during fault_of().
class Replay {
 public:
  // `last` is the seq of the checkpoint: what comes behind it is only looked at.
  explicit Replay(Seq last) : last_(last) {}

  // To be called in order. Answers what is wrong with the update itself.
  std::optional<std::string> add(const EntryView& entry);
  // What is wrong with the state of a checkpoint at `last`. Where entries are missing, no more is
  // asked of it than that it is an update.
  std::optional<std::string> fault_of(crdt::ByteView state) const;

 private:
  Seq last_;
  Seq added_ = 0;
  crdt::Doc doc_;
};

}  // namespace palimpsest::storage::log
