#include "net/connections.hpp"

#include <utility>

#include <boost/asio/dispatch.hpp>

namespace palimpsest::server::net {

void Connections::add(Id id, Closer closer) {
  boost::asio::dispatch(strand_, [this, id, closer = std::move(closer)]() mutable {
    if (is_closing_) closer();
    closers_.insert_or_assign(id, std::move(closer));
    count_ = closers_.size();
  });
}

void Connections::remove(Id id) {
  boost::asio::dispatch(strand_, [this, id] {
    closers_.erase(id);
    count_ = closers_.size();
  });
}

void Connections::close_all() {
  boost::asio::dispatch(strand_, [this] {
    is_closing_ = true;
    for (const auto& [id, closer] : closers_) closer();
  });
}

}  // namespace palimpsest::server::net
