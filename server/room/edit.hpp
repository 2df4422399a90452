#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "crdt/bytes.hpp"
#include "room/peer.hpp"
#include "storage/store.hpp"

namespace palimpsest::server {

class Directory;

// An update by somebody who has no socket: a request's, a command's. It goes the way of every
// keystroke: applied, on disk, then shown to who has the document open.
struct Edit {
  std::string document;
  crdt::Bytes update;
  // What the clients are called whose content it brings, the one who makes the edit first.
  std::vector<storage::Author> authors;
  // It is to be the first of its document.
  bool is_new_document = false;
  std::uint64_t connection = 0;  // unique within a run of the server, and not 0
};

struct Edited {
  // Why the document did not take it; nullopt where it did, and all of it is on disk.
  std::optional<Close> refusal;
  // It was to be the first, and the document has others.
  bool is_taken = false;
  // The last in the log when it was taken: its own, unless it brought nothing new.
  storage::Seq seq = 0;
};

// Comes back to the caller's executor. Cancelling it does not take the edit back.
boost::asio::awaitable<Edited> make_edit(Directory& directory, Edit edit);

}  // namespace palimpsest::server
