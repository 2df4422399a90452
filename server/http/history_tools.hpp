#pragma once

#include <cstdint>
#include <functional>

#include <boost/asio/awaitable.hpp>

#include "http/security.hpp"
#include "room/edit.hpp"
#include "storage/store.hpp"

namespace palimpsest::server {
class Clock;
class Directory;
class Journal;
}  // namespace palimpsest::server

namespace palimpsest::server::http {

class Histories;

// What it takes to change documents from what their histories say.
//
// Home: any thread.
struct HistoryTools {
  Histories& histories;
  Directory& directory;
  Journal& journal;
  const Clock& clock;
  Random random;
  // Unique within a run of the server.
  std::function<std::uint64_t()> next_connection;

  // Has an edit made (room/edit.hpp). Throws Problem where the document does not take it.
  boost::asio::awaitable<Edited> take(Edit edit) const;
  // Has something written by the journal (room/task.hpp). Throws Problem where the store fails.
  boost::asio::awaitable<void> write(const std::function<void(storage::Writer&)>& work) const;
};

}  // namespace palimpsest::server::http
