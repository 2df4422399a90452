#include "room/room.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/logger.h>

#include "crdt/error.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/sync.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::server {

namespace {

constexpr std::uint64_t kSyncMessage = 0;
constexpr std::uint64_t kAwarenessMessage = 1;
constexpr std::string_view kTitleRoot = "content";
// Reading a larger text again and again, only for its title, would be felt by those who edit it.
constexpr std::size_t kCheapSummaryBytes = std::size_t{1} << 20;
// Peers that join together ask from the same few state vectors.
constexpr std::size_t kRememberedAnswers = 4;

Frame sync_frame(crdt::SyncMessage::Kind kind, crdt::ByteView payload) {
  crdt::Writer writer;
  writer.reserve(payload.size() + 8);
  writer.write_var_uint(kSyncMessage);
  crdt::SyncMessage{kind, payload}.write(writer);
  return Frame(std::move(writer).take());
}

Frame awareness_frame(std::span<const crdt::AwarenessState> states) {
  crdt::Writer writer;
  writer.write_var_uint(kAwarenessMessage);
  writer.write_var_bytes(crdt::encode_awareness(states));
  return Frame(std::move(writer).take());
}

std::shared_ptr<const ReleasedUpdate> released(crdt::ByteView update,
                                               std::vector<crdt::Update::Authored> authored) {
  return std::make_shared<const ReleasedUpdate>(
      ReleasedUpdate{sync_frame(crdt::SyncMessage::Kind::kUpdate, update), std::move(authored)});
}

// Spread over five seconds, so that not everybody comes back at once.
std::chrono::seconds retry_of(std::uint64_t connection) {
  return std::chrono::seconds(1 + connection % 5);
}

}  // namespace

LoadedDocument build_document(std::optional<storage::StoredDocument> stored) {
  LoadedDocument loaded;
  if (!stored) return loaded;
  if (!stored->state.empty()) loaded.doc = crdt::Doc::load(stored->state);
  loaded.encoded_bytes = stored->state.size();
  for (const storage::LogEntry& entry : stored->tail) {
    loaded.doc.apply(crdt::Update::decode(entry.update));
    loaded.tail_bytes += entry.update.size();
  }
  loaded.encoded_bytes += loaded.tail_bytes;
  loaded.tail_updates = stored->tail.size();
  loaded.generation = stored->generation;
  loaded.lost = std::move(stored->lost);
  loaded.last_seq = stored->last_seq;
  loaded.is_in_bin = stored->is_in_bin;
  return loaded;
}

Room::Room(std::string name, Strand strand, Host& host, Journal& journal, const Clock& clock,
           spdlog::logger& log, const Options& options)
    : name_(std::move(name)),
      strand_(std::move(strand)),
      host_(host),
      journal_(journal),
      clock_(clock),
      log_(log),
      options_(options),
      presence_(options.presence),
      idle_since_(clock.now()),
      summarized_at_(clock.now() - options.summary_interval) {}

Room::~Room() = default;

// --- What the directory says. ---

void Room::loaded(LoadedDocument document) {
  state_ = State::kOpen;
  doc_.emplace(std::move(document.doc));
  generation_ = document.generation;
  lost_ = std::move(document.lost);
  applied_seq_ = durable_seq_ = summary_seq_ = document.last_seq;
  encoded_bytes_ = document.encoded_bytes;
  tail_updates_ = document.tail_updates;
  tail_bytes_ = document.tail_bytes;
  idle_since_ = clock_.now();
  if (!is_in_bin_) is_in_bin_ = document.is_in_bin;
  if (*is_in_bin_) close_all(CloseReason::kNotFound);
  if (drain_is_wanted_) return drain();
  // Who brings something at once may be closed for it, and is a member no more then.
  std::vector<Peer*> waiting;
  for (const auto& [connection, member] : members_) waiting.push_back(member.peer);
  for (Peer* peer : waiting) {
    if (is_member(*peer)) peer->opened();
  }
  advance_holding();
}

void Room::load_failed() {
  const bool is_to_be_held = holder_ && !drain_is_wanted_;
  state_ = is_to_be_held ? State::kHeld : State::kGone;
  close_all(CloseReason::kStorageUnavailable);
  if (is_to_be_held) return answer_holder(Held::kYes);
  advance_holding();
  host_.abandon(*this);
}

