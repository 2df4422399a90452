#pragma once

#include <memory>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace palimpsest::server {

// The handler of an asynchronous operation as a function of its result that may be called on any
// thread, once, and kept in a std::function: the handler goes on on its own executor, which has
// work until then.
template <class Handler>
auto post_result(Handler handler) {
  namespace asio = boost::asio;
  const auto executor = asio::get_associated_executor(handler);
  // A function has to be copyable, and a handler is not.
  const auto waiting = std::make_shared<Handler>(std::move(handler));
  return [waiting, guard = asio::make_work_guard(executor)](auto result) {
    asio::post(guard.get_executor(), [waiting, result = std::move(result)]() mutable {
      std::move (*waiting)(std::move(result));
    });
  };
}

}  // namespace palimpsest::server
