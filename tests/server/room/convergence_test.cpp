#include <memory>

#include <rapidcheck.h>

#include "support.hpp"
#include "support/catch.hpp"

using namespace palimpsest;
using server::YWebsocket;
using testing::Client;
using testing::FaultyStore;
using testing::MemoryStore;
using testing::Server;

namespace {

constexpr std::size_t kClients = 4;

// A few people and a server that may die, on one document.
struct World {
  World() { start(); }

  void start() {
    server.reset();
    server = std::make_unique<Server>(
        disk, server::Room::Options{.idle_before_unload = std::chrono::milliseconds(0),
                                    .checkpoint_updates = 5});
  }

  MemoryStore disk;
  std::unique_ptr<Server> server;
};

struct Step {
  enum class Kind { kInsert, kErase, kConnect, kDisconnect, kRead, kRun, kCommit, kPass, kSay };
  Kind kind;
  std::size_t client;
  std::size_t place;
};

rc::Gen<Step> any_step() {
  using Kind = Step::Kind;
  const auto kind = rc::gen::weightedElement<Kind>({{10, Kind::kInsert},
                                                    {5, Kind::kErase},
                                                    {2, Kind::kConnect},
                                                    {1, Kind::kDisconnect},
                                                    {8, Kind::kRead},
                                                    {3, Kind::kRun},
                                                    {4, Kind::kCommit},
                                                    {1, Kind::kPass},
                                                    {3, Kind::kSay}});
  return rc::gen::construct<Step>(kind, rc::gen::inRange<std::size_t>(0, kClients),
                                  rc::gen::inRange<std::size_t>(0, 1000));
}

YWebsocket::Options options_of(std::size_t client) {
  YWebsocket::Options options;
  if (client == 0) options.acks = YWebsocket::Acks::kCount;
  if (client == 1) options.acks = YWebsocket::Acks::kEcho;
  if (client == 2) options.outbox = {.soft_bytes = 60, .hard_bytes = 1 << 20};
  return options;
}

std::ostream& operator<<(std::ostream& out, const Step& step) {
  static constexpr const char* kNames[] = {"insert", "erase",  "connect", "disconnect", "read",
                                           "run",    "commit", "pass",    "say"};
  return out << kNames[static_cast<int>(step.kind)] << '(' << step.client << ", " << step.place
             << ')';
}

void perform(const Step& step, Server& server, Client& client) {
  const std::size_t length = client.length();
  switch (step.kind) {
    case Step::Kind::kInsert:
      return client.insert(step.place % (length + 1), std::string(1 + step.place % 3, 'a'));
    case Step::Kind::kErase:
      if (length > 0) client.erase(step.place % length, 1);
      return;
    case Step::Kind::kConnect:
      if (!client.is_connected()) client.connect(options_of(step.client));
      return;
    case Step::Kind::kDisconnect:
      return client.disconnect();
    case Step::Kind::kRead:
      return client.read();
    case Step::Kind::kRun:
      return server.run();
    case Step::Kind::kCommit:
      return server.commit();
    case Step::Kind::kPass:
      return server.pass(std::chrono::seconds(1 + step.place % 20));
    case Step::Kind::kSay:
      if (client.is_connected()) client.say(R"({"user":{"name":"somebody"}})");
      return;
  }
}

std::vector<std::unique_ptr<Client>> make_clients(Server& server) {
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>(server, "doc", i + 1));
  }
  return clients;
}

std::vector<Client*> all_of(const std::vector<std::unique_ptr<Client>>& clients) {
  std::vector<Client*> all;
  for (const auto& client : clients) all.push_back(client.get());
  return all;
}

// All come, and stay until nobody has anything left to say. Who was closed for reading too slowly
// comes again.
void meet(Server& server, const std::vector<std::unique_ptr<Client>>& clients) {
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < kClients; ++i) {
      if (!clients[i]->is_connected()) clients[i]->connect(options_of(i));
    }
    settle(server, all_of(clients));
  }
}

}  // namespace

TEST_CASE(
    "whoever edits, comes, goes or dawdles: in the end all have the same text, and so has the "
    "disk",
    "[convergence]") {
  CHECK(rc::check([] {
    const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
    Server server({.idle_before_unload = std::chrono::milliseconds(0), .checkpoint_updates = 5});
    const auto clients = make_clients(server);
    for (const Step& step : steps) perform(step, server, *clients[step.client]);
    meet(server, clients);
    for (const auto& client : clients) {
      RC_ASSERT(client->is_connected());
      RC_ASSERT(client->text() == clients[0]->text());
      RC_ASSERT(client->doc().state_vector() == clients[0]->doc().state_vector());
      RC_ASSERT(client->doc().delete_set() == clients[0]->doc().delete_set());
    }
    RC_ASSERT(server.stored_text("doc") == clients[0]->text());
  }));
}

TEST_CASE("when the server dies at any moment, the disk has all that anybody had been sent",
          "[convergence]") {
  CHECK(rc::check([] {
    const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
    World world;
    crdt::StateVector seen;
    {
      auto clients = make_clients(*world.server);
      Client observer(*world.server, "doc", 99);
      observer.connect();
      for (const Step& step : steps) perform(step, *world.server, *clients[step.client]);
      observer.read();
      seen = observer.doc().state_vector();
    }
    world.start();
    const auto stored = server::build_document(world.server->store().reader()->load("doc"));
    const crdt::StateVector kept = stored.doc.state_vector();
    for (const auto& [client, clock] : seen.entries()) RC_ASSERT(kept.clock_of(client) >= clock);
  }));
}