void Room::tick() {
  if (state_ == State::kDraining) return advance_draining();
  if (state_ != State::kOpen) return;
  const Instant now = clock_.now();
  answers_.clear();
  const std::vector<crdt::AwarenessState> expired = presence_.expire(now);
  if (!expired.empty()) {
    send_awareness(expired);
    status_is_stale_ = true;
  }
  for (auto& [connection, member] : members_) member.peer->tick(now);
  guarded([this] {
    answer_from_disk_when_stalled();
    summarize_when_due();
    publish_when_changed();
    advance_unloading();
  });
}

void Room::set_in_bin(bool is_in_bin) {
  is_in_bin_ = is_in_bin;
  advance_holding();
  if (!is_in_bin || (state_ != State::kOpen && state_ != State::kLoading)) return;
  close_all(CloseReason::kNotFound);
  guarded([this] { advance_unloading(); });
}

void Room::drain() {
  drain_is_wanted_ = true;
  if (state_ != State::kOpen) return;
  state_ = State::kDraining;
  advance_holding();
  advance_draining();
}

// --- What who stores the document as a whole, or takes it away, says. ---

bool Room::hold(const Peer& holder) {
  if (state_ != State::kOpen || applied_seq_ > 0 || !is_member(holder)) return false;
  members_.erase(holder.connection());
  state_ = State::kHeld;
  was_held_ = true;
  close_all(CloseReason::kRestart);
  return true;
}

void Room::hold_in_bin(std::function<void(Held)> done) {
  if (holder_) return done(Held::kNo);
  holder_ = std::move(done);
  advance_holding();
}

void Room::advance_holding() {
  if (!holder_ || state_ == State::kLoading) return;
  if (state_ != State::kOpen) return answer_holder(Held::kNo);
  if (!is_in_bin_.value_or(false)) return answer_holder(Held::kNotInBin);
  if (!is_all_written()) return;
  state_ = State::kHeld;
  answer_holder(Held::kYes);
}

void Room::answer_holder(Held held) {
  was_held_ = was_held_ || held == Held::kYes;
  std::exchange(holder_, nullptr)(held);
}

void Room::let_go() {
  if (state_ != State::kHeld) return;
  state_ = State::kGone;
  host_.abandon(*this);
}

// --- What a peer says. ---

void Room::join(Peer& peer) {
  switch (state_) {
    case State::kLoading:
    case State::kOpen:
      break;
    case State::kDraining:
    case State::kHeld:
      return peer.close({CloseReason::kRestart, retry_of(peer.connection())});
    case State::kBroken:
      return peer.close({CloseReason::kInternal});
    case State::kGone:
      return peer.close({drain_is_wanted_ || was_held_ ? CloseReason::kRestart
                                                       : CloseReason::kStorageUnavailable});
  }
  if (is_in_bin_.value_or(false)) return peer.close({CloseReason::kNotFound});
  const bool is_new = members_.try_emplace(peer.connection(), Member{&peer, peer.client()}).second;
  PALIMPSEST_ASSERT(is_new);
  status_is_stale_ = true;
  if (state_ == State::kOpen) peer.opened();
}

void Room::leave(Peer& peer) {
  if (!is_member(peer)) return;
  members_.erase(peer.connection());
  drop_incomplete_of(peer.connection());
  status_is_stale_ = true;
  const Instant now = clock_.now();
  if (members_.empty()) idle_since_ = now;
  const std::vector<crdt::AwarenessState> gone = presence_.leave(peer.connection(), now);
  if (!gone.empty()) send_awareness(gone);
}

void Room::receive(Peer& author, crdt::ByteView bytes, std::optional<storage::Time> made_at) {
  if (state_ != State::kOpen || !is_member(author)) return;
  const auto kept = std::make_shared<const crdt::Bytes>(bytes.begin(), bytes.end());
  const crdt::Update update = crdt::Update::decode(*kept);
  if (!lost_.empty() && lost_.reached_by(update.authored())) {
    return close_peer(author, {CloseReason::kGenerationChanged});
  }
  if (journal_.is_overfull()) {
    return close_peer(author, {CloseReason::kStorageUnavailable, retry_of(author.connection())});
  }
  guarded([&] { take(author, update, kept, made_at); });
}

void Room::sync(Peer& peer, crdt::ByteView known) {
  if (state_ != State::kOpen || !is_member(peer)) return;
  if (!lost_.empty() && lost_.reached_by(crdt::StateVector::decode(known))) {
    return close_peer(peer, {CloseReason::kGenerationChanged});
  }
  members_.at(peer.connection()).has_said_what_it_has = true;
  guarded([&] {
    Release release;
    release.awaited = applied_seq_;
    release.connection = peer.connection();
    release.answer = answer_to(known);
    release.known.assign(known.begin(), known.end());
    release_when_durable(std::move(release));
    answer_from_disk_when_stalled();
  });
}

