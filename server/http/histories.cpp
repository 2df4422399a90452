#include "http/histories.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <list>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/problem.hpp"

namespace palimpsest::server::http {

namespace asio = boost::asio;
using storage::History;

constexpr std::size_t kBudgetBytes = std::size_t{256} << 20;
// Of updates, of which the log of one document may consist. Some twenty bytes are a keystroke.
constexpr std::size_t kLargestLogBytes = std::size_t{48} << 20;

class Histories::Shelf {
 public:
  Shelf(std::unique_ptr<storage::Reader> reader, const asio::any_io_executor& reading)
      : reader_(std::move(reader)), strand_(asio::make_strand(reading)) {}

  static asio::awaitable<void> show(const std::shared_ptr<Shelf>& self, std::string document,
                                    Visit visit) {
    return asio::co_spawn(self->strand_, open_for(self, std::move(document), std::move(visit)),
                          asio::use_awaitable);
  }

  static asio::awaitable<void> put(const std::shared_ptr<Shelf>& self, Question question) {
    return asio::co_spawn(self->strand_, read_for(self, std::move(question)), asio::use_awaitable);
  }
  static asio::awaitable<void> forget(const std::shared_ptr<Shelf>& self, std::string document) {
    return asio::co_spawn(self->strand_, drop(self, std::move(document)), asio::use_awaitable);
  }

 private:
  struct Open {
    std::string document;
    History history;
  };

  static asio::awaitable<void> open_for(std::shared_ptr<Shelf> self, std::string document,
                                        Visit visit) {
    History& history = self->open(document);
    self->make_room();
    visit(history, *self->reader_);
    co_return;
  }

  static asio::awaitable<void> read_for(std::shared_ptr<Shelf> self, Question question) {
    question(*self->reader_);
    co_return;
  }

  static asio::awaitable<void> drop(std::shared_ptr<Shelf> self, std::string document) {
    self->open_.remove_if([&](const Open& one) { return one.document == document; });
    co_return;
  }

  // As far as the log is on disk. One whose log could not be read is dropped.
  History& open(const std::string& document) {
    auto found = std::find_if(open_.begin(), open_.end(),
                              [&](const Open& one) { return one.document == document; });
    if (found == open_.end()) {
      open_.push_front({document, History(document, kLargestLogBytes)});
    } else {
      open_.splice(open_.begin(), open_, found);
    }
    History& history = open_.front().history;
    bool is_there = false;
    try {
      is_there = history.catch_up(*reader_);
    } catch (const storage::HistoryTooLarge& error) {
      open_.pop_front();
      throw Problem(507, error.what());
    } catch (...) {
      open_.pop_front();
      throw;
    }
    if (is_there) return history;
    open_.pop_front();
    throw Problem(404, "there is no such document");
  }

  // Lets go of those that nobody has asked for the longest, but not of the last one.
  void make_room() {
    std::size_t bytes = 0;
    for (auto one = open_.begin(); one != open_.end();) {
      bytes += one->history.memory_bytes();
      const bool stays = bytes <= kBudgetBytes || one == open_.begin();
      one = stays ? std::next(one) : open_.erase(one);
    }
  }

  std::unique_ptr<storage::Reader> reader_;
  asio::strand<asio::any_io_executor> strand_;
  std::list<Open> open_;  // the last asked for first
};

Histories::Histories(storage::Store& store, const asio::any_io_executor& reading)
    : shelf_(std::make_shared<Shelf>(store.reader(), reading)) {}

Histories::~Histories() = default;

asio::awaitable<void> Histories::show(std::string document, Visit visit) {
  return Shelf::show(shelf_, std::move(document), std::move(visit));
}

asio::awaitable<void> Histories::put(Question question) {
  return Shelf::put(shelf_, std::move(question));
}

asio::awaitable<void> Histories::forget(std::string document) {
  return Shelf::forget(shelf_, std::move(document));
}

}  // namespace palimpsest::server::http
