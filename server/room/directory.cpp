#include "room/directory.hpp"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/logger.h>

#include "crdt/error.hpp"

namespace palimpsest::server {

// --- Lease ---

Lease::Lease(Directory& directory, std::shared_ptr<Room> room)
    : directory_(&directory), room_(std::move(room)) {}

Lease::Lease(Lease&& other) noexcept
    : directory_(other.directory_), room_(std::exchange(other.room_, nullptr)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  release();
  directory_ = other.directory_;
  room_ = std::exchange(other.room_, nullptr);
  return *this;
}

Lease::~Lease() { release(); }

void Lease::release() {
  if (room_) directory_->release(*room_);
  room_.reset();
}

// --- Directory ---

Directory::Directory(boost::asio::io_context& io, boost::asio::any_io_executor loading,
                     storage::Store& store, Journal& journal, const Clock& clock,
                     std::shared_ptr<spdlog::logger> log, Room::Options options,
                     Indexer::Options index)
    : io_(io),
      loading_(std::move(loading)),
      packing_(loading_),
      store_(store),
      journal_(journal),
      clock_(clock),
      log_(std::move(log)),
      options_(options),
      indexer_(loading_, store, journal, clock, log_, index) {}

Directory::~Directory() = default;

Lease Directory::open(std::string_view document) {
  std::shared_ptr<Room> room;
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_draining_) return {};
    auto found = entries_.find(document);
    is_new = found == entries_.end();
    if (is_new) {
      found = entries_.try_emplace(std::string(document), make_entry(std::string(document))).first;
    }
    room = found->second.room;
    ++found->second.leases;
  }
  if (is_new) load(room);
  return Lease(*this, std::move(room));
}

Directory::Entry Directory::make_entry(std::string document) {
  Entry entry;
  entry.status.document = document;
  Room::Host& host = *this;
  entry.room = std::make_shared<Room>(std::move(document), Strand(io_.get_executor()), host,
                                      journal_, clock_, *log_, options_);
  return entry;
}

void Directory::set_in_bin(std::string_view document, bool is_in_bin) {
  std::shared_ptr<Room> room;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(document);
    if (found == entries_.end()) return;
    room = found->second.room;
  }
  boost::asio::post(room->strand(), [room, is_in_bin] { room->set_in_bin(is_in_bin); });
}

void Directory::refresh(std::string_view document) { open(document); }

// The one load of a room: joiners wait in the room, which hears how it went on its strand.
void Directory::load(std::shared_ptr<Room> room) {
  boost::asio::post(loading_, [this, room = std::move(room)] {
    std::optional<LoadedDocument> document = read(room->name());
    const Strand strand = room->strand();
    if (document) {
      boost::asio::post(strand, [room, document = std::move(*document)]() mutable {
        room->loaded(std::move(document));
      });
    } else {
      boost::asio::post(strand, [room] { room->load_failed(); });
    }
  });
}

void Directory::read_stored(Room& room) {
  boost::asio::post(loading_, [this, kept = room.shared_from_this()] {
    auto stored = std::make_shared<const std::optional<LoadedDocument>>(read(kept->name()));
    boost::asio::post(kept->strand(), [kept, stored] { kept->stored_read(*stored); });
  });
}

// nullopt: the log says why. A reader that has failed is not used again.
std::optional<LoadedDocument> Directory::read(const std::string& document) {
  try {
    std::unique_ptr<storage::Reader> reader = take_reader();
    std::optional<storage::StoredDocument> stored = reader->load(document);
    give_back(std::move(reader));
    return build_document(std::move(stored));
  } catch (const storage::Error& error) {
    log_->error("document {}: cannot be loaded: {}", document, error.what());
  } catch (const crdt::DecodeError& error) {
    log_->error("document {}: what is stored cannot be read: {}", document, error.what());
  } catch (const crdt::Bug& bug) {
    log_->error("document {}: cannot be built from what is stored: {}", document, bug.what());
  }
  return std::nullopt;
}

// On a reader's thread; only putting it in place is the journal's. A server that stops has no time
// for it.
void Directory::pack_log(std::string document, storage::Occasion occasion) {
  boost::asio::post(packing_, [this, document = std::move(document), occasion] {
    if (is_draining()) return;
    try {
      std::unique_ptr<storage::Reader> reader = take_reader();
      std::optional<storage::Compaction> packed = reader->prepare_compaction(document, occasion);
      give_back(std::move(reader));
      if (packed) journal_.compact(std::move(*packed));
    } catch (const std::exception& error) {  // no memory for it, for one
      log_->error("document {}: its log stays as it is: {}", document, error.what());
    }
  });
}

std::unique_ptr<storage::Reader> Directory::take_reader() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_readers_.empty()) {
      std::unique_ptr<storage::Reader> reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  return store_.reader();
}

void Directory::give_back(std::unique_ptr<storage::Reader> reader) {
  const std::lock_guard lock(mutex_);
  idle_readers_.push_back(std::move(reader));
}

void Directory::tick() {
  for (const std::shared_ptr<Room>& room : rooms()) {
    boost::asio::post(room->strand(), [room] { room->tick(); });
  }
  indexer_.tick();
}

std::vector<std::shared_ptr<Room>> Directory::rooms() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Room>> rooms;
  rooms.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) rooms.push_back(entry.room);
  return rooms;
}

std::vector<RoomStatus> Directory::open_documents() const {
  const std::lock_guard lock(mutex_);
  std::vector<RoomStatus> statuses;
  statuses.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) statuses.push_back(entry.status);
  return statuses;
}

std::optional<RoomStatus> Directory::open_document(std::string_view document) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(document);
  if (found == entries_.end()) return std::nullopt;
  return found->second.status;
}

bool Directory::is_draining() const {
  const std::lock_guard lock(mutex_);
  return is_draining_;
}

std::size_t Directory::room_count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void Directory::drain(std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    is_draining_ = true;
    indexer_.stop();
    drained_ = std::move(done);
    if (entries_.empty()) boost::asio::post(io_, std::exchange(drained_, nullptr));
  }
  for (const std::shared_ptr<Room>& room : rooms()) {
    boost::asio::post(room->strand(), [room] { room->drain(); });
  }
}

bool Directory::retire(Room& room) {
  {
    const std::lock_guard lock(mutex_);
    if (entries_.find(room.name())->second.leases > 0) return false;
    erase(room);
  }
  pack_log(room.name(), storage::Occasion::kUnloading);
  indexer_.unloaded(room.name());
  return true;
}

void Directory::checkpointed(const Room& room) {
  pack_log(room.name(), storage::Occasion::kEditing);
}

void Directory::abandon(Room& room) {
  const std::lock_guard lock(mutex_);
  erase(room);
}

void Directory::erase(const Room& room) {
  entries_.erase(entries_.find(room.name()));
  if (entries_.empty() && drained_) boost::asio::post(io_, std::exchange(drained_, nullptr));
}

void Directory::publish(RoomStatus status) {
  std::string changed;
  {
    const std::lock_guard lock(mutex_);
    RoomStatus& known = entries_.find(status.document)->second.status;
    if (known.last_seq < status.last_seq) changed = status.document;
    known = std::move(status);
  }
  if (!changed.empty()) indexer_.changed(std::move(changed));
}

// The room may have been let go of meanwhile, and its name be another room's.
void Directory::release(const Room& room) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(room.name());
  if (found != entries_.end() && found->second.room.get() == &room) --found->second.leases;
}

}  // namespace palimpsest::server
