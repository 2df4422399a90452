#pragma once

// A document on a server in this process, which somebody writes to through a socket.

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "crdt/doc.hpp"
#include "crdt/reader.hpp"
#include "crdt/update.hpp"
#include "crdt/writer.hpp"
#include "raw_client.hpp"
#include "support/catch.hpp"

namespace palimpsest::testing {

inline RawResponse get(const TestServer& server, const std::string& path) {
  return ask(server.port(), "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

inline RawResponse send_json(const TestServer& server, const std::string& method,
                             const std::string& path, const nlohmann::json& body) {
  const std::string text = body.dump();
  return ask(server.port(), method + " " + path +
                                " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                "Content-Length: " +
                                std::to_string(text.size()) + "\r\n\r\n" + text);
}

inline nlohmann::json post_json(const TestServer& server, const std::string& path,
                                const nlohmann::json& body, unsigned status = 200) {
  const RawResponse response = send_json(server, "POST", path, body);
  CAPTURE(path, response.body);
  CHECK(response.status == status);
  return nlohmann::json::parse(response.body);
}

inline nlohmann::json get_json(const TestServer& server, const std::string& path) {
  const RawResponse response = get(server, path);
  CAPTURE(path, response.body);
  CHECK(response.status == 200);
  CHECK(response.field("Content-Type") == "application/json");
  return nlohmann::json::parse(response.body);
}

// Client 7 says that it is Ada (y-protocols PROTOCOL.md).
inline std::string awareness_message() {
  crdt::Writer awareness;
  awareness.write_var_uint(1);
  awareness.write_var_uint(7);
  awareness.write_var_uint(1);
  awareness.write_var_string(R"({"user": {"name": "Ada"}})");
  crdt::Writer message;
  message.write_var_uint(1);
  message.write_var_bytes(awareness.view());
  return {message.view().begin(), message.view().end()};
}

// Writes a document through a socket; each change is on disk when the call returns.
class Author {
 public:
  explicit Author(const TestServer& server) : socket_(server.port(), "/notes?ack=1") {
    socket_.send({.payload = awareness_message()});
  }

  template <class Change>
  void write(Change&& change) {
    const crdt::Bytes update = doc_.transact(7, std::forward<Change>(change));
    socket_.send({.payload = update_message(update)});
    for (;;) {
      const auto frame = socket_.read(2);
      REQUIRE(frame);
      // So many further updates are durable; the first such message is of none.
      if (frame->payload.starts_with('\x08') && frame->payload.at(1) == 1) return;
    }
  }
  void insert(std::size_t index, const std::string& text) {
    write([&](crdt::Transaction& t) { t.text_insert("content", index, text); });
  }
  void erase(std::size_t index, std::size_t length) {
    write([&](crdt::Transaction& t) { t.text_delete("content", index, length); });
  }
  // Takes what the server says until the text is this.
  void wait_for(const std::string& text) {
    while (doc_.text("content") != text) {
      const auto frame = socket_.read(2);
      REQUIRE(frame);
      const crdt::Bytes bytes(frame->payload.begin(), frame->payload.end());
      crdt::Reader reader(bytes);
      if (reader.read_var_uint() != 0 || reader.read_var_uint() == 0) continue;
      doc_.apply(crdt::Update::decode(reader.read_var_bytes()));
    }
  }
  const crdt::Doc& doc() const { return doc_; }

 private:
  RawWebSocket socket_;
  crdt::Doc doc_;
};

}  // namespace palimpsest::testing
