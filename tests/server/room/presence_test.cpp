#include "room/presence.hpp"

#include "crdt/error.hpp"
#include "crdt/writer.hpp"
#include "support/catch.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using crdt::AwarenessState;
using server::Instant;
using server::Person;
using server::Presence;

namespace {

constexpr std::uint64_t kAnn = 1;  // connections
constexpr std::uint64_t kBob = 2;
const Instant kStart{1h};

crdt::Bytes one(crdt::ClientId client, std::uint64_t clock, std::string json) {
  const AwarenessState state{client, clock, std::move(json)};
  return crdt::encode_awareness({&state, 1});
}

std::string nested(std::size_t depth) {
  std::string json;
  for (std::size_t i = 0; i < depth; ++i) json += "{\"a\":";
  json += "1";
  json.append(depth, '}');
  return json;
}

}  // namespace

TEST_CASE("awareness updates are read as they are written", "[awareness]") {
  const std::vector<AwarenessState> states{{1, 2, "{}"}, {crdt::kMaxSafeInteger, 0, "null"}};
  CHECK(crdt::decode_awareness(crdt::encode_awareness(states)) == states);
  CHECK(crdt::decode_awareness(crdt::encode_awareness({})).empty());
}

TEST_CASE("A1: an awareness update that claims more than it has is refused before memory is taken",
          "[awareness]") {
  crdt::Writer writer;
  writer.write_var_uint(std::uint64_t{1} << 40);
  writer.write_var_uint(1);
  CHECK_THROWS_AS(crdt::decode_awareness(writer.view()), crdt::DecodeError);
  CHECK_THROWS_AS(crdt::decode_awareness({}), crdt::DecodeError);
  crdt::Bytes with_more = one(1, 1, "{}");
  with_more.push_back(0);
  CHECK_THROWS_AS(crdt::decode_awareness(with_more), crdt::DecodeError);
}

TEST_CASE("the state with the highest clock wins, and the end of a state counts as newer",
          "[awareness]") {
  crdt::Awareness awareness;
  CHECK(awareness.apply({7, 3, "{\"a\":1}"}));
  CHECK_FALSE(awareness.apply({7, 3, "{\"a\":2}"}));
  CHECK_FALSE(awareness.apply({7, 2, "null"}));
  CHECK(awareness.apply({7, 3, "null"}));
  CHECK_FALSE(awareness.apply({7, 3, "null"}));
  CHECK_FALSE(awareness.apply({7, 3, "{}"}));
  CHECK(awareness.apply({7, 4, "{}"}));
  CHECK(awareness.remove(7) == AwarenessState{7, 5, "null"});
  CHECK(awareness.find(7)->is_gone());
  awareness.forget(7);
  CHECK(awareness.find(7) == nullptr);
}

TEST_CASE("a clock at the end of its range can still be taken for gone", "[awareness]") {
  crdt::Awareness awareness;
  awareness.apply({7, crdt::kMaxSafeInteger, "{}"});
  CHECK(awareness.remove(7) == AwarenessState{7, crdt::kMaxSafeInteger, "null"});
}

TEST_CASE("a person has the name and colour of the state, made fit to show", "[presence]") {
  struct Case {
    const char* json;
    Person person;
  };
  const Case example = GENERATE(values<Case>({
      {R"({"user":{"name":"Ann","color":"#30bced","colorLight":"#30bced33"},"cursor":null})",
       {7, "Ann", "#30bced"}},
      {R"({"user":{"name":" A\u202en\u0007n "}})", {7, "Ann", ""}},
      {R"({"user":{"name":"\ud83d"}})", {7, "\xEF\xBF\xBD", ""}},
      {R"({"user":{"name":5,"color":"red"}})", {7, "", ""}},
      {R"({"user":{"color":"#12345g"}})", {7, "", ""}},
      {R"({"user":"Ann"})", {7, "", ""}},
      {R"({})", {7, "", ""}},
      {R"([1])", {7, "", ""}},
      {R"("text")", {7, "", ""}},
  }));
  CAPTURE(example.json);
  CHECK(server::person_of(7, example.json, 8) == example.person);
}

TEST_CASE("A7: a name is at most 64 characters long", "[presence]") {
  const std::string json = R"({"user":{"name":")" + std::string(10'000, 'x') + "\"}}";
  CHECK(server::person_of(7, json, 8).name == std::string(64, 'x'));
}

TEST_CASE("A1: a state that is too large, too deep or no JSON is refused, and changes nothing",
          "[presence]") {
  Presence presence;
  presence.receive(kAnn, one(7, 1, "{}"), kStart);
  CHECK_THROWS_AS(presence.receive(kAnn, one(7, 2, nested(9)), kStart), crdt::DecodeError);
  CHECK_THROWS_AS(presence.receive(kAnn, one(7, 2, "{\"a\":"), kStart), crdt::DecodeError);
  CHECK_THROWS_AS(presence.receive(kAnn, one(7, 2, "\"" + std::string(4095, 'x') + "\""), kStart),
                  crdt::DecodeError);
  const AwarenessState states[] = {{8, 1, "{}"}, {9, 1, "{"}};
  CHECK_THROWS_AS(presence.receive(kAnn, crdt::encode_awareness(states), kStart),
                  crdt::DecodeError);
  CHECK(presence.present() == std::vector<AwarenessState>{{7, 1, "{}"}});

  CHECK(presence.receive(kAnn, one(7, 2, nested(8)), kStart).news.size() == 1);
  CHECK(
      presence.receive(kAnn, one(7, 3, "\"" + std::string(4094, 'x') + "\""), kStart).news.size() ==
      1);
}

