#include "room/task.hpp"

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "room/journal.hpp"
#include "room/post_result.hpp"

namespace palimpsest::server {

namespace asio = boost::asio;

asio::awaitable<bool> write(Journal& journal, const std::function<void(storage::Writer&)>& work) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
      [&journal](auto handler, std::function<void(storage::Writer&)> what) {
        journal.run({.write = std::move(what), .done = post_result(std::move(handler))});
      },
      asio::use_awaitable, work);
}

}  // namespace palimpsest::server
