#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

namespace palimpsest::server::net {

using Strand = boost::asio::strand<boost::asio::io_context::executor_type>;

// The connections that are open, so that the server can end them when it stops.
//
// Home:     any thread, but for what its strand's users say. Changes happen on its strand.
// Lifetime: longer than the connections.
class Connections {
 public:
  using Id = std::uint64_t;
  // Makes the connection end soon: hands over to its own strand. Called on this object's strand.
  using Closer = std::function<void()>;

  explicit Connections(boost::asio::io_context& io) : strand_(boost::asio::make_strand(io)) {}

  const Strand& strand() const { return strand_; }
  // Never the same twice.
  Id next_id() { return ++last_id_; }

  // A later closer for the same id takes the place of the earlier, as when an HTTP connection
  // becomes a WebSocket. After close_all() it is called at once.
  void add(Id id, Closer closer);
  void remove(Id id);
  void close_all();

  std::size_t count() const { return count_; }

  // One of the connections that is a WebSocket, counted while this lives.
  class Session {
   public:
    explicit Session(Connections& connections) : count_(connections.session_count_) { ++count_; }
    ~Session() { --count_; }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

   private:
    std::atomic<std::size_t>& count_;
  };
  std::size_t session_count() const { return session_count_; }

 private:
  Strand strand_;
  std::unordered_map<Id, Closer> closers_;
  bool is_closing_ = false;
  std::atomic<Id> last_id_{0};
  std::atomic<std::size_t> count_{0};
  std::atomic<std::size_t> session_count_{0};
};

}  // namespace palimpsest::server::net