TEST_CASE("a newer state is news, an old one is not", "[presence]") {
  Presence presence;
  CHECK(presence.receive(kAnn, one(7, 1, "{}"), kStart).news.size() == 1);
  CHECK(presence.receive(kAnn, one(7, 1, "{}"), kStart).news.empty());
  CHECK(presence.receive(kAnn, one(7, 0, "{}"), kStart).news.empty());
  CHECK(presence.receive(kAnn, one(7, 2, "{}"), kStart).news ==
        std::vector<AwarenessState>{{7, 2, "{}"}});
}

TEST_CASE("only a new name or colour, a coming or a going changes the people", "[presence]") {
  Presence presence;
  const std::string ann = R"({"user":{"name":"Ann"},"cursor":1})";
  const std::string ann_elsewhere = R"({"user":{"name":"Ann"},"cursor":2})";
  CHECK(presence.receive(kAnn, one(7, 1, ann), kStart).people_changed);
  CHECK_FALSE(presence.receive(kAnn, one(7, 2, ann_elsewhere), kStart).people_changed);
  CHECK(presence.receive(kAnn, one(7, 3, "{}"), kStart).people_changed);
  CHECK(presence.receive(kAnn, one(7, 4, "null"), kStart).people_changed);
  CHECK(presence.people().empty());
}

TEST_CASE("A2: what a connection says of another's client is dropped", "[presence]") {
  Presence presence;
  presence.receive(kAnn, one(7, 1, "{}"), kStart);
  CHECK(presence.receive(kBob, one(7, 5, R"({"user":{"name":"Bob"}})"), kStart + 19s).news.empty());
  CHECK(presence.receive(kBob, one(7, 5, "null"), kStart + 19s).news.empty());
  CHECK(presence.present() == std::vector<AwarenessState>{{7, 1, "{}"}});
  CHECK(presence.leave(kBob, kStart + 19s).empty());
}

TEST_CASE("a client that comes back on a new connection is heard before the old one has ended",
          "[presence]") {
  Presence presence;
  presence.receive(kAnn, one(7, 1, "{}"), kStart);
  CHECK(presence.receive(kBob, one(7, 2, "{}"), kStart + 20s).news.size() == 1);
  CHECK(presence.leave(kAnn, kStart + 21s).empty());
  CHECK(presence.present().size() == 1);
}

TEST_CASE("with its connection a client is gone, one clock later", "[presence]") {
  Presence presence;
  presence.receive(kAnn, one(7, 4, "{}"), kStart);
  presence.receive(kBob, one(8, 1, "{}"), kStart);
  CHECK(presence.leave(kAnn, kStart) == std::vector<AwarenessState>{{7, 5, "null"}});
  CHECK(presence.present() == std::vector<AwarenessState>{{8, 1, "{}"}});
  CHECK(presence.all().size() == 2);
}

TEST_CASE("A2: a late echo does not bring back a client that has gone", "[presence]") {
  Presence presence;
  presence.receive(kAnn, one(7, 4, "{}"), kStart);
  presence.leave(kAnn, kStart);
  CHECK(presence.receive(kBob, one(7, 4, "{}"), kStart).news.empty());
  CHECK(presence.receive(kBob, one(7, 6, "null"), kStart).news.empty());
  CHECK(presence.present().empty());
}

TEST_CASE("a client that was taken for gone is told so, and is back with its next state",
          "[presence]") {
  Presence presence;
  presence.receive(kAnn, one(7, 4, "{}"), kStart);
  presence.leave(kAnn, kStart);
  const Presence::Received received = presence.receive(kBob, one(7, 4, "{}"), kStart + 1s);
  CHECK(received.reminder == std::vector<AwarenessState>{{7, 5, "null"}});
  CHECK(presence.receive(kBob, one(7, 6, "{}"), kStart + 1s).news.size() == 1);
}

TEST_CASE("A6: a client that does not renew its state is gone after 30 s", "[presence]") {
  Presence presence;
  presence.receive(kAnn, one(7, 1, "{}"), kStart);
  presence.receive(kBob, one(8, 1, "{}"), kStart);
  presence.receive(kBob, one(8, 2, "{}"), kStart + 15s);
  CHECK(presence.expire(kStart + 29s).empty());
  CHECK(presence.expire(kStart + 30s) == std::vector<AwarenessState>{{7, 2, "null"}});
  CHECK(presence.expire(kStart + 31s).empty());
}

TEST_CASE("a client that has long gone is forgotten", "[presence]") {
  Presence presence;
  presence.receive(kAnn, one(7, 9, "{}"), kStart);
  presence.leave(kAnn, kStart);
  presence.expire(kStart + 10min);
  CHECK(presence.all().empty());
  CHECK(presence.receive(kAnn, one(7, 1, "{}"), kStart + 10min).news.size() == 1);
}

TEST_CASE("a connection speaks for a limited number of clients", "[presence]") {
  Presence presence;
  for (crdt::ClientId client = 0; client < 100; ++client) {
    presence.receive(kAnn, one(client, 1, "{}"), kStart);
  }
  CHECK(presence.present().size() == 64);
  CHECK(presence.clients_of(kAnn).size() == 64);
  CHECK(presence.receive(kAnn, one(5, 2, "{}"), kStart).news.size() == 1);
}