void Room::catch_up(Peer& peer, const std::map<crdt::ClientId, crdt::Clock>& missed_clocks) {
  if (state_ != State::kOpen || !is_member(peer)) return;
  guarded([&] {
    crdt::StateVector known = doc_->state_vector();
    std::vector<crdt::Update::Authored> authored;
    for (const auto& [client, first] : missed_clocks) {
      const crdt::Clock next = known.clock_of(client);
      authored.push_back({client, first, std::max(first, next)});
      if (first < next) known.set(client, first);
    }
    Release release;
    release.awaited = applied_seq_;
    release.connection = peer.connection();
    release.to_connection = released(doc_->encode_since(known), std::move(authored));
    release_when_durable(std::move(release));
  });
}

void Room::receive_awareness(Peer& sender, crdt::ByteView update) {
  if (state_ != State::kOpen || !is_member(sender)) return;
  const Presence::Received received = presence_.receive(sender.connection(), update, clock_.now());
  status_is_stale_ |= received.people_changed;
  if (!received.news.empty()) send_awareness(received.news);
  if (!received.reminder.empty()) sender.deliver_awareness(awareness_frame(received.reminder));
}

// --- What a peer may ask. ---

Frame Room::sync_step1() const {
  return sync_frame(crdt::SyncMessage::Kind::kStep1, doc_->state_vector().encode());
}

Frame Room::awareness() const { return awareness_frame(presence_.present()); }

Frame Room::awareness_and_departures() const { return awareness_frame(presence_.all()); }

// --- The way of an update. ---

// An update is applied, given to the journal, and everything that follows from it is queued behind
// its seq. One that adds nothing is not logged, but its author hears of it as of any other, once
// what it repeats is on disk.
void Room::take(Peer& author, const crdt::Update& update,
                const std::shared_ptr<const crdt::Bytes>& bytes,
                std::optional<storage::Time> made_at) {
  if (const std::optional<CloseReason> refusal = refusal_of(update)) {
    return close_peer(author, {*refusal});
  }
  const Acknowledged acknowledged{1, bytes->size()};
  if (doc_->covers(update)) return acknowledge_known(author.connection(), bytes, acknowledged);
  if (std::optional<crdt::Bytes> novel = doc_->novel_part(update)) {
    const auto part = std::make_shared<const crdt::Bytes>(std::move(*novel));
    return take_novel(author, crdt::Update::decode(*part), part, made_at, acknowledged);
  }
  take_novel(author, update, bytes, made_at, acknowledged);
}

void Room::take_novel(Peer& author, const crdt::Update& update,
                      const std::shared_ptr<const crdt::Bytes>& bytes,
                      std::optional<storage::Time> made_at, Acknowledged acknowledged) {
  if (is_full_for(update)) return close_peer(author, {CloseReason::kDocumentFull});
  const crdt::Doc::Applied applied = doc_->apply(update);
  Release release;
  release.connection = author.connection();
  if (applied.changed) {
    log(author, update, bytes, made_at);
    release.to_others = released(*bytes, update.authored());
  }
  if (applied.complete) {
    release.acknowledged = acknowledged;
    if (author.wants_own_updates()) release.to_connection = release.to_others;
  }
  release.awaited = applied_seq_;
  release_when_durable(std::move(release));
  if (!applied.complete) keep_incomplete(author, {author.connection(), bytes, acknowledged});
  if (applied.changed) acknowledge_completed();
  if (is_checkpoint_due()) checkpoint();
}

void Room::acknowledge_known(std::uint64_t connection,
                             const std::shared_ptr<const crdt::Bytes>& bytes,
                             Acknowledged acknowledged) {
  Release release;
  release.awaited = applied_seq_;
  release.connection = connection;
  release.acknowledged = acknowledged;
  if (members_.at(connection).peer->wants_own_updates()) {
    release.to_connection = released(*bytes, crdt::Update::decode(*bytes).authored());
  }
  release_when_durable(std::move(release));
}

