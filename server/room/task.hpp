#pragma once

#include <functional>

#include <boost/asio/awaitable.hpp>

#include "storage/store.hpp"

namespace palimpsest::server {

class Journal;

// Has something written by the journal, in its place among the edits (Journal::Task), and comes
// back to the caller's executor when it is on disk. False: whether it is, is not known.
//
// By reference, of which a copy is made at once: g++ 12 destroys what a coroutine hands on by value
// within a co_await twice.
boost::asio::awaitable<bool> write(Journal& journal,
                                   const std::function<void(storage::Writer&)>& work);

}  // namespace palimpsest::server
