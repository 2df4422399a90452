#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "storage/history.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::http {

// The histories last asked for, within a budget, and the strand that they are at home on.
//
// Home: any thread; looking is done on the executor for reading, one look at a time.
class Histories {
 public:
  Histories(storage::Store& store, const boost::asio::any_io_executor& reading);
  ~Histories();

  // What `look(History&, Reader&)` answers, of a history as far as its log is on disk. Throws
  // Problem: 404 where there is no such document, 507 where its history is larger than may be; and
  // whatever `look` throws.
  template <class Look>
  auto look_with_reader(std::string document, Look look)
      -> boost::asio::awaitable<std::invoke_result_t<Look&, storage::History&, storage::Reader&>> {
    using Answer = std::invoke_result_t<Look&, storage::History&, storage::Reader&>;
    auto answer = std::make_shared<std::optional<Answer>>();
    // Named, since g++ 12 destroys what a temporary closure captured twice within a co_await.
    Visit visit = [answer, look = std::move(look)](storage::History& history,
                                                   storage::Reader& reader) mutable {
      answer->emplace(look(history, reader));
    };
    co_await show(std::move(document), std::move(visit));
    co_return std::move(**answer);
  }
  // The same of what needs the history only.
  template <class Look>
  auto look(std::string document, Look look)
      -> boost::asio::awaitable<std::invoke_result_t<Look&, storage::History&>> {
    return look_with_reader(
        std::move(document),
        [look = std::move(look)](storage::History& history, storage::Reader&) mutable {
          return look(history);
        });
  }

  // What `ask(Reader&)` answers, of no history.
  template <class Ask>
  auto ask(Ask ask) -> boost::asio::awaitable<std::invoke_result_t<Ask&, storage::Reader&>> {
    using Answer = std::invoke_result_t<Ask&, storage::Reader&>;
    auto answer = std::make_shared<std::optional<Answer>>();
    Question question = [answer, ask = std::move(ask)](storage::Reader& reader) mutable {
      answer->emplace(ask(reader));
    };
    co_await put(std::move(question));
    co_return std::move(**answer);
  }
  // Lets go of the history of a document that is gone.
  boost::asio::awaitable<void> forget(std::string document);

 private:
  class Shelf;
  using Visit = std::function<void(storage::History&, storage::Reader&)>;
  using Question = std::function<void(storage::Reader&)>;

  boost::asio::awaitable<void> show(std::string document, Visit visit);
  boost::asio::awaitable<void> put(Question question);

  std::shared_ptr<Shelf> shelf_;
};

}  // namespace palimpsest::server::http