void Room::log(const Peer& author, const crdt::Update& update,
               std::shared_ptr<const crdt::Bytes> bytes, std::optional<storage::Time> made_at) {
  ++applied_seq_;
  ++tail_updates_;
  tail_bytes_ += bytes->size();
  encoded_bytes_ += bytes->size();
  answers_.clear();

  storage::Append append;
  append.document = name_;
  append.seq = applied_seq_;
  append.at = clock_.wall();
  append.made_at = made_at;
  const std::vector<crdt::Update::Authored> authored = update.authored();
  name_authors(append, author, authored, sender_of(author, authored));
  append.connection = author.connection();
  append.update = std::move(bytes);
  journal_.append(std::move(append), as_client());
}

// As whom a peer sends something: as the client that it speaks for in awareness; of several, rather
// one whose content this is. Where it has not said who it is, as the client of the content, and
// where there is none, as that of what it sent before.
crdt::ClientId Room::sender_of(const Peer& peer, std::span<const crdt::Update::Authored> authored) {
  crdt::ClientId& wrote_as = members_.at(peer.connection()).wrote_as;
  const std::vector<crdt::ClientId> own = presence_.clients_of(peer.connection());
  for (const crdt::Update::Authored& range : authored) {
    const bool is_own = std::find(own.begin(), own.end(), range.client) != own.end();
    if (is_own) return wrote_as = range.client;
  }
  if (!own.empty()) return own.front();
  if (!authored.empty()) wrote_as = authored.front().client;
  return wrote_as;
}

// A client that does not say who it is, is taken for the person who sends its content.
void Room::name_authors(storage::Append& append, const Peer& peer,
                        std::span<const crdt::Update::Authored> authored,
                        crdt::ClientId sender) const {
  append.author = {sender, name_of(sender, peer)};
  for (const crdt::Update::Authored& range : authored) {
    if (range.client == sender) continue;
    std::string name = name_of(range.client, peer);
    append.others.push_back({range.client, name.empty() ? append.author.name : std::move(name)});
  }
}

std::string Room::name_of(crdt::ClientId client, const Peer& sender) const {
  std::string name = presence_.name_of(client);
  return name.empty() ? sender.name_of(client) : name;
}

std::optional<CloseReason> Room::refusal_of(const crdt::Update& update) const {
  const std::optional<crdt::Refusal> refusal = doc_->check(update, options_.limits);
  if (!refusal) return std::nullopt;
  switch (*refusal) {
    case crdt::Refusal::kPendingFull:
      return CloseReason::kTryLater;
    case crdt::Refusal::kTooManyClients:
      return CloseReason::kDocumentFull;
    case crdt::Refusal::kTooDeep:
      break;
  }
  return CloseReason::kBadMessage;
}

// Deleting is always allowed: it is the way out. The size is known as a bound only, since the sum
// of all updates is larger than the document; it is measured when the bound is passed, once a
// state.
bool Room::is_full_for(const crdt::Update& update) {
  const std::size_t bytes = update.size_bytes();
  if (encoded_bytes_ + bytes <= options_.document_bytes || update.authored().empty()) return false;
  if (measured_seq_ != applied_seq_) {
    encoded_bytes_ = doc_->encode().size();
    measured_seq_ = applied_seq_;
  }
  return encoded_bytes_ + bytes > options_.document_bytes;
}

void Room::keep_incomplete(Peer& author, Incomplete incomplete) {
  incomplete_bytes_ += incomplete.update->size();
  incomplete_.push_back(std::move(incomplete));
  if (incomplete_bytes_ > options_.unacknowledged_bytes ||
      incomplete_.size() > options_.unacknowledged_updates) {
    close_peer(author, {CloseReason::kTryLater});
  }
}

void Room::acknowledge_completed() {
  std::vector<Incomplete> complete;
  std::erase_if(incomplete_, [&](Incomplete& incomplete) {
    if (!doc_->covers(crdt::Update::decode(*incomplete.update))) return false;
    incomplete_bytes_ -= incomplete.update->size();
    complete.push_back(std::move(incomplete));
    return true;
  });
  for (const Incomplete& update : complete) {
    acknowledge_known(update.connection, update.update, update.acknowledged);
  }
}

void Room::drop_incomplete_of(std::uint64_t connection) {
  std::erase_if(incomplete_, [&](const Incomplete& incomplete) {
    if (incomplete.connection != connection) return false;
    incomplete_bytes_ -= incomplete.update->size();
    return true;
  });
}

// --- What leaves. ---

void Room::release_when_durable(Release release) {
  if (release.awaited > durable_seq_) {
    releases_.push_back(std::move(release));
    return;
  }
  hand_out(release);
  const auto member = members_.find(release.connection);
  if (member != members_.end()) acknowledge(member->second);
}

