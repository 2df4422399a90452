#include "support.hpp"

#include <utility>

#include <spdlog/logger.h>

#include "crdt/reader.hpp"
#include "crdt/state_vector.hpp"
#include "crdt/writer.hpp"

namespace palimpsest::testing {

Server::Server(server::Room::Options options) : Server(own_disk_, options) {}

Server::Server(storage::Store& disk, server::Room::Options options,
               server::Journal::Options journal)
    : store_(disk) {
  journal_ = std::make_unique<server::Journal>(
      store_, clock_, journal,
      server::Journal::Handlers{
          .failed = [this](const storage::Error& error) { failures_.push_back(error.what()); }});
  directory_ =
      std::make_unique<server::Directory>(io_, io_.get_executor(), store_, *journal_, clock_,
                                          std::make_shared<spdlog::logger>("test"), options);
}

// Whatever the test left undone is not done: this server ends as by kill -9.
Server::~Server() {
  store_.before([](FaultyStore::Call) {
    throw storage::Error(storage::Error::Kind::kIo, "test: the server has ended");
  });
}

void Server::run() {
  io_.restart();
  io_.poll();
}

void Server::commit() {
  run();
  while (journal_->step()) run();
}

void Server::pass(std::chrono::seconds time) {
  for (std::chrono::seconds passed{0}; passed < time; ++passed) {
    clock_.advance(std::chrono::seconds(1));
    directory_->tick();
    run();
  }
}

std::string Server::stored_text(std::string_view document) {
  return server::build_document(store_.reader()->load(document)).doc.text("content");
}

std::vector<storage::LogEntry> Server::stored_log(std::string_view document) {
  return store_.reader()->log(document, 1, 1'000'000);
}

Client::Client(Server& server, std::string document, crdt::ClientId id)
    : server_(server), document_(std::move(document)), id_(id) {}

Client::~Client() = default;

void Client::open(server::YWebsocket::Options options) {
  options.connection = number_ = server_.next_connection();
  closed.reset();
  greeting.reset();
  server::Transport& transport = *this;
  connection_ =
      std::make_unique<server::YWebsocket>(server_.directory().open(document_), transport, options);
  connection_->open();
}

void Client::connect(server::YWebsocket::Options options) {
  open(options);
  server_.run();
  send_step1();
  read();
}

void Client::disconnect() {
  if (connection_) connection_->closed();
  connection_.reset();
  states.clear();
}

void Client::insert(std::size_t index_utf16, std::string_view text) {
  tell(doc_.transact(
      id_, [&](crdt::Transaction& change) { change.text_insert("content", index_utf16, text); }));
}

void Client::erase(std::size_t index_utf16, std::size_t length_utf16) {
  tell(doc_.transact(id_, [&](crdt::Transaction& change) {
    change.text_delete("content", index_utf16, length_utf16);
  }));
}

std::size_t Client::length() const { return crdt::length_utf16(text()); }

void Client::tell(const crdt::Bytes& update) {
  if (connection_ && !update.empty()) send_sync(crdt::SyncMessage::Kind::kUpdate, update);
}

void Client::say(crdt::ClientId id, std::uint64_t clock, std::string json) {
  send(awareness_message(id, clock, std::move(json)));
}

void Client::send(crdt::ByteView frame) {
  if (connection_) connection_->receive(frame);
}

void Client::send_sync(crdt::SyncMessage::Kind kind, crdt::ByteView payload) {
  send(sync_message(kind, payload));
}

void Client::send_step1() {
  send_sync(crdt::SyncMessage::Kind::kStep1, doc_.state_vector().encode());
}

void Client::read() {
  server_.run();
  while (connection_) {
    const auto next = connection_->next();
    if (!next) return;
    if (const auto* close = std::get_if<server::Close>(&*next)) {
      closed = *close;
      disconnect();
      return;
    }
    const auto& frame = std::get<server::Frame>(*next);
    frames.emplace_back(frame.bytes().begin(), frame.bytes().end());
    handle(frame.bytes());
  }
}

bool Client::take_frame() { return connection_->next().has_value(); }

void Client::handle(crdt::ByteView frame) {
  crdt::Reader reader(frame);
  switch (reader.read_var_uint()) {
    case 0:
      return handle_sync(crdt::SyncMessage::read(reader));
    case 1:
      for (const crdt::AwarenessState& state : crdt::decode_awareness(reader.read_var_bytes())) {
        states[state.client] = state;
      }
      return;
    case 8: {
      const std::uint64_t count = reader.read_var_uint();
      acknowledged += count;
      if (count == 0) greeting = reader.read_var_uint();
      return;
    }
    default:
      throw std::logic_error("a message that the server never sends");
  }
}

void Client::handle_sync(const crdt::SyncMessage& message) {
  if (message.kind == crdt::SyncMessage::Kind::kStep1) {
    ++asked;
    const crdt::StateVector known = crdt::StateVector::decode(message.payload);
    return send_sync(crdt::SyncMessage::Kind::kStep2, doc_.encode_since(known));
  }
  ++(message.kind == crdt::SyncMessage::Kind::kStep2 ? answers : updates);
  doc_.apply(crdt::Update::decode(message.payload));
}

crdt::Bytes sync_message(crdt::SyncMessage::Kind kind, crdt::ByteView payload) {
  crdt::Writer writer;
  writer.write_var_uint(0);
  crdt::SyncMessage{kind, payload}.write(writer);
  return std::move(writer).take();
}

crdt::Bytes awareness_message(crdt::ClientId id, std::uint64_t clock, std::string json) {
  const crdt::AwarenessState state{id, clock, std::move(json)};
  crdt::Writer writer;
  writer.write_var_uint(1);
  writer.write_var_bytes(crdt::encode_awareness({&state, 1}));
  return std::move(writer).take();
}

void settle(Server& server, std::vector<Client*> clients) {
  std::size_t frames_before = 0;
  std::size_t frames_after = 0;
  do {
    frames_before = frames_after;
    frames_after = 0;
    server.commit();
    for (Client* client : clients) client->read();
    for (const Client* client : clients) frames_after += client->frames.size();
  } while (frames_after != frames_before ||
           (server.journal().queued() > 0 && !server.journal().is_stalled()));
}

}  // namespace palimpsest::testing
