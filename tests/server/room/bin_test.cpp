#include "room/room.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace palimpsest;
using namespace std::chrono_literals;
using server::Close;
using server::CloseReason;
using testing::Client;
using testing::Server;

TEST_CASE("U7: a document that is put into the bin is closed for everybody until it is out again",
          "[directory]") {
  Server server;
  Client ann(server, "notes", 1);
  ann.connect();
  ann.append("hello");
  settle(server, {&ann});
  const auto set = [&](bool is_in_bin) {
    server.journal().run({.write =
                              [&server, is_in_bin](storage::Writer& writer) {
                                if (is_in_bin) writer.put_into_bin("notes", server.clock().wall());
                                if (!is_in_bin) writer.take_from_bin("notes");
                              },
                          .done = [](bool) {}});
    server.commit();
    server.directory().set_in_bin("notes", is_in_bin);
    server.run();
  };
  set(true);
  settle(server, {&ann});
  CHECK(ann.closed == Close{CloseReason::kNotFound});
  CHECK(server::close_code(CloseReason::kNotFound) == 4404);
  ann.disconnect();
  for (int second = 0; second < 2; ++second) {
    server.pass(1s);
    server.commit();
  }
  CHECK(server.directory().room_count() == 0);  // long before it would have been unloaded

  Client bob(server, "notes", 2);
  bob.connect();
  bob.append("over it");
  settle(server, {&bob});
  CHECK(bob.closed == Close{CloseReason::kNotFound});
  CHECK(server.stored_text("notes") == "hello");
  bob.disconnect();

  set(false);  // while its room may still be there
  Client cid(server, "notes", 3);
  cid.connect();
  settle(server, {&cid});
  CHECK_FALSE(cid.closed);
  CHECK(cid.text() == "hello");
}

TEST_CASE("a document that is put into the bin while it is loaded, or taken out, is as was said",
          "[directory]") {
  const bool is_in_bin = GENERATE(true, false);
  Server server;
  {
    Client ann(server, "notes", 1);
    ann.connect();
    ann.append("hello");
    settle(server, {&ann});
  }
  server.pass(61s);
  server.commit();
  server.pass(1s);
  REQUIRE(server.directory().room_count() == 0);
  Client bob(server, "notes", 2);
  bob.open();  // its load has not run yet
  server.directory().set_in_bin("notes", is_in_bin);
  settle(server, {&bob});
  CHECK(bob.closed.has_value() == is_in_bin);
}