void Room::on_committed(storage::Seq seq) {
  durable_seq_ = seq;
  if (state_ == State::kBroken) return advance_unloading();
  if (state_ == State::kGone) return;
  while (!releases_.empty() && releases_.front().awaited <= durable_seq_) {
    hand_out(releases_.front());
    releases_.pop_front();
  }
  for (auto& [connection, member] : members_) acknowledge(member);
  status_is_stale_ = true;
  advance_holding();
  if (state_ == State::kDraining) advance_draining();
}

void Room::hand_out(const Release& release) {
  if (release.to_others) {
    for (auto& [connection, member] : members_) {
      if (connection != release.connection && may_see(member)) {
        member.peer->deliver(release.to_others);
      }
    }
  }
  const auto found = members_.find(release.connection);
  if (found == members_.end()) return;
  Member& member = found->second;
  if (release.to_connection) member.peer->deliver(release.to_connection);
  if (release.answer) member.peer->deliver_sync(*release.answer);
  member.ready.updates += release.acknowledged.updates;
  member.ready.bytes += release.acknowledged.bytes;
}

// A peer whose copy may be of an earlier generation gets nothing to merge with it. What it was not
// handed out is in the answer to its sync step 1.
bool Room::may_see(const Member& member) const {
  return lost_.empty() || member.has_said_what_it_has;
}

void Room::acknowledge(Member& member) {
  const Acknowledged ready = std::exchange(member.ready, {});
  if (ready.updates > 0) member.peer->acknowledge(ready);
}

void Room::send_awareness(std::span<const crdt::AwarenessState> states) {
  const Frame frame = awareness_frame(states);
  for (auto& [connection, member] : members_) member.peer->deliver_awareness(frame);
}

Frame Room::answer_to(crdt::ByteView known) {
  for (const Answer& answer : answers_) {
    if (std::ranges::equal(answer.known, known)) return answer.message;
  }
  const crdt::Bytes lacking = doc_->encode_since(crdt::StateVector::decode(known));
  if (answers_.size() == kRememberedAnswers) answers_.erase(answers_.begin());
  answers_.push_back({crdt::Bytes(known.begin(), known.end()),
                      sync_frame(crdt::SyncMessage::Kind::kStep2, lacking)});
  return answers_.back().message;
}

// A full disk may stay full for long, and reading goes on: whoever waits for an answer gets one of
// what is stored. What is not reaches them as it reaches everybody, when it is.
void Room::answer_from_disk_when_stalled() {
  if (is_reading_stored_ || !journal_.is_stalled()) return;
  const auto waits = [](const Release& release) { return release.answer.has_value(); };
  if (std::none_of(releases_.begin(), releases_.end(), waits)) return;
  is_reading_stored_ = true;
  host_.read_stored(*this);
}

void Room::stored_read(const std::optional<LoadedDocument>& stored) {
  is_reading_stored_ = false;
  // What has come to disk while it was read is not in it, and was handed out already.
  if (!stored || stored->last_seq < durable_seq_) return;
  for (Release& release : releases_) {
    if (!std::exchange(release.answer, std::nullopt)) continue;
    const auto asker = members_.find(release.connection);
    if (asker == members_.end()) continue;
    const crdt::StateVector known = crdt::StateVector::decode(release.known);
    asker->second.peer->deliver_sync(
        sync_frame(crdt::SyncMessage::Kind::kStep2, stored->doc.encode_since(known)));
  }
}

// --- The journal. ---

void Room::committed(storage::Seq seq) noexcept {
  boost::asio::post(strand_, [room = shared_from_this(), seq] { room->on_committed(seq); });
}

void Room::checkpointed(storage::Seq seq) noexcept {
  boost::asio::post(strand_, [room = shared_from_this(), seq] { room->on_checkpointed(seq); });
}

void Room::failed() noexcept {
  boost::asio::post(strand_, [room = shared_from_this()] { room->on_storage_failed(); });
}

// What was applied may or may not be on disk, and nobody is told that it is. The document that the
// next peer gets is what the store has.
void Room::on_storage_failed() {
  if (state_ == State::kGone) return;
  state_ = State::kGone;
  close_all(CloseReason::kStorageUnavailable);
  advance_holding();
  host_.abandon(*this);
}

std::shared_ptr<Journal::Client> Room::as_client() { return {shared_from_this(), this}; }

// --- Peers. ---

bool Room::is_member(const Peer& peer) const {
  const auto found = members_.find(peer.connection());
  return found != members_.end() && found->second.peer == &peer;
}

