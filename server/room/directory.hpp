#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <spdlog/fwd.h>

#include "room/clock.hpp"
#include "room/indexer.hpp"
#include "room/journal.hpp"
#include "room/room.hpp"
#include "storage/store.hpp"

namespace palimpsest::server {

class Directory;

// The right to use a room: while somebody holds one, the room stays. Movable, any thread.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();

  // Empty when the server is stopping.
  explicit operator bool() const { return room_ != nullptr; }
  // To be used on its strand only.
  Room* operator->() const { return room_.get(); }
  Room& operator*() const { return *room_; }

 private:
  friend class Directory;
  Lease(Directory& directory, std::shared_ptr<Room> room);
  void release();

  Directory* directory_ = nullptr;
  std::shared_ptr<Room> room_;
};

// Name → Room and its strand: loads a document when the first comes, shares it, unloads it when the
// last has long gone.
//
// Invariant: a document is in at most one room, and is loaded only when all that an earlier room
// had
//            taken is on disk.
// Home:      public functions: any thread.
// Lifetime:  longer than the leases, and than the handlers queued on the two executors.
class Directory final : private Room::Host {
 public:
  // `io` runs the rooms. `loading` runs what blocks on the disk, each task with a Reader of its
  // own.
  Directory(boost::asio::io_context& io, boost::asio::any_io_executor loading,
            storage::Store& store, Journal& journal, const Clock& clock,
            std::shared_ptr<spdlog::logger> log, Room::Options options,
            Indexer::Options index = {});
  ~Directory() override;

  // The room of a document, in memory or being loaded: one load, however many ask. Join it on its
  // strand. Cheap; never waits.
  Lease open(std::string_view document);
  // Has a document loaded and, when nobody came, unloaded, which writes a fresh summary of it.
  void refresh(std::string_view document);

  // Tells the room of a document, where there is one, that it is in the bin, or out of it again: to
  // be called when that is on disk.
  void set_in_bin(std::string_view document, bool is_in_bin);

  // Call about once a second.
  void tick();

  // The documents in memory and who is in them.
  std::vector<RoomStatus> open_documents() const;
  std::optional<RoomStatus> open_document(std::string_view document) const;
  std::size_t room_count() const;

  // The server stops: no room is opened any more, everything received is brought to disk and
  // delivered, peers are told to come back (1012), checkpoints are written. `done` is called once,
  // on some strand; sessions may still be sending what was delivered to them.
  void drain(std::function<void()> done);

 private:
  friend class Lease;

  struct Entry {
    std::shared_ptr<Room> room;
    std::size_t leases = 0;
    RoomStatus status;
  };

  bool retire(Room& room) override;
  void abandon(Room& room) override;
  void publish(RoomStatus status) override;
  void read_stored(Room& room) override;
  void checkpointed(const Room& room) override;

  Entry make_entry(std::string document);
  bool is_draining() const;
  std::vector<std::shared_ptr<Room>> rooms() const;
  void erase(const Room& room);
  void release(const Room& room);
  void load(std::shared_ptr<Room> room);
  std::optional<LoadedDocument> read(const std::string& document);
  void pack_log(std::string document, storage::Occasion occasion);
  std::unique_ptr<storage::Reader> take_reader();
  void give_back(std::unique_ptr<storage::Reader> reader);

  boost::asio::io_context& io_;
  const boost::asio::any_io_executor loading_;
  // One log at a time is packed, so that documents go on being loaded meanwhile.
  const boost::asio::strand<boost::asio::any_io_executor> packing_;
  storage::Store& store_;
  Journal& journal_;
  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_;
  const Room::Options options_;
  Indexer indexer_;

  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::unique_ptr<storage::Reader>> idle_readers_;
  bool is_draining_ = false;
  std::function<void()> drained_;
};

}  // namespace palimpsest::server
