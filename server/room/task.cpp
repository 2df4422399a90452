#include "room/task.hpp"

#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "room/journal.hpp"

namespace palimpsest::server {

namespace asio = boost::asio;

asio::awaitable<bool> write(Journal& journal, const std::function<void(storage::Writer&)>& work) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
      [&journal](auto handler, std::function<void(storage::Writer&)> what) {
        const auto executor = asio::get_associated_executor(handler);
        // A function has to be copyable, and a handler is not.
        const auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
        const auto guard = asio::make_work_guard(executor);
        journal.run({.write = std::move(what), .done = [waiting, guard](bool is_done) {
                       asio::post(guard.get_executor(),
                                  [waiting, is_done] { std::move (*waiting)(is_done); });
                     }});
      },
      asio::use_awaitable, work);
}

}  // namespace palimpsest::server