void Room::close_peer(Peer& peer, Close close) {
  leave(peer);
  peer.close(close);
}

void Room::close_all(CloseReason reason) {
  const std::map<std::uint64_t, Member> members = std::exchange(members_, {});
  incomplete_.clear();
  incomplete_bytes_ = 0;
  idle_since_ = clock_.now();
  for (const auto& [connection, member] : members) {
    Close close{reason};
    if (reason == CloseReason::kRestart) close.retry = retry_of(connection);
    member.peer->close(close);
  }
}

// The room's edge: a bug costs this room's peers their connection, and nobody anything else.
template <class Work>
void Room::guarded(Work work) {
  try {
    work();
  } catch (const crdt::Bug& bug) {
    break_with(bug.what());
  }
}

void Room::break_with(const char* cause) {
  log_.error("document {}: loading it anew after a bug: {}", name_, cause);
  state_ = State::kBroken;
  close_all(CloseReason::kInternal);
  releases_.clear();
  doc_.reset();
  advance_holding();
  advance_unloading();
}

// --- Checkpoints, and the way out of memory. ---

bool Room::is_all_written() const { return durable_seq_ == applied_seq_ && !checkpointing_; }

bool Room::is_checkpoint_due() const {
  return !checkpointing_ &&
         (tail_updates_ > options_.checkpoint_updates || tail_bytes_ > options_.checkpoint_bytes);
}

void Room::checkpoint() {
  storage::Checkpoint checkpoint;
  checkpoint.document = name_;
  checkpoint.seq = applied_seq_;
  checkpoint.state = doc_->encode();
  Summary summary = summarize(doc_->text(kTitleRoot));
  checkpoint.title = summary.title;
  checkpoint.excerpt = summary.excerpt;

  encoded_bytes_ = checkpoint.state.size();
  measured_seq_ = applied_seq_;
  tail_updates_ = 0;
  tail_bytes_ = 0;
  checkpointing_ = Checkpointing{applied_seq_, std::move(summary)};
  journal_.checkpoint(std::move(checkpoint), as_client());
}

void Room::on_checkpointed(storage::Seq seq) {
  if (!checkpointing_ || checkpointing_->seq != seq) return;
  summary_ = std::move(checkpointing_->summary);
  summary_seq_ = seq;
  status_is_stale_ = true;
  checkpointing_.reset();
  host_.checkpointed(*this);
  guarded([this] {
    if (state_ == State::kOpen && is_checkpoint_due()) checkpoint();
    if (state_ == State::kDraining) return advance_draining();
    advance_holding();
    advance_unloading();
  });
}

// Only of what is on disk, and not at every keystroke.
void Room::summarize_when_due() {
  const Instant now = clock_.now();
  if (summary_seq_ == applied_seq_ || durable_seq_ != applied_seq_) return;
  if (encoded_bytes_ > kCheapSummaryBytes) return;
  if (now - summarized_at_ < options_.summary_interval) return;
  summary_ = summarize(doc_->text(kTitleRoot));
  summary_seq_ = applied_seq_;
  summarized_at_ = now;
  status_is_stale_ = true;
}

void Room::publish_when_changed() {
  if (!std::exchange(status_is_stale_, false)) return;
  host_.publish({name_, presence_.people(), members_.size(), durable_seq_, summary_});
}

// Whatever is not on disk keeps the room; a peer that comes meanwhile finds it as it was.
void Room::advance_unloading() {
  if (state_ == State::kBroken && is_all_written()) {
    state_ = State::kGone;
    return host_.abandon(*this);
  }
  if (state_ != State::kOpen || !members_.empty()) return;
  const bool may_come_back = !is_in_bin_.value_or(false);
  if (may_come_back && clock_.now() - idle_since_ < options_.idle_before_unload) return;
  if (tail_updates_ > 0 && !checkpointing_) return checkpoint();
  if (is_all_written() && host_.retire(*this)) state_ = State::kGone;
}

// First everything to disk and to the peers, then the good-bye, then a checkpoint. Nobody waits for
// room on a full disk: who was not told that it is saved sends it again.
void Room::advance_draining() {
  const bool is_durable = durable_seq_ == applied_seq_;
  if (!is_durable && !journal_.is_stalled()) return;
  close_all(CloseReason::kRestart);
  if (!is_durable) return;
  if (tail_updates_ > 0 && !checkpointing_) return guarded([this] { checkpoint(); });
  if (checkpointing_) return;
  state_ = State::kGone;
  host_.abandon(*this);
}

}  // namespace palimpsest::server
